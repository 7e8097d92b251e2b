"""Asking a trained model over HTTP: who may, what may be sent, how long a request waits. A test plays the worker."""

from __future__ import annotations

import io
import threading
from functools import partial

import pytest
from sqlalchemy import func, select

from api import views
from api.routes import predictions as route
from api.yard import the_yard
from records import predictions
from records.jobs import submit
from records.predictions import claim_next, end
from records.questions import Likely, Result, Seen, Trouble
from records.retries import Outcome
from records.specs import parse_spec
from records.specs.earlier import RECORD
from records.tables import PredictionImageTable, PredictionTable
from tests.api.calling import Caller
from tests.api.pages.filling import png
from tests.waiting import eventually

PNG = png(28, 28)
TRAIN = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}
GOOD = Seen(name="a.png", classes=(Likely(name="7", probability=0.75), Likely(name="1", probability=0.25)))
BAD = Seen(name="b.png", problem=Trouble(code="unreadable", text="The file ends too early."))


@pytest.fixture
def train(database, member, clock):
    """`train()`: queue a training of ada's; its id."""

    def queue_one():
        with database.write() as session:
            at = clock.advance(1)
            spec = parse_spec(TRAIN)
            return submit(session, spec, owner_id=member.person.id, actor="user:ada", parameters=1, at=at).id

    return queue_one


@pytest.fixture
def trained(train, hand, tmp_path):
    """A training of ada's that has succeeded, and kept what its model is built from."""
    job_id = train()
    claim = hand.take_up()
    for name in (RECORD, "best.weights.h5"):
        hand.keep(claim, name, name.encode(), "application/octet-stream", tmp_path)
    hand.end(claim)
    return job_id


def form(*images, field="images"):
    """A form with these (name, bytes)."""
    data = {field: [(io.BytesIO(content), name) for name, content in images]}
    return {"data": data, "content_type": "multipart/form-data"}


def ask(caller, job_id, query="wait_s=0", **body):
    return caller.send("POST", f"jobs/{job_id}/predict?{query}", **(body or form(("a.png", PNG))))


def play_worker(hand, clock, outcome):
    """Answer the next prediction that comes."""

    def claim():
        with hand.database.write() as session:
            return claim_next(session, hand.worker, lease_s=60, at=clock())

    claimed = eventually(claim)
    with hand.database.write() as session:
        end(session, claimed, outcome, at=clock())


@pytest.fixture
def answer(hand, clock):
    """`answer(outcome)`: a worker that answers the next prediction, beside the test."""
    threads = []

    def start(outcome):
        threads.append(threading.Thread(target=play_worker, args=(hand, clock, outcome)))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def rows(database, table=PredictionTable):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table))


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_images_are_asked_about_and_the_answer_comes(ada, trained, answer):
    answer(Result(classes=("1", "7"), images=(GOOD, BAD)))
    reply = ask(ada, trained, "top=2", **form(("a.png", PNG), ("b.png", b"broken")))
    assert reply.status_code == 200, reply.text
    body = views.Prediction.model_validate(reply.json)
    assert (body.status, body.job_id, body.top, body.classes) == ("done", trained, 2, ["1", "7"])
    assert [image.name for image in body.images] == ["a.png", "b.png"]
    assert [(c.name, c.probability) for c in body.images[0].classes] == [("7", 0.75), ("1", 0.25)]
    assert body.images[1].problem.code == "unreadable"
    assert body.seconds == 0
    assert ada.get(f"predictions/{body.id}").json == reply.json


def test_a_question_without_an_answer_yet_is_accepted_and_can_be_looked_at(ada, trained, hand, clock):
    reply = ask(ada, trained)
    assert (reply.status_code, reply.json["status"]) == (202, "waiting")
    assert reply.headers["Location"] == f"/api/v1/predictions/{reply.json['id']}"
    views.Prediction.model_validate(reply.json)
    play_worker(hand, clock, Result(classes=("1", "7"), images=(GOOD,)))
    later = ada.get(reply.headers["Location"])
    assert (later.status_code, later.json["status"]) == (200, "done")
    assert later.json["images"][0]["classes"][0] == {"name": "7", "probability": 0.75}


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg"])
def test_an_image_can_be_the_body(ada, trained, database, app, media_type):
    reply = ask(ada, trained, data=PNG, content_type=media_type)
    assert reply.status_code == 202, reply.text
    with database.read() as session:
        (row,) = session.scalars(select(PredictionImageTable))
    assert row.name == "image"
    with the_yard(app).blobs.open(row.sha256) as file:
        assert file.read() == PNG


def test_the_options_reach_the_worker(ada, trained, hand, clock, database):
    ask(ada, trained, "wait_s=0&top=7&invert=true")
    with database.write() as session:
        claimed = claim_next(session, hand.worker, lease_s=60, at=clock())
    assert (claimed.options.top, claimed.options.invert, claimed.options.weights) == (7, True, "best")


def test_names_are_shown_without_folders_and_without_what_cannot_be_shown(ada, trained, hand, clock, database):
    names = ("../../etc/passwd", "pictures/one.png", "two\x07.png", "x" * 500, "Ünïcode 😀.png")
    ask(ada, trained, **form(*[(name, PNG) for name in names]))
    with database.write() as session:
        claimed = claim_next(session, hand.worker, lease_s=60, at=clock())
    stored = [image.name for image in claimed.images]
    assert stored == ["passwd", "one.png", "two\ufffd.png", "x" * 200, "Ünïcode 😀.png"]


def test_images_that_can_all_not_be_read_are_named(ada, trained, answer):
    answer(Result(classes=("1", "7"), images=(BAD,)))
    reply = ask(ada, trained, "top=1", **form(("b.png", b"broken")))
    assert (reply.status_code, reply.json["code"]) == (422, "unreadable_images")
    assert reply.json["problems"] == [{"path": "b.png", "text": "The file ends too early."}]


def test_a_prediction_that_failed_says_why(ada, trained, answer):
    answer(Trouble(code="predictor_died", text="The predictor was killed by SIGSEGV."))
    reply = ask(ada, trained, "top=1")
    assert (reply.status_code, reply.json["code"]) == (503, "predictor_died")
    assert "SIGSEGV" in reply.json["detail"]
    shown = ada.get("predictions/1").json
    assert (shown["status"], shown["reason"]["code"], shown["images"]) == ("failed", "predictor_died", [])


# ── waiting ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_waits_only_as_long_as_the_settings_say(make_app, member, trained):
    ada = Caller(make_app(predict_wait_s=0.05), member.token)
    assert ask(ada, trained, "wait_s=3600").status_code == 202


def test_no_more_requests_wait_than_there_are_places(make_app, member, trained, monkeypatch, in_thread):
    app = make_app(max_predict_waits=1)
    first, second = Caller(app, member.token), Caller(app, member.token)
    looked, let_go = set(), threading.Event()

    def is_open(session, prediction_id):
        looked.add(prediction_id)
        return not let_go.is_set()

    monkeypatch.setattr(route, "is_open", is_open)
    waiting = in_thread(ask, first, trained, "top=1")
    eventually(lambda: looked)
    assert the_yard(app).waits.taken == 1
    reply = ask(second, trained, "wait_s=0.1")
    assert reply.status_code == 202
    assert reply.json["id"] not in looked, "it does not wait: every place is taken"
    let_go.set()
    waiting.join()
    assert the_yard(app).waits.taken == 0
    ask(second, trained, "wait_s=0.1")
    assert len(looked) == 2, "the place is free again"


def test_nobody_holds_a_connection_while_waiting(app, ada, trained, monkeypatch):
    held = []

    def sleep(seconds):
        held.append(the_yard(app).database.engine.pool.checkedout())

    monkeypatch.setattr(route.time, "sleep", sleep)
    ask(ada, trained, "wait_s=0.01")
    assert held
    assert set(held) == {0}


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_anothers_job_and_prediction_are_as_good_as_absent(ada, bob, root, nobody, trained, database):
    prediction_id = ask(ada, trained).json["id"]
    for caller, status in ((bob, 404), (nobody, 401)):
        assert ask(caller, trained).status_code == status
        assert caller.get(f"predictions/{prediction_id}").status_code == status
    assert rows(database) == 1
    assert bob.get(f"predictions/{prediction_id}").json["detail"] == bob.get("predictions/99").json["detail"].replace(
        "99", str(prediction_id)
    )
    assert root.get(f"predictions/{prediction_id}").status_code == 200
    by_root = ask(root, trained).json["id"]
    assert ada.get(f"predictions/{by_root}").status_code == 404


def test_a_job_without_a_model_says_so(ada, hand, train, submit_noop):
    noop = submit_noop()
    reply = ask(ada, noop)
    assert (reply.status_code, reply.json["code"]) == (409, "conflict")
    assert "kind noop predicts nothing" in reply.json["detail"]
    assert ada.post(f"jobs/{noop}/cancel").status_code == 200
    job_id = train()
    assert "is queued and has no model yet" in ask(ada, job_id).json["detail"]
    hand.end(hand.take_up(), Outcome.failed("diverged", "The loss is nan."))
    reply = ask(ada, job_id)
    assert (reply.status_code, reply.json["code"]) == (409, "conflict")
    assert "has failed without a model: it kept no run.json and no best.weights.h5" in reply.json["detail"]


def test_weights_that_were_not_kept_are_a_conflict(ada, trained):
    reply = ask(ada, trained, "weights=last")
    assert reply.status_code == 409
    assert "it kept no last.weights.h5" in reply.json["detail"]


def test_a_cookie_needs_its_csrf_token(app, member, trained):
    from api.auth import csrf_token, log_in

    def enter():
        log_in(member.token)
        return csrf_token()

    app.add_url_rule("/test/enter", "enter", enter, methods=["POST"])
    browser = Caller(app)
    token = browser.post("/test/enter").text
    assert ask(browser, trained).status_code == 403
    headers = {"X_CSRF_Token": token}
    sent = browser.send("POST", f"jobs/{trained}/predict?wait_s=0", headers=headers, **form(("a.png", PNG)))
    assert sent.status_code == 202


# ── what may be sent ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_too_large_is_refused_before_anything_is_kept(make_app, member, trained, database):
    limits = {"predict_images": 2, "predict_image_bytes": 1_000, "predict_body_bytes": 5_000}
    ada = Caller(make_app(**limits), member.token)
    small, large = ("a.png", b"x" * 1_000), ("large.png", b"x" * 1_001)
    refused = {
        "2 images came": None,
        "3 images came; one request may hold 2": form(small, small, small),
        "large.png: an image may have 1,000 bytes": form(small, large),
        "takes at most 5,000": form(("a.png", b"x" * 6_000)),
        "image: an image may have 1,000": {"data": b"x" * 1_001, "content_type": "image/png"},
    }
    for text, body in refused.items():
        if body is not None:
            reply = ask(ada, trained, **body)
            assert (reply.status_code, reply.json["code"]) == (413, "payload_too_large"), text
            assert text in reply.json["detail"]
    assert rows(database) == 0
    assert ask(ada, trained, **form(small, small)).status_code == 202


# werkzeug leaves the part that it was just writing, which lies in memory, to the garbage collector
@pytest.mark.filterwarnings("ignore:Exception ignored in.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("media_type", "begin"),
    [
        ("image/png", b""),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\n',
        ),
    ],
)
def test_a_body_that_does_not_say_its_length_is_cut_off(make_app, member, trained, database, media_type, begin):
    ada = Caller(make_app(predict_body_bytes=5_000), member.token)
    endless = io.BytesIO(begin + b"x" * 1_000_000)
    reply = ada.send(
        "POST",
        f"jobs/{trained}/predict?wait_s=0",
        headers={"Transfer_Encoding": "chunked"},
        input_stream=endless,
        content_type=media_type,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert (reply.status_code, reply.json["code"]) == (413, "payload_too_large")
    assert endless.tell() < 100_000
    assert rows(database) == 0


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/octet-stream", "image/svg+xml"])
def test_another_content_type_is_refused(ada, trained, media_type):
    reply = ask(ada, trained, data=b"{}", content_type=media_type)
    assert (reply.status_code, reply.json["code"]) == (415, "unsupported_media_type")
    assert "multipart/form-data or image/png" in reply.json["detail"]


def test_a_request_without_an_image_is_told_what_is_expected(ada, trained):
    for body, text in (
        (form(field="images"), "The form holds no file under the name `images`"),
        (form(("a.png", PNG), field="image"), "Did you mean images?"),
        ({"data": b"", "content_type": "image/png"}, "The body is empty"),
        ({"data": b"--nonsense", "content_type": "multipart/form-data; boundary=x"}, "no file under the name"),
        ({"data": b"--nonsense", "content_type": "multipart/form-data"}, "no file under the name"),
    ):
        reply = ask(ada, trained, **body)
        assert (reply.status_code, reply.json["code"]) == (400, "invalid_request"), reply.text
        assert text in reply.json["detail"]


@pytest.mark.parametrize(
    "query", ["top=0", "top=1001", "weights=worst", "invert=maybe", "wait_s=-1", "wait_s=nan", "x=1"]
)
def test_an_option_that_makes_no_sense_is_refused(ada, trained, query):
    assert ask(ada, trained, query).status_code == 400


def test_json_routes_still_take_json_alone(ada, trained):
    reply = ada.send("POST", "jobs", data=PNG, content_type="image/png")
    assert reply.status_code == 415
    assert ada.send("POST", "jobs", **form(("a.png", PNG))).status_code == 415


def test_a_person_with_many_open_questions_is_told_to_wait(make_app, member, admin, trained, database):
    app = make_app(predict_open=2)
    ada = Caller(app, member.token)
    assert [ask(ada, trained).status_code for _ in range(2)] == [202, 202]
    blobs = the_yard(app).blobs
    before = list(blobs.folder.rglob("*"))
    refused = ask(ada, trained, **form(("new.png", png(9, 9))))
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_predictions")
    assert refused.headers["Retry-After"] == "5"
    assert list(blobs.folder.rglob("*")) == before, "nothing was stored for it"
    assert ask(Caller(app, admin.token), trained).status_code == 202


def test_the_rate_limit_counts_questions(make_app, member, trained, broker_url):
    from redis import Redis

    with Redis.from_url(broker_url) as redis:
        redis.flushdb()
    ada = Caller(make_app(rate_limit="2/hour"), member.token)
    assert [ask(ada, trained).status_code for _ in range(3)] == [202, 202, 429]


def test_a_lost_bell_fails_no_question(make_app, member, trained):
    ada = Caller(make_app(redis_url=None), member.token)
    assert ask(ada, trained).status_code == 202


def test_a_forgotten_prediction_is_gone(ada, trained, database, clock):
    prediction_id = ask(ada, trained).json["id"]
    clock.advance(86_401)
    with database.write() as session:
        predictions.sweep_predictions(session, kept_s=86_400, unheard_s=2, at=clock())
    assert ada.get(f"predictions/{prediction_id}").status_code == 404


@pytest.fixture
def in_thread():
    """`in_thread(function, *arguments)`: run it beside the test; it has ended when the test has."""
    threads = []

    def start(function, *arguments):
        threads.append(threading.Thread(target=partial(function, *arguments)))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
