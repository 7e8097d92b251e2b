"""What is changed when memory did not do, rung by rung."""

from __future__ import annotations

import pytest

from records.ladder import answer, next_rung
from records.thrift import Thrift

SPEC = {"on_oom": "adapt", "batch_size": 32}


def climb(batch_size: int, thrift: Thrift | None = None) -> list[Thrift]:
    thrift, rungs = thrift or Thrift(), []
    while (rung := next_rung(thrift, batch_size)) is not None:
        rungs.append(rung)
        thrift = rung
    return rungs


def test_the_rungs_of_a_batch_of_32():
    told = [(rung.micro_batch, rung.precision, rung.recompute) for rung in climb(32)]
    assert told == [
        (16, "float32", False),
        (8, "float32", False),
        (8, "mixed", False),
        (8, "mixed", True),
        (4, "mixed", True),
        (2, "mixed", True),
        (1, "mixed", True),
    ]


@pytest.mark.parametrize("batch_size", [1, 2, 7, 8, 9, 100, 128, 65_536])
def test_every_batch_comes_to_an_end_and_each_rung_changes_one_thing(batch_size):
    before = Thrift()
    for rung in climb(batch_size):
        changed = [name for name in Thrift.model_fields if getattr(rung, name) != getattr(before, name)]
        assert len(changed) == 1
        before = rung
    assert (before.micro_batch or 1, before.precision, before.recompute) == (1, "mixed", True)


def test_what_the_spec_asked_for_stays_asked_for():
    rungs = climb(32, Thrift(micro_batch=16, recompute=True))
    assert all(rung.recompute and rung.micro_batch <= 16 for rung in rungs)
    assert [rung.precision for rung in rungs[:2]] == ["float32", "mixed"]


def test_an_answer_says_what_ran_out_what_changes_and_that_the_batch_stays():
    found = answer(SPEC, [Thrift()])
    assert found.rung == Thrift(micro_batch=16)
    assert "whole batches of 32" in found.text
    assert "2 micro-batches of 16; the batch stays 32" in found.text
    assert "Batch normalisation" in found.text


def test_when_nothing_is_left_all_that_was_tried_is_told_once():
    tried = [Thrift(), *climb(32)]
    found = answer(SPEC, [tried[0], *tried])
    assert found.rung is None
    assert found.text.count("whole batches of 32") == 1
    assert "micro-batches of 16" in found.text
    assert "micro-batches of 1 (32 to a batch of 32), mixed precision, activations computed again" in found.text


@pytest.mark.parametrize("spec", [{"on_oom": "fail", "batch_size": 32}, {"kind": "export"}])
def test_who_wants_no_change_gets_none(spec):
    assert answer(spec, [Thrift()]) is None
