"""Images and their masks, by name; and what the masks' values mean."""

from __future__ import annotations

import pytest

from ml.intake.gathering import GatheredFile
from ml.intake.mask_layout import find_mask_layout
from ml.intake.mask_values import name_mask_values
from ml.intake.problems import Problems
from ml.intake.refusals import FileProblem, SetRefused


@pytest.fixture
def layout_of(spool):
    """`layout_of(names, classes=text)`: split and mask of each image, by name; and the problems."""

    def find(names, classes=None, classes_name="classes.txt"):
        files = [GatheredFile(name, spool.add(b"x"), b"") for name in names]
        if classes is not None:
            content = classes if isinstance(classes, bytes) else classes.encode()
            files.append(GatheredFile(classes_name, spool.add(content), b""))
        problems = Problems()
        layout = find_mask_layout(files, problems)
        find.value_names = layout.value_names
        find.ready_made = layout.ready_made_splits
        find.problems = {problem.name: problem.code for problem in problems.listed()}
        return {sample.name: (sample.split, sample.mask_name) for sample in layout.samples}

    return find


def refusal_of(layout_of, *arguments, **options):
    with pytest.raises(SetRefused) as caught:
        layout_of(*arguments, **options)
    return caught.value


@pytest.mark.parametrize("top", ["", "cells/", "a/b/"])
def test_images_and_masks_meet_by_their_stems(layout_of, top):
    names = ["images/1.jpg", "images/deep/2.v2.png", "masks/1.png", "masks/deep/2.v2.png"]
    assert layout_of([top + name for name in names]) == {
        "images/1.jpg": (None, "masks/1.png"),
        "images/deep/2.v2.png": (None, "masks/deep/2.v2.png"),
    }
    assert layout_of.problems == {}


def test_ready_made_splits(layout_of):
    names = ["train/images/1.jpg", "train/masks/1.png", "Val/Images/1.jpg", "Val/Masks/1.png"]
    assert layout_of([f"set/{name}" for name in names]) == {
        "train/images/1.jpg": ("train", "train/masks/1.png"),
        "Val/Images/1.jpg": ("val", "Val/Masks/1.png"),
    }
    assert layout_of.ready_made


def test_a_mask_is_not_borrowed_from_another_split(layout_of):
    layout_of(["train/images/1.jpg", "train/masks/1.png", "train/images/2.jpg", "val/masks/2.png"])
    assert layout_of.problems == {"train/images/2.jpg": "mask_missing", "val/masks/2.png": "image_missing"}


def test_what_has_no_partner_or_two_is_a_problem(layout_of):
    names = [
        "images/1.jpg",
        "masks/1.png",
        "images/2.jpg",
        "masks/3.png",
        "images/4.jpg",
        "images/4.png",
        "masks/4.png",
    ]
    assert set(layout_of([*names, "extra/5.jpg", "6.jpg"])) == {"images/1.jpg"}
    assert layout_of.problems == {
        "images/2.jpg": "mask_missing",
        "masks/3.png": "image_missing",
        "images/4.jpg": "same_stem",
        "images/4.png": "same_stem",
        "masks/4.png": "same_stem",
        "extra/5.jpg": "outside_layout",
        "6.jpg": "outside_layout",
    }


@pytest.mark.parametrize("names", [[], ["ants/1.jpg"], ["images/1.jpg"], ["masks/1.png"], ["1.jpg"]])
def test_a_set_without_both_folders_is_refused(layout_of, names):
    assert refusal_of(layout_of, names).code == "no_masks"


PAIR = ["images/1.jpg", "masks/1.png"]


@pytest.mark.parametrize("name", ["classes.txt", "masks/classes.txt", "Classes.TXT"])
def test_class_names_are_read_a_line_a_value(layout_of, name):
    layout_of(PAIR, "\ufeffbackground\r\n cell wall \r\nÄ\r\n\r\n", name)
    assert layout_of.value_names == ("background", "cell wall", "Ä")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 classes"),
        ("a\n\nb", "1 to 100 characters"),
        ("a\na", "a twice"),
        ("ignore\nunlabelled", "every class in it is ignored"),
        ("\n".join(map(str, range(257))), "257 classes"),
        (b"\xff", "not in UTF-8"),
        ("a" * 101, "1 to 100 characters"),
        ("a\n" * 60_000, "120,000 bytes"),
    ],
    ids=["empty", "gap", "twice", "ignored", "many", "encoding", "long", "large"],
)
def test_class_names_that_make_no_sense_are_refused(layout_of, text, said):
    refused = refusal_of(layout_of, PAIR, text)
    assert refused.code == "classes_unreadable"
    assert said in refused.text


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_named_values_are_classes_in_their_order():
    values = name_mask_values({0, 2}, ["background", "cell", "wall"])
    assert values.classes == ("background", "cell", "wall")
    assert values.table(values.classes)[:4] == [0, 1, 2, 255]
    values.check({0: 5, 2: 1, 255: 9})


def test_an_ignored_name_leaves_no_gap_in_the_classes():
    values = name_mask_values({0, 1, 2}, ["Unlabelled", "cell", "wall"])
    assert values.classes == ("cell", "wall")
    assert values.table(values.classes)[:4] == [255, 0, 1, 255]


def test_classes_of_the_version_before_keep_their_numbers():
    values = name_mask_values({0, 1}, ["wall", "cell"])
    assert values.table(["background", "cell", "wall"])[:3] == [2, 1, 255]


def test_unknown_values_are_named():
    values = name_mask_values({0, 1, 7, 9}, ["background", "cell"])
    with pytest.raises(FileProblem, match=r"the values 7, 9; classes.txt names 0 to 1") as caught:
        values.check({0: 5, 7: 1, 9: 1})
    assert caught.value.code == "mask_value"
    with pytest.raises(FileProblem, match="the value 7;"):
        values.check({7: 1})


def test_masks_that_are_all_ignored_are_a_problem():
    values = name_mask_values({0, 1, 255}, ["ignore", "cell", "wall"])
    with pytest.raises(FileProblem, match="belongs to no class") as caught:
        values.check({0: 5, 255: 3})
    assert caught.value.code == "mask_all_ignored"
    values.check({0: 5, 1: 1})


def test_black_and_white_masks_are_background_and_object():
    values = name_mask_values({0, 255}, None)
    assert values.classes == ("background", "object")
    assert (values.table(values.classes)[0], values.table(values.classes)[255]) == (0, 1)


def test_black_and_white_masks_follow_two_names():
    values = name_mask_values({0, 255}, ["dark", "nucleus"])
    assert values.table(values.classes)[255] == 1
    ignoring = name_mask_values({0, 255}, ["unlabelled", "nucleus"])
    assert ignoring.classes == ("nucleus",)
    assert (ignoring.table(ignoring.classes)[0], ignoring.table(ignoring.classes)[255]) == (255, 0)


def test_255_is_ignored_where_other_values_are_classes():
    values = name_mask_values({0, 1, 255}, ["background", "cell"])
    assert values.table(values.classes)[255] == 255
    unnamed = name_mask_values({0, 3, 255}, None)
    assert unnamed.classes == ("value 0", "value 3")
    assert unnamed.table(unnamed.classes)[255] == 255


def test_255_can_be_named():
    names = [f"c{number}" for number in range(256)]
    assert name_mask_values({0, 1, 255}, names).names[255] == "c255"


def test_masks_that_were_photographs_are_refused():
    with pytest.raises(SetRefused, match="65 different values") as caught:
        name_mask_values(range(65), None)
    assert caught.value.code == "mask_values_many"
    assert len(name_mask_values(range(64), None).classes) == 64
    assert len(name_mask_values(range(200), [f"c{number}" for number in range(200)]).classes) == 200
