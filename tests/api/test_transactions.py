"""A request that reads takes one connection, and gives it back before its reply is sent."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from api.yard import the_yard


@pytest.fixture
def connections(app):
    """How often a connection was taken, a list with one item each."""
    taken = []
    engine = the_yard(app).database.engine
    event.listen(engine, "checkout", lambda *_: taken.append(1))
    return taken


def held(app):
    """How many connections are taken just now."""
    return the_yard(app).database.engine.pool.checkedout()


@pytest.mark.parametrize(
    "path", ["jobs/{}", "jobs/{}/events", "jobs/{}/metrics", "jobs/{}/logs", "jobs/{}/artifacts", "jobs", "queue"]
)
def test_a_read_takes_one_connection(app, ada, ran, connections, path):
    assert ada.get(path.format(ran)).status_code == 200
    assert len(connections) == 1
    assert held(app) == 0


@pytest.mark.parametrize(("path", "status"), [("jobs/99", 404), ("nothing", 404), ("jobs?limit=0", 400)])
def test_a_refused_read_gives_its_connection_back(app, ada, path, status):
    assert ada.get(path).status_code == status
    assert held(app) == 0


def test_a_write_holds_no_connection_of_a_read_meanwhile(app, ada, submit_noop):
    most = []
    event.listen(the_yard(app).database.engine, "checkout", lambda *_: most.append(held(app)))
    assert ada.post(f"jobs/{submit_noop()}/cancel").status_code == 200
    assert most
    assert max(most) == 1


def test_an_open_stream_holds_no_connection(app, ada, submit_noop):
    reply = ada.send("GET", f"jobs/{submit_noop()}/stream", buffered=False)
    try:
        assert next(reply.iter_encoded()).startswith(b"retry:")
        assert held(app) == 0
    finally:
        reply.close()


def test_a_job_has_the_same_etag_whether_or_not_the_request_is_conditional(ada, submit_noop):
    path = f"jobs/{submit_noop()}"
    plain, other = ada.get(path), ada.get(path, If_None_Match='"other"')
    assert plain.headers["ETag"] == other.headers["ETag"]
    assert plain.json == other.json
    assert ada.get(path, If_None_Match=plain.headers["ETag"]).status_code == 304
