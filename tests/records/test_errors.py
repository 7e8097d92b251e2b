"""The tree of errors is complete, and every error can be told apart by its code."""

from __future__ import annotations

import re
from collections import Counter

from records import errors


def all_below(cls):
    """The subclasses that stand in the tree; other packages may have some of their own."""
    below = [sub for child in cls.__subclasses__() for sub in (child, *all_below(child))]
    return [sub for sub in below if sub.__module__ == errors.__name__]


EVERY = [errors.TrainyardError, *all_below(errors.TrainyardError)]


def test_every_error_has_a_code_of_its_own():
    counts = Counter(cls.code for cls in EVERY)
    assert [code for code, count in counts.items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z_]{1,50}", code) for code in counts)


def test_the_docstrings_tree_names_every_error_and_no_other():
    named = set(re.findall(r"\b[A-Z]\w+", errors.__doc__.split("TrainyardError", 1)[1]))
    words = {"HTTP", "JSON", "If", "Match"}
    assert {cls.__name__ for cls in EVERY[1:]} == named - words


def test_the_docstrings_statuses_are_those_of_the_classes():
    told = dict(re.findall(r"── (\w+) +(\d{3})\b", errors.__doc__))
    assert told == {cls.__name__: str(cls.status) for cls in all_below(errors.RequestError)}


def test_every_error_says_when_it_is_raised():
    assert [cls for cls in EVERY[1:] if not cls.__doc__.startswith("Raised when")] == []


def test_a_job_error_is_found_by_its_code_and_an_unknown_one_counts_as_recipe_failed():
    assert errors.job_error_class("disk_full") is errors.DiskFull
    assert errors.job_error_class("child_died") is errors.ChildDied
    assert errors.job_error_class("no such code") is errors.RecipeFailed
    assert errors.job_error_class("not_found") is errors.RecipeFailed  # a request error is no way for a job to end


def test_a_misspelt_name_is_answered_with_the_near_ones_else_with_all():
    assert errors.near_matches("mnits", ["mnist", "cifar10"]) == "Did you mean mnist?"
    assert errors.near_matches("zzz", ["mnist", "cifar10"]) == "Known: cifar10, mnist."
    assert errors.near_matches("zzz", []) == "None is known yet."


def test_what_came_is_cut_so_that_an_error_stays_readable():
    assert errors.shorten("a" * 80) == "a" * 80
    assert errors.shorten("a" * 81) == "a" * 80 + "… (81 characters)"
