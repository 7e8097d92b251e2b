"""How registered models are named."""

from __future__ import annotations

import pytest

from records.errors import InvalidRequest
from records.references import Reference, parse_reference


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("digits", Reference("digits")),
        ("digits@champion", Reference("digits", alias="champion")),
        ("digits@12", Reference("digits", number=12)),
        ("ada/digits@3", Reference("digits", "ada", number=3)),
        ("Ada L./digits_v2.1-x", Reference("digits_v2.1-x", "Ada L.")),
        ("0", Reference("0")),
    ],
)
def test_a_reference_is_read_and_written_alike(text, meant):
    assert parse_reference(text) == meant
    assert str(meant) == text


@pytest.mark.parametrize(
    "text", ["", "Digits", "digits@", "digits@0", "digits@-1", "digits@Champion", "a/b/c", "/digits", "digits@1@2",
             ".x", "digits\n", "x" * 64, "digits@" + "9" * 10]
)  # fmt: skip
def test_what_is_no_reference_is_told_how_one_looks(text):
    with pytest.raises(InvalidRequest, match="digits@champion"):
        parse_reference(text)
