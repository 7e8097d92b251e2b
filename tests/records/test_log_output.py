"""Logs as JSON: one object a line, fields from the call's template, nothing that a value could forge."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from records.log_output import JsonLines


def line(template, *args, facts=dict, exc_info=None):
    record = logging.LogRecord("trainyard.test", logging.WARNING, __file__, 1, template, args, exc_info)
    written = JsonLines(facts).format(record)
    assert "\n" not in written
    return json.loads(written)


def test_the_fields_of_a_call_are_fields_of_the_object():
    found = line("attempt.claimed job_id=%s attempt=%d ms=%.1f name=%s", 7, 2, 3.25, "a b=c")
    assert found["event"] == "attempt.claimed"
    assert (found["job_id"], found["attempt"], found["ms"], found["name"]) == (7, 2, 3.25, "a b=c")
    assert found["text"] == "attempt.claimed job_id=7 attempt=2 ms=3.2 name=a b=c"
    assert (found["level"], found["logger"]) == ("warning", "trainyard.test")
    assert found["at"].endswith("+00:00")


def test_an_event_that_is_itself_an_argument_and_percent_signs_shift_nothing():
    found = line("%s 100%% job_id=%s attempt=%s %s", "attempt.ended", 7, 2, "outcome=failed")
    assert (found["event"], found["job_id"], found["attempt"]) == ("attempt.ended", 7, 2)
    assert "outcome" not in found


def test_a_value_cannot_pose_as_another_field_or_line():
    found = line("bell.lost error=%s", 'x" job_id=9\n{"level": "info"}')
    assert "job_id" not in found
    assert (found["level"], found["error"]) == ("warning", 'x" job_id=9\n{"level": "info"}')


def test_values_that_json_does_not_know_become_text():
    assert line("house.expired jobs=%s error=%r", [1, 2], ValueError("no"))["jobs"] == "[1, 2]"


def test_what_the_moment_tells_is_added_and_the_call_wins():
    facts = {"request_id": "r1", "job_id": 1}
    found = line("a.b job_id=%s", 2, facts=lambda: facts)
    assert (found["request_id"], found["job_id"]) == ("r1", 2)


def test_other_peoples_messages_are_text_without_an_event():
    found = line("Connection pool is full: %(pool)s", {"pool": "p"})
    assert "event" not in found
    assert found["text"] == "Connection pool is full: p"


def test_a_traceback_stays_within_the_line():
    try:
        raise ValueError("broken")
    except ValueError:
        found = line("request.crashed request_id=%s", "r2", exc_info=sys.exc_info())
    assert found["request_id"] == "r2"
    assert found["traceback"].splitlines()[-1] == "ValueError: broken"


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_process_writes_in_the_form_that_it_was_asked_for(form):
    code = f"""
import logging
from records.log_output import set_up_logging
set_up_logging({form!r})
logging.getLogger("x").info("worker.online name=%s", "w1")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if form == "json":
        assert json.loads(run.stderr)["name"] == "w1"
    else:
        assert run.stderr.endswith(" INFO x worker.online name=w1\n")
