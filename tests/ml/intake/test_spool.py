"""A spool keeps content without a name, and leaves nothing behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ml.intake.spool import Spool


def test_what_was_kept_is_read_back(spool):
    pieces = [spool.add(b"first"), spool.add(b""), spool.add_parts([b"th", b"", b"ird"]), spool.add(bytes(1_000_000))]
    assert [piece.read() for piece in pieces] == [b"first", b"", b"third", bytes(1_000_000)]


def test_content_that_breaks_off_is_not_kept(spool):
    def parts():
        yield b"lost"
        raise ValueError("no more")

    before = spool.add(b"before")
    with pytest.raises(ValueError, match="no more"):
        spool.add_parts(parts())
    after = spool.add(b"after")
    assert (before.read(), after.read(), after.offset) == (b"before", b"after", len(b"before"))


def test_many_threads_may_add_and_read(spool):
    contents = [bytes([number % 256]) * (number * 37) for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        pieces = list(threads.map(spool.add, contents))
        assert list(threads.map(lambda piece: piece.read(), pieces)) == contents


def test_a_spool_has_no_name_and_gives_its_room_back(tmp_path):
    with Spool(tmp_path) as spool:
        piece = spool.add(b"content")
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="closed"):
        piece.read()
