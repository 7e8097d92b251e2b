"""What entries may be called."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ml.intake.archives.names import LONGEST_SHOWN, clean_name, shown
from ml.intake.refusals import FileProblem

ZIP = ("utf-8", "cp437")


def code_of(name, encodings=("utf-8",)):
    with pytest.raises(FileProblem) as caught:
        clean_name(name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass"), encodings)
    return caught.value.code


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("ants/1.jpg", "ants/1.jpg"),
        ("./ants//1.jpg", "ants/1.jpg"),
        ("ants\\1.jpg", "ants/1.jpg"),
        ("ants/", "ants"),
        ("a..b/..c/d..", "a..b/..c/d.."),
        ("ameisen/Ä ö.jpg", "ameisen/Ä ö.jpg"),
        ("蚂蚁/一.jpg", "蚂蚁/一.jpg"),
        ("🐜/🐝.png", "🐜/🐝.png"),
    ],
)
def test_plain_names_are_kept_as_they_are(raw, path):
    name = clean_name(raw.encode(), ("utf-8",))
    assert (name.path, name.odd) == (path, None)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("/etc/passwd", "unsafe_name"),
        ("\\windows\\win.ini", "unsafe_name"),
        ("C:\\windows\\win.ini", "unsafe_name"),
        ("c:ants.jpg", "unsafe_name"),
        ("../ants.jpg", "unsafe_name"),
        ("ants/../../1.jpg", "unsafe_name"),
        ("ants\\..\\..\\1.jpg", "unsafe_name"),
        ("ants/..", "unsafe_name"),
        ("ants/\0.jpg", "bad_name"),
        ("ants/\x1b[31m.jpg", "bad_name"),
        ("ants/a\nb.jpg", "bad_name"),
        ("ants/\x85.jpg", "bad_name"),
        ("ants/gpj\u202e.exe", "bad_name"),
        ("a" * 256 + ".jpg", "bad_name"),
        ("a/" * 20 + "1.jpg", "bad_name"),
        (("a" * 200 + "/") * 5 + "1.jpg", "bad_name"),
        (b"ants/\xff\xfe.jpg", "bad_name"),
        (b"ants/\xed\xa0\x80.jpg", "bad_name"),
    ],
)
def test_names_that_lead_astray_are_refused(raw, code):
    assert code_of(raw) == code


@pytest.mark.parametrize(
    ("raw", "path", "odd"),
    [
        ("Ameisen/A\u0308.jpg".encode(), "Ameisen/Ä.jpg", "normal form C"),
        ("ants/a\u200bb.jpg".encode(), "ants/a\u200bb.jpg", "cannot be seen"),
        ("ants/\ue000.jpg".encode(), "ants/\ue000.jpg", "cannot be seen"),
        (b"ants/\x84.jpg", "ants/ä.jpg", "cp437"),
    ],
    ids=["decomposed", "zero width", "private use", "cp437"],
)
def test_odd_names_are_accepted_and_named(raw, path, odd):
    name = clean_name(raw, ZIP)
    assert name.path == path
    assert odd in name.odd


@given(st.binary(max_size=300))
@example(b"..\\..")
@example("A\u030a/../x".encode())
def test_whatever_comes_is_refused_or_ends_relative_plain_and_normal(raw):
    try:
        path = clean_name(raw, ZIP).path
    except FileProblem:
        return
    assert not path.startswith("/")
    assert "\\" not in path
    assert not {"", ".", ".."} & set(path.split("/")) or path == ""
    assert unicodedata.is_normalized("NFC", path)
    assert not any(unicodedata.category(character) == "Cc" for character in path)
    path.encode("utf-8")


@given(st.text(max_size=60))
def test_a_clean_name_stays_what_it_is_when_cleaned_again(text):
    raw = text.encode("utf-8", "surrogatepass")
    try:
        path = clean_name(raw, ZIP).path
    except FileProblem:
        return
    assert clean_name(path.encode(), ZIP).path == path


@given(st.one_of(st.binary(max_size=3000), st.text(max_size=3000)))
def test_whatever_is_shown_is_short_and_can_be_printed(raw):
    text = shown(raw)
    assert len(text) <= LONGEST_SHOWN
    assert all(character.isprintable() for character in text)
    text.encode("utf-8")


def test_names_are_shown_with_escapes_for_what_cannot_be_seen():
    assert shown(b"a\xff\x1b[0m\n") == "a\\xff\\x1b[0m\\n"
    assert shown("gpj\u202e.exe") == "gpj\\u202e.exe"
    assert shown("Ä 蚂.jpg") == "Ä 蚂.jpg"
