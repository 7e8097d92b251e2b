"""The OpenAPI document says what the door does, and its page loads nothing from elsewhere."""

from __future__ import annotations

import re

import hypothesis
import pytest
import schemathesis
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from api import views
from api.routes.uploads import PART
from api.upload_ends import ARCHIVES
from records.specs import SPECS, TEST_KINDS
from tests.api.calling import Caller

schemathesis.serializer.alias(
    [PART, *(kind for kind in ARCHIVES if kind != "application/octet-stream")], "application/octet-stream"
)
EXAMPLES = 8
"""Generated requests an operation."""


@pytest.fixture
def document(nobody):
    return nobody.get("/openapi.json").json


def test_the_document_is_openapi_3_1_and_every_reference_in_it_leads_somewhere(document):
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for reference in set(re.findall(r"#/components/schemas/(\w+)", str(document))):
        assert reference in document["components"]["schemas"], reference


def test_a_job_is_sent_as_a_union_told_apart_by_kind(document, make_app):
    body = document["paths"]["/api/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Spec"}
    union = document["components"]["schemas"]["Spec"]
    assert union["discriminator"]["propertyName"] == "kind"
    assert set(union["discriminator"]["mapping"]) == set(SPECS)
    public = Caller(make_app(test_kinds=False)).get("/openapi.json").json["components"]["schemas"]
    assert set(public["Spec"]["discriminator"]["mapping"]) == set(SPECS) - TEST_KINDS
    assert "NoopSpec" not in public


def test_images_are_sent_as_a_form_or_as_the_body(document):
    operation = document["paths"]["/api/v1/jobs/{job_id}/predict"]["post"]
    content = operation["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"]["properties"]["images"]["items"]["format"] == "binary"
    assert content["image/png"]["schema"] == {"type": "string", "format": "binary"}
    assert {"202", "404", "409", "413", "415", "422"} <= set(operation["responses"])
    assert [p["name"] for p in operation["parameters"]] == ["job_id", "weights", "top", "invert", "wait_s"]


def test_every_operation_has_a_summary_and_its_errors_are_problems(document):
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], path
            assert not [key for key in operation if key.startswith("x-")]
            if path.startswith("/api/"):
                needed = operation["security"][0]["token"]
                assert needed in (["read"], ["write"], ["full"])
                assert operation["security"][1] == {"cookie": []}
                assert {"401", "429", "500"} <= set(operation["responses"]), (method, path)
                assert method == "get" or "403" in operation["responses"], (method, path)
            for status, response in operation["responses"].items():
                if status >= "400":
                    assert set(response["content"]) == {"application/problem+json"}


@pytest.mark.parametrize(
    ("path", "view"),
    [
        ("jobs", views.page_of(views.Job)),
        ("jobs/1", views.Job),
        ("jobs/1/events", views.page_of(views.JobEvent)),
        ("jobs/1/metrics", views.page_of(views.MetricPoint)),
        ("jobs/1/logs", views.page_of(views.LogLine)),
        ("jobs/1/artifacts", views.page_of(views.Artifact)),
        ("datasets", views.page_of(views.Dataset)),
        ("datasets/mnist", views.Dataset),
        ("networks", views.page_of(views.Network)),
        ("networks/lenet5", views.Network),
        ("devices", views.page_of(views.Device)),
        ("specs", views.page_of(views.SpecSchema)),
        ("me", views.Me),
        ("usage", views.page_of(views.PersonUse)),
        ("quotas", views.page_of(views.Quota)),
        ("queue", views.page_of(views.Waiting)),
        ("tokens", views.page_of(views.Token)),
        ("models", views.page_of(views.RegisteredModel)),
        ("models/noops", views.FullModel),
        ("models/noops/versions/1", views.ModelVersion),
        ("models/noops/aliases/champion", views.ModelAlias),
        ("jobs/compare?ids=1,2", views.Comparison),
        ("/readyz", views.Readiness),
        ("/version", views.Version),
    ],
)
def test_replies_have_the_shapes_that_the_document_tells(ada, ran, submit_noop, path, view):
    submit_noop()
    ada.post("models/noops/versions", {"job": ran, "artifact": "history.csv"})
    ada.send("PUT", "models/noops/aliases/champion", json={"version": 1})
    reply = ada.get(path)
    assert reply.status_code == 200
    shown = view.model_validate(reply.json)
    assert set(shown.model_dump(by_alias=True)) == set(reply.json), "no member is left out"
    if "items" in reply.json:
        assert reply.json["items"]


def test_the_docs_page_has_only_local_assets_and_no_inline_script(nobody):
    page = nobody.get("/docs")
    assert page.content_type.startswith("text/html")
    assert "http" not in page.text
    assert not re.search(r"<script(?![^>]*src=)", page.text)
    assets = re.findall(r'(?:src|href)="(/docs/[^"]+)"', page.text)
    assert len(assets) == 4
    for asset in assets:
        assert nobody.get(asset).status_code == 200, asset
    assert nobody.get("/docs/../app.py").status_code == 404


def test_the_picture_of_a_dataset_says_what_to_do_until_it_is_fetched(ada):
    reply = ada.get("datasets/mnist/sheet")
    assert (reply.status_code, reply.json["code"]) == (404, "dataset_not_fetched")
    assert "Submit a job" in reply.json["detail"]
    assert "Did you mean mnist" in ada.get("datasets/mnsit").json["detail"]
    assert "Did you mean lenet5" in ada.get("networks/lenet").json["detail"]


def test_the_picture_of_a_fetched_dataset_is_sent(ada, hand, database, tmp_path, clock):
    from records.catalogue import MNIST
    from records.datasets import note_fetched

    (tmp_path / "sheet.png").write_bytes(b"\x89PNG sheet")
    blob = hand.blobs.put_file(tmp_path / "sheet.png")
    with database.write() as session:
        note_fetched(session, MNIST, source="a folder", sheet_sha256=blob.sha256, at=clock())
    dataset = ada.get("datasets/mnist").json
    assert dataset["fetched"]["source"] == "a folder"
    sheet = ada.get(dataset["sheet"])
    assert (sheet.data, sheet.content_type, sheet.headers["ETag"]) == (
        b"\x89PNG sheet",
        "image/png",
        f'"{blob.sha256}"',
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_generated_request_breaks_the_door_or_its_document(app, member, ran):
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    headers = {"Authorization": f"Bearer {member.token}"}
    asked = 0

    @hypothesis.settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None)
    @hypothesis.given(hypothesis.strategies.data())
    def ask(data):
        nonlocal asked
        case = data.draw(operation.as_strategy())
        if "/stream" in case.path:
            return  # a stream of a waiting job does not end; tests/api/test_streams.py reads those
        reply = case.call(headers=headers)
        case.validate_response(
            reply,
            checks=[
                checks.not_a_server_error,
                openapi_checks.status_code_conformance,
                openapi_checks.content_type_conformance,
                openapi_checks.response_schema_conformance,
            ],
        )
        asked += 1

    for result in schema.get_all_operations():
        operation = result.ok()
        ask()
    assert asked > 100
