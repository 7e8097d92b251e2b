"""What a predictor holds, and what leaves."""

from __future__ import annotations

import gc
import weakref

import pytest

from ml.predicting.shelf import Shelf


class Thing:
    """Something that holds itself in a circle, as models do."""

    def __init__(self):
        self.myself = self


def _never():
    raise AssertionError("it is held already")


def test_what_is_held_is_not_made_again():
    shelf = Shelf(2)
    made = shelf.take("a", Thing)
    assert shelf.take("a", _never) is made


def test_the_one_that_was_asked_for_longest_ago_leaves():
    shelf = Shelf(2)
    for key in ("a", "b"):
        shelf.take(key, Thing)
    shelf.take("a", _never)
    shelf.take("c", Thing)
    assert shelf.keys == ("a", "c")


def test_what_leaves_is_gone_before_the_new_one_is_made():
    shelf = Shelf(1)
    left = weakref.ref(shelf.take("a", Thing))
    gc.disable()
    try:
        shelf.take("b", lambda: left())
    finally:
        gc.enable()
    assert shelf.take("b", _never) is None, "the first one was still there when the second was made"


def test_what_could_not_be_made_is_not_held():
    shelf = Shelf(2)
    with pytest.raises(AssertionError):
        shelf.take("a", _never)
    assert shelf.keys == ()
