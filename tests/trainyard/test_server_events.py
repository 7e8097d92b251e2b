"""Reading server-sent events."""

from __future__ import annotations

from trainyard.server_events import ServerEvent, parse_stream


def test_an_event_is_its_name_data_and_id() -> None:
    lines = ["id: 7", "event: job", 'data: {"id": 1}', ""]
    assert list(parse_stream(lines)) == [ServerEvent("job", '{"id": 1}', "7")]


def test_several_data_lines_are_joined_and_a_name_does_not_last() -> None:
    lines = ["event: a", "data: one", "data:two", "", "data: three", ""]
    assert list(parse_stream(lines)) == [ServerEvent("a", "one\ntwo", ""), ServerEvent("message", "three", "")]


def test_the_last_id_lasts_and_comments_are_silent() -> None:
    lines = ["id: 3", "data: x", "", ": still here", "", "data: y", ""]
    assert [e.id for e in parse_stream(lines)] == ["3", "3"]


def test_an_event_that_was_cut_off_does_not_count() -> None:
    assert list(parse_stream(["event: job", "data: {"])) == []
