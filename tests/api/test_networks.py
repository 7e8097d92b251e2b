"""Networks over HTTP: what they cost before anything is submitted, as JSON and as a drawing."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest

from api import views
from tests.api.calling import Caller

LAYERS: list[dict[str, Any]] = [
    {"type": "Conv2D", "name": "c", "filters": 8, "kernel_size": 3, "activation": "relu"},
    {"type": "Flatten"},
    {"type": "Dense", "units": 10},
]
OWN: dict[str, Any] = {"network": {"layers": LAYERS}, "dataset": "mnist"}


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, migrated_sqlite: Any, tmp_path: Any) -> str:
    """Nothing here depends on the database."""
    path = tmp_path / "yard.sqlite"
    path.write_bytes(migrated_sqlite.read_bytes())
    return f"sqlite:///{path}"


def problems(caller: Caller, body: dict[str, Any]) -> dict[str, str]:
    reply = caller.post("networks/describe", body)
    assert reply.status_code == 422, reply.text
    return {problem["path"]: problem["text"] for problem in reply.json["problems"]}


def test_a_named_network_is_described_for_any_images(ada):
    asked = {"network": {"name": "resnet34"}, "input_shape": [64, 96, 1], "classes": 5}
    reply = ada.post("networks/describe", asked)
    assert reply.status_code == 200
    told = views.NetworkDescription.model_validate(reply.json)
    assert (told.input_shape, told.classes) == ((64, 96, 1), 5)
    assert told.layers[-1].output_shape == [5]
    assert told.totals.parameters == sum(layer.parameters for layer in told.layers)
    assert next(layer for layer in told.layers if layer.name == "c1").receptive_field == (7, 7)


def test_a_named_network_without_images_is_described_for_those_of_its_paper(ada):
    told = ada.post("networks/describe", {"network": {"name": "alexnet"}}).json
    assert (told["input_shape"], told["classes"]) == ([224, 224, 3], 1000)
    shown = ada.get("networks/alexnet").json
    assert shown["parameters"] == told["totals"]["parameters"]
    assert shown["multiply_adds"] == told["totals"]["multiply_adds"]


def test_a_network_tells_which_pretrained_weights_there_are_for_it(ada):
    shown = views.Network.model_validate(ada.get("networks/efficientnet_lite1").json)
    (weights,) = shown.weights
    assert (weights.name, weights.classes, weights.licence) == ("efficientnet_lite1_imagenet", 1000, "Apache-2.0")
    assert weights.digest.startswith("sha256:77cc7160")
    assert weights.input_shape == (240, 240, 3)
    listed = {network["name"]: network for network in ada.get("networks").json["items"]}
    assert [w["classes"] for w in listed["vgg19"]["weights"]] == [1000, None]
    assert listed["resnet50"]["weights"][0]["options"]["conv_bias"] is True
    assert listed["lenet5"]["weights"] == []


def test_layers_of_ones_own_are_described_for_a_dataset(ada):
    told = ada.post("networks/describe", OWN).json
    assert [layer["name"] for layer in told["layers"]] == [
        "rescaling", "c", "c_activation", "flatten", "logits", "probabilities",
    ]  # fmt: skip
    assert told["limits"]["parameters"] == 200_000_000


@pytest.mark.parametrize(
    ("body", "path", "part"),
    [
        ({"network": {"name": "lenet5"}, "input_shape": [2, 2, 1]}, "network.name", "at least 12 x 12 px"),
        ({"network": {"name": "lenet5"}, "classes": 1}, "classes", "greater than or equal to 2, got 1"),
        ({"network": {"name": "lenet"}}, "network.name", "Did you mean lenet5"),
        ({"network": {"name": "lenet5"}, "dataset": "mnsit"}, "dataset", "Did you mean mnist"),
        ({"network": {"name": "lenet5"}, "dataset": "mnist", "classes": 3}, "", "either a dataset or"),
        ({"network": {"name": "lenet5", "layers": LAYERS}}, "network", "either a name or layers, got both"),
        ({"network": {}}, "network", "either a name or layers, got neither"),
        ({"network": {"layers": LAYERS}}, "input_shape", "need an input_shape and classes"),
        ({"network": {"layers": LAYERS}, "input_shape": [9, 9, 1]}, "classes", "need an input_shape and classes"),
        ({"network": {"name": "lenet5"}, "input_shape": [0, 2, 1]}, "input_shape.0", "greater than or equal to 1"),
        ({"network": {"name": "lenet5"}, "input_shape": [28, 28]}, "input_shape.2", "required"),
        ({**OWN, "network": {"layers": [{**LAYERS[0], "filters": 0}]}}, "network.layers.0.filters", "got 0"),
        ({**OWN, "network": {"layers": [*LAYERS[:2], {"type": "Dense", "units": 9}]}}, "network.layers.2.units", "10"),
    ],
)
def test_what_cannot_be_described_is_told_by_its_path(ada, body, path, part):
    assert part in problems(ada, body)[path]


def test_the_same_problems_come_when_a_job_is_submitted(ada):
    layers = [{**LAYERS[0], "filters": 0}, {"type": "Flatten", "inputs": ["d"]}, LAYERS[2]]
    reply = ada.post("jobs", {"kind": "train", "dataset": "mnist", "network": {"layers": layers}})
    assert reply.status_code == 422
    assert {problem["path"] for problem in reply.json["problems"]} == {
        "network.layers.0.filters", "network.layers.1.inputs.0", "network.layers.0",
    }  # fmt: skip


def test_a_job_with_layers_of_its_own_keeps_them_as_they_were_sent(ada):
    job = ada.post("jobs", {"kind": "train", "dataset": "mnist", "network": {"layers": LAYERS}})
    assert job.status_code == 202
    assert job.json["spec"]["network"] == {"layers": LAYERS}
    assert job.json["parameters"] == ada.post("networks/describe", OWN).json["totals"]["parameters"]
    page = ada.get(f"jobs/{job.json['id']}").json
    assert page["spec"]["network"] == {"layers": LAYERS}


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ("", "*/*", "application/json"),
        ("", "image/svg+xml", "image/svg+xml"),
        ("", "application/json, image/svg+xml;q=0.5", "application/json"),
        ("?format=svg", "application/json", "image/svg+xml"),
        ("?format=json", "image/svg+xml", "application/json"),
    ],
)
def test_the_drawing_comes_where_it_is_asked_for(ada, query, accept, media_type):
    reply = ada.post(f"networks/describe{query}", OWN, Accept=accept)
    assert (reply.status_code, reply.mimetype) == (200, media_type)
    assert reply.text.startswith("<svg" if media_type == "image/svg+xml" else "{")


def test_a_drawing_may_use_its_own_style_and_nothing_else(ada):
    reply = ada.post("networks/describe?format=svg", OWN)
    style = re.search("<style>(.*)</style>", reply.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = reply.headers["Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; sandbox"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_an_unknown_format_is_refused(ada):
    reply = ada.post("networks/describe?format=png", OWN)
    assert (reply.status_code, reply.json["code"]) == (400, "invalid_request")


def test_nobody_is_told_anything(nobody):
    assert nobody.post("networks/describe", OWN).status_code == 401
