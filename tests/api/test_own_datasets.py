"""People's own datasets over HTTP: made, versioned, looked into, deleted; and never somebody else's."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from api import views
from api.upload_ends import ARCHIVES
from api.yard import the_yard
from records.blobs import FolderBlobs
from records.uploads import find_upload
from tests.api.calling import Caller
from tests.records.own_sets import Sets

ARCHIVE = b"PK\x03\x04 not really an archive: nobody looks into it here"
MORE = ("sheet.png", "sheets/0.png", "sheets/1.png")


@pytest.fixture
def sets(database, clock, member, settings):
    """Ada's datasets, and a worker played by the test that stores real bytes."""
    return Sets(database, clock, anna=member.person, blobs=FolderBlobs(settings.blob_folder))


@pytest.fixture
def ants(ada, sets):
    """A dataset of ada's with one ready version."""
    make(ada)
    sets.take_in(more=MORE)
    return "ants"


def upload(caller, content=ARCHIVE):
    address = caller.post("uploads", {"name": "a.zip", "size_bytes": len(content)}).headers["Location"]
    kind = "application/offset+octet-stream"
    sent = caller.send("PATCH", address, headers={"Upload-Offset": "0", "Content-Type": kind}, data=content)
    assert sent.status_code == 204
    return address.rsplit("/", 1)[1]


def make(caller, name="ants", **fields):
    reply = caller.post("datasets", {"name": name, "upload": upload(caller), **fields})
    assert reply.status_code == 202, reply.json
    return reply


def send_archive(caller, query, content=ARCHIVE, kind="application/zip", path="datasets", **headers):
    return caller.send("POST", f"{path}?{query}", headers={"Content-Type": kind, **headers}, data=content)


# ── making ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dataset_is_made_of_an_upload_and_is_ready_once_a_worker_has_looked(ada, sets):
    reply = make(ada, skip_bad=True, splits={"train": 0.5, "val": 0.5, "test": 0.0, "seed": 3})
    made = views.DatasetVersion.model_validate(reply.json)
    assert (made.ref, made.status, made.images) == ("ada/ants@1", "checking", 0)
    assert (made.progress.stage, made.report, made.manifest) == ("waiting", None, None)
    assert made.options["splits"] == {"train": 0.5, "val": 0.5, "test": 0.0, "seed": 3}
    assert reply.headers["Location"] == "/api/v1/datasets/ants/versions/1"
    sets.take_in(more=MORE)
    ready = views.DatasetVersion.model_validate(ada.get(reply.headers["Location"]).json)
    assert (ready.status, ready.classes, ready.counts, ready.upload) == ("ready", ["ant", "bee"], {"train": 10}, None)
    shown = views.Dataset.model_validate(ada.get("datasets/ants").json)
    assert (shown.ref, shown.status, shown.version, shown.sha256) == ("ada/ants", "ready", 1, ready.sha256)
    assert ada.get(shown.sheet).data == b"manifest sheet.png 1"


def test_an_archive_may_be_the_body_itself(ada, app, sets):
    reply = send_archive(ada, "name=ants&skip_bad=true&train=0.9&val=0.1&test=0&longest_px=0")
    assert reply.status_code == 202, reply.json
    options = reply.json["options"]
    assert (options["skip_bad"], options["longest_px"], options["splits"]["train"]) == (True, None, 0.9)
    claim = sets.claim()
    assert claim.upload_sha256 == hashlib.sha256(ARCHIVE).hexdigest()
    assert the_yard(app).blobs.path(claim.upload_sha256).read_bytes() == ARCHIVE


@pytest.mark.parametrize("kind", ARCHIVES)
def test_archives_of_every_kind_are_taken(ada, kind):
    assert send_archive(ada, "name=ants", kind=kind).status_code == 202


def test_an_archive_that_is_longer_than_json_may_be_is_taken(make_app, member):
    caller = Caller(make_app(max_body_bytes=1000), member.token)
    assert send_archive(caller, "name=ants", content=ARCHIVE * 100).status_code == 202


def test_an_archive_of_unknown_length_is_taken_and_counts_as_large_as_it_was(ada, database, sets):
    reply = ada.send(
        "POST",
        "datasets?name=ants",
        headers={"Content-Type": "application/zip", "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": io.BytesIO(ARCHIVE), "wsgi.input_terminated": True},
    )
    assert reply.status_code == 202
    with database.read() as session:
        assert find_upload(session, reply.json["upload"], None).size_bytes == len(ARCHIVE)


def test_an_archive_that_breaks_off_leaves_nothing(ada, app):
    reply = ada.send(
        "POST",
        "datasets?name=ants",
        headers={"Content-Type": "application/zip"},
        environ_overrides={"wsgi.input": io.BytesIO(ARCHIVE), "CONTENT_LENGTH": "9000"},
    )
    assert (reply.status_code, reply.json["code"]) == (400, "invalid_request")
    assert ada.get("datasets/ants").status_code == 404
    assert ada.get("uploads").json["items"] == []
    assert list(the_yard(app).parts.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 400, "`name`"),
        ("name=Ants", 400, "`name`"),
        ("name=ants&train=0.9", 422, "add up to 1"),
        ("name=ants&longest_px=5", 422, "longest_px"),
        ("name=ants&nmae=x", 400, "Did you mean name"),
        ("name=mnist", 409, "catalogue"),
        ("name=bees", 409, "have a dataset bees already"),
    ],
)
def test_what_cannot_be_made_is_refused_before_the_archive_is_read(ada, query, status, said):
    make(ada, "bees")

    class Unread:
        def read(self, size=-1):
            raise AssertionError("the archive was read")

    reply = ada.send(
        "POST",
        f"datasets?{query}",
        headers={"Content-Type": "application/zip"},
        environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": "9000"},
    )
    assert (reply.status_code, said in str(reply.json)) == (status, True), reply.json


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": "Ants"}, "name"),
        ({"name": "x" * 64}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "ants", "folder": "/x"}, ""),
        ({"name": "ants", "upload": None}, ""),
        ({"name": "ants", "upload": "../../x"}, "upload"),
        ({"name": "ants", "task": "detection"}, "task"),
        ({"name": "ants", "splits": {"train": 0.5}}, "splits"),
        ({"name": "ants", "quality": 3}, "quality"),
    ],
)
def test_a_dataset_that_makes_no_sense_is_refused_with_the_field(ada, fields, path):
    reply = ada.post("datasets", {"upload": "a" * 32, **fields})
    assert reply.status_code == 422, reply.json
    assert [problem["path"] for problem in reply.json["problems"]] == [path]


def test_an_upload_must_be_ones_own_and_whole(ada, bob):
    theirs = upload(bob)
    half = ada.post("uploads", {"name": "a", "size_bytes": 5}).json["id"]
    assert ada.post("datasets", {"name": "ants", "upload": theirs}).status_code == 404
    assert ada.post("datasets", {"name": "ants", "upload": half}).status_code == 409


def test_of_requests_that_race_for_one_name_one_gets_it(app, member):
    caller = Caller(app, member.token)
    uploads = [upload(caller) for _ in range(6)]

    def send(upload_id):
        return Caller(app, member.token).post("datasets", {"name": "ants", "upload": upload_id})

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(send, uploads))
    assert sorted(reply.status_code for reply in replies) == [202] + [409] * 5
    assert len(caller.get("datasets/ants/versions").json["items"]) == 1


def test_the_same_key_and_body_make_one_version(ada):
    upload_id = upload(ada)
    replies = [ada.post("datasets", {"name": "ants", "upload": upload_id}, Idempotency_Key="k") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [202, 202]
    assert replies[0].json == replies[1].json
    assert replies[1].headers["Idempotent-Replayed"] == "true"
    other = ada.post("datasets", {"name": "wasps", "upload": upload_id}, Idempotency_Key="k")
    assert other.json["code"] == "idempotency_key_reused"


def test_the_same_key_and_archive_make_one_version_and_keep_one_upload(ada, sets):
    first, again = (send_archive(ada, "name=ants", Idempotency_Key="k") for _ in range(2))
    assert (first.status_code, again.status_code, again.json) == (202, 202, first.json)
    assert [row["id"] for row in ada.get("uploads").json["items"]] == [first.json["upload"]]
    sets.take_in()
    replies = [send_archive(ada, "", path="datasets/ants/versions", Idempotency_Key="k2") for _ in range(2)]
    assert [reply.json["number"] for reply in replies] == [2, 2]
    other = send_archive(ada, "name=bees", Idempotency_Key="k2")
    assert other.json["code"] == "idempotency_key_reused"


def test_quotas_are_told(make_app, member):
    caller = Caller(make_app(quota_datasets=1), member.token)
    make(caller)
    reply = caller.post("datasets", {"name": "bees", "upload": upload(caller)})
    assert (reply.status_code, reply.json["code"]) == (409, "quota_reached")
    tight = Caller(make_app(quota_dataset_bytes=100), member.token)
    assert send_archive(tight, "name=bees").json["code"] == "quota_reached"
    assert send_archive(Caller(make_app(max_upload_bytes=10), member.token), "name=bees").status_code == 413


# ── folders of the server ────────────────────────────────────────────────────────────────────────────────────


def test_only_an_administrator_may_name_a_folder(ada, make_app, member, admin, tmp_path):
    app = make_app(dataset_folders=(tmp_path / "photos",))
    body = {"name": "ants", "folder": str(tmp_path / "photos" / "ants")}
    refused = Caller(app, member.token).post("datasets", body)
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    made = Caller(app, admin.token).post("datasets", body)
    assert (made.status_code, made.json["folder"], made.json["upload"]) == (202, body["folder"], None)


def test_without_the_setting_no_folder_is_read_and_the_error_names_it(root):
    reply = root.post("datasets", {"name": "ants", "folder": "/srv/photos"})
    assert reply.status_code == 422
    assert "TRAINYARD_DATASET_FOLDERS" in reply.json["problems"][0]["text"]


@pytest.mark.parametrize(
    "folder",
    ["/etc", "{}/../secret", "{}x", "{}/a/../../etc", "photos", "", "{}/./a", "{}//a", "{}/a/", "~", "{}/a\x00b"],
)
def test_a_folder_may_not_lead_elsewhere(make_app, admin, tmp_path, folder):
    allowed = tmp_path / "photos"
    caller = Caller(make_app(dataset_folders=(allowed,)), admin.token)
    reply = caller.post("datasets", {"name": "ants", "folder": folder.format(allowed)})
    assert reply.status_code == 422, reply.json
    assert caller.get("datasets/ants").status_code == 404


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_images_are_added_to_the_newest_version_another_or_none(ada, sets, ants):
    def add(**fields):
        return ada.post(f"datasets/{ants}/versions", {"upload": upload(ada), **fields})

    second = add()
    assert (second.json["number"], second.json["parent"]) == (2, 1)
    sets.take_in(text="two")
    assert add().json["parent"] == 2
    assert add(parent=1).json["parent"] == 1
    assert add(replace=True).json["parent"] is None
    assert add(parent=9).status_code == 404
    assert add(parent=3).status_code == 409
    assert add(parent=1, replace=True).status_code == 422
    assert add(task="segmentation").json["problems"][0]["path"] == "task"
    assert add(name="x").status_code == 422
    numbers = [row["number"] for row in ada.get(f"datasets/{ants}/versions").json["items"]]
    assert numbers == [5, 4, 3, 2, 1]


def test_versions_are_listed_by_pages(ada, sets, ants):
    for _ in range(2):
        ada.post(f"datasets/{ants}/versions", {"upload": upload(ada)})
    first = ada.get(f"datasets/{ants}/versions?limit=2").json
    rest = ada.get(f"datasets/{ants}/versions?limit=2&cursor={first['next']}").json
    assert [[row["number"] for row in page["items"]] for page in (first, rest)] == [[3, 2], [1]]
    assert rest["next"] is None


def test_a_ready_version_cannot_be_changed_by_anybody(ada, ants):
    address = f"datasets/{ants}/versions/1"
    before = ada.get(address).json
    for method in ("PUT", "PATCH", "POST"):
        for path in (address, f"{address}/manifest", f"{address}/report", f"{address}/sheet"):
            assert ada.send(method, path, json={}).status_code == 405
    assert ada.get(address).json == before


def test_a_refused_version_has_its_report_and_is_sent_again_without_uploading(ada, sets):
    first = make(ada)
    claim = sets.claim()
    sets.store(claim, "report.json", '{"bad_files": 1}')
    sets.store(claim, "packs/p1-0.zip", "a pack")
    sets.refuse(claim)
    shown = ada.get(first.headers["Location"]).json
    assert (shown["status"], shown["reason"]["code"], shown["manifest"]) == ("refused", "bad_files", None)
    assert ada.get(shown["report"]).json == {"bad_files": 1}
    again = ada.post("datasets", {"name": "ants", "upload": shown["upload"], "skip_bad": True})
    assert (again.status_code, again.json["number"]) == (202, 2)
    sets.take_in()
    assert ada.get("datasets/ants").json["version"] == 2


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_files_of_a_version_come_with_their_hash(ada, ants):
    version = ada.get(f"datasets/{ants}/versions/1").json
    for address, said in (
        (version["report"], "report.json"),
        (version["manifest"], "manifest.json"),
        (version["sheet"], "sheet.png"),
        (version["sheets"][1], "sheets/1.png"),
    ):
        content = f"manifest {said} 1".encode()
        reply = ada.get(address)
        assert (reply.status_code, reply.data) == (200, content)
        assert reply.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
        assert "sandbox" in reply.headers["Content-Security-Policy"]
        assert ada.get(address, If_None_Match=reply.headers["ETag"]).status_code == 304
    assert len(version["sheets"]) == 2


@pytest.mark.parametrize(
    "path", ["versions/2", "versions/0", "versions/x", "versions/1/sheets/2", "versions/1/sheets/-1",
             "versions/1/packs/p1-0.zip", "versions/1/../../mnist", "versions/99999999999"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(ada, ants, path):
    assert ada.get(f"datasets/{ants}/{path}").status_code in (404,)


@pytest.mark.parametrize("name", ["%00", "Ants", "a%0Ab", "..", "%F0%9F%90%9C", "a@1", "x" * 5000])
def test_what_is_no_name_is_not_found(ada, name):
    for path in (f"datasets/{name}", f"datasets/{name}/versions", f"datasets/{name}/versions/1/report"):
        assert ada.get(path).status_code == 404


def test_a_version_that_is_being_checked_has_no_files_yet(ada, sets):
    make(ada)
    claim = sets.claim()
    for name in ("manifest.json", "report.json", *MORE):
        sets.store(claim, name, name)
    for path in ("report", "manifest", "sheet", "sheets/0"):
        reply = ada.get(f"datasets/ants/versions/1/{path}")
        assert reply.status_code == 404
        assert "is checking" in reply.json["detail"]
    assert ada.get("datasets/ants/sheet").status_code == 404


def test_progress_is_told(ada, sets, database, clock):
    from records.intakes import renew

    address = make(ada).headers["Location"]
    claim = sets.claim()
    with database.write() as session:
        renew(session, claim, lease_s=9, at=clock(), progress={"stage": "reading", "done": 3, "of": 10})
    assert ada.get(address).json["progress"] == {"stage": "reading", "done": 3, "of": 10}


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_catalogue_and_ones_own_are_one_list_in_pages(ada, bob):
    for name in ("ants", "mice", "zebras"):
        make(ada, name)
    make(bob, "bees")
    names, cursor = [], ""
    while True:
        page = ada.get(f"datasets?limit=2{cursor}").json
        names += [row["name"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert names == ["ants", "fashion_mnist", "mice", "mnist", "zebras"]
    assert [row["name"] for row in ada.get("datasets?mine=true").json["items"]] == ["ants", "mice", "zebras"]


def test_an_administrator_sees_all_and_says_whose(root, ada, bob, sets):
    make(ada)
    make(bob)
    sets.take_in(more=MORE)
    rows = [row for row in root.get("datasets").json["items"] if row["owner"]]
    assert [row["ref"] for row in rows] == ["ada/ants", "bob/ants"]
    assert root.get("datasets?mine=true").json["items"] == []
    assert root.get("datasets/ants").status_code == 404
    shown = root.get("datasets/ants?owner=ada").json
    assert shown["ref"] == "ada/ants"
    assert root.get(shown["sheet"]).status_code == 200
    version = root.get("datasets/ants/versions?owner=ada").json["items"][0]
    for address in (version["address"], version["report"], version["manifest"], *version["sheets"]):
        assert "owner=ada" in address
        assert root.get(address).status_code == 200
    assert root.send("DELETE", "datasets/ants?owner=bob").status_code == 204


# ── deleting ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_version_and_a_set_are_deleted(ada, ants):
    assert ada.send("DELETE", f"datasets/{ants}/versions/1").status_code == 204
    assert ada.get(f"datasets/{ants}").json["status"] == "empty"
    assert ada.send("DELETE", f"datasets/{ants}").status_code == 204
    assert ada.get(f"datasets/{ants}").status_code == 404
    assert ada.send("DELETE", "datasets/mnist").status_code == 404


def test_what_a_job_was_trained_on_stays_and_the_answer_lists_the_jobs(ada, root, ants, database, clock, member):
    from records.jobs import submit
    from records.specs import parse_spec

    with database.write() as session:
        spec = parse_spec({"kind": "noop"}, test_kinds=True)
        ids = [
            submit(session, spec, owner_id=o, actor="u", parameters=0, at=clock(), datasets=["ada/ants@1"]).id
            for o in (member.person.id, 1 if member.person.id != 1 else 2)
        ]
    for path in (f"datasets/{ants}", f"datasets/{ants}/versions/1"):
        reply = ada.send("DELETE", path)
        assert (reply.status_code, reply.json["code"]) == (409, "dataset_in_use")
        assert (reply.json["jobs"], reply.json["other_jobs"]) == ([ids[0]], 1)
    assert root.send("DELETE", f"datasets/{ants}?owner=ada").json["jobs"] == ids[::-1]


# ── whose ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_persons_dataset_is_as_good_as_absent_in_every_route(ada, bob, nobody, ants, app):
    paths = [rule for rule in app.url_map.iter_rules() if "/datasets/<name>" in rule.rule]
    assert len(paths) >= 9
    for rule in paths:
        for method in sorted(rule.methods - {"OPTIONS"}):
            for owner in ("", "?owner=ada"):
                path = rule.rule.replace("<number:number>", "1").replace("<number:class_index>", "0")
                theirs, absent = (
                    bob.send(method, path.replace("<name>", name) + owner, json={} if method == "POST" else None)
                    for name in (ants, "nants")
                )
                expected = 400 if method == "POST" and owner else 404
                assert theirs.status_code == absent.status_code, (method, path, owner)
                assert theirs.status_code in (404, expected), (method, path, owner)
                said = theirs.get_data(as_text=True).replace(theirs.headers["X-Request-Id"], "")
                other = absent.get_data(as_text=True).replace(absent.headers["X-Request-Id"], "")
                assert said == other.replace("nants", "ants"), "the text gives nothing away"
                refused = (401, 415) if path.startswith("/api/") else (302, 401)  # a page leads to the log-in
                assert nobody.send(method, path.replace("<name>", ants) + owner).status_code in refused
    assert ada.get(f"datasets/{ants}/versions/1").json["status"] == "ready"
    assert bob.get("datasets?mine=true").json["items"] == []


def test_another_person_cannot_train_on_it_and_is_told_nothing(ada, bob, ants):
    spec = {"kind": "train", "network": {"name": "lenet5"}}
    for name in ("ants", "ada/ants", "ada/ants@1"):
        for path in ("jobs", "estimates"):
            reply = bob.post(path, {**spec, "dataset": name})
            assert reply.status_code == 422
            assert "No dataset is called" in reply.json["problems"][0]["text"]
        reply = bob.post("networks/describe", {"network": {"name": "lenet5"}, "dataset": name})
        assert "No dataset is called" in reply.json["problems"][0]["text"]


# ── networks ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_network_is_described_for_ones_own_images_once_their_shape_is_said(ada, ants):
    def ask(**images):
        return ada.post("networks/describe", {"network": {"name": "lenet5"}, "dataset": ants, **images})

    reply = ask()
    assert [p["path"] for p in reply.json["problems"]] == ["input_shape"]
    assert "ada/ants@1 differ in size" in reply.json["problems"][0]["text"]
    assert "Expected 3 channels" in ask(input_shape=[32, 32, 1]).json["problems"][0]["text"]
    described = ask(input_shape=[32, 32, 3])
    assert (described.json["classes"], described.json["input_shape"]) == (2, [32, 32, 3])
    fixed = ada.post("networks/describe", {"network": {"name": "lenet5"}, "dataset": "mnist", "input_shape": [9, 9, 1]})
    assert "every image of mnist is (28, 28, 1)" in fixed.json["problems"][0]["text"]
