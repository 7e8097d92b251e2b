"""What an archive means, by its folders or by a CSV."""

from __future__ import annotations

import pytest

from ml.intake.class_layout import find_class_layout
from ml.intake.gathering import GatheredFile
from ml.intake.problems import Problems
from ml.intake.refusals import SetRefused
from records.intake import IntakeOptions


@pytest.fixture
def layout_of(spool):
    """`layout_of(names, {csv name: text}, **options)`: name, label and split of each sample, and the problems."""

    def find(names, tables=None, **options):
        files = [GatheredFile(name, spool.add(b"x"), b"") for name in names]
        for name, text in (tables or {}).items():
            files.append(GatheredFile(name, spool.add(text if isinstance(text, bytes) else text.encode()), b""))
        problems = Problems()
        layout = find_class_layout(sorted(files, key=lambda file: file.name), IntakeOptions(**options), problems)
        find.ready_made = layout.ready_made_splits
        find.used = [file.name for file in layout.used]
        find.problems = {problem.name: problem.code for problem in problems.listed()}
        return {sample.name: (sample.label, sample.split) for sample in layout.samples}

    return find


def refusal_of(layout_of, *arguments, **options):
    with pytest.raises(SetRefused) as caught:
        layout_of(*arguments, **options)
    return caught.value


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_a_class(layout_of):
    assert layout_of(["ants/1.jpg", "bees/1.jpg", "bees/2.jpg"]) == {
        "ants/1.jpg": ("ants", None),
        "bees/1.jpg": ("bees", None),
        "bees/2.jpg": ("bees", None),
    }
    assert not layout_of.ready_made


@pytest.mark.parametrize("top", ["photos/", "photos/2026/", "a/b/c/"])
def test_folders_around_everything_do_not_count(layout_of, top):
    assert layout_of([f"{top}ants/1.jpg", f"{top}bees/1.jpg"]) == {
        "ants/1.jpg": ("ants", None),
        "bees/1.jpg": ("bees", None),
    }


def test_folders_within_a_class_do_not_count(layout_of):
    assert layout_of(["ants/red/big/1.jpg", "bees/1.jpg"])["ants/red/big/1.jpg"] == ("ants", None)


def test_a_single_class_in_its_folder(layout_of):
    assert layout_of(["ants/1.jpg", "ants/2.jpg"])["ants/1.jpg"] == ("ants", None)
    assert layout_of(["new/ants/1.jpg", "new/ants/2.jpg"]) == {
        "ants/1.jpg": ("ants", None),
        "ants/2.jpg": ("ants", None),
    }


@pytest.mark.parametrize("top", ["", "set/"])
def test_ready_made_splits(layout_of, top):
    names = ["train/ants/1.jpg", "train/bees/1.jpg", "valid/ants/2.jpg", "Validation/bees/3.jpg", "test/ants/4.jpg"]
    assert layout_of([top + name for name in names]) == {
        "train/ants/1.jpg": ("ants", "train"),
        "train/bees/1.jpg": ("bees", "train"),
        "valid/ants/2.jpg": ("ants", "val"),
        "Validation/bees/3.jpg": ("bees", "val"),
        "test/ants/4.jpg": ("ants", "test"),
    }
    assert layout_of.ready_made


def test_a_train_folder_alone_is_a_ready_made_split(layout_of):
    assert layout_of(["train/ants/1.jpg", "train/bees/1.jpg"])["train/ants/1.jpg"] == ("ants", "train")


def test_a_class_may_be_called_test_where_there_is_no_train_folder(layout_of):
    assert layout_of(["test/1.jpg", "field/1.jpg"])["test/1.jpg"] == ("test", None)


def test_images_beside_the_class_folders_are_problems(layout_of):
    samples = layout_of(["ants/1.jpg", "bees/1.jpg", "stray.jpg"])
    assert set(samples) == {"ants/1.jpg", "bees/1.jpg"}
    assert layout_of.problems == {"stray.jpg": "outside_layout"}


def test_a_stray_image_does_not_make_the_folder_around_everything_a_class(layout_of):
    samples = layout_of(["set/ants/1.jpg", "set/bees/1.jpg", "set/stray.jpg"])
    assert samples == {"ants/1.jpg": ("ants", None), "bees/1.jpg": ("bees", None)}
    assert layout_of.problems == {"stray.jpg": "outside_layout"}


def test_images_outside_of_ready_made_splits_are_problems(layout_of):
    layout_of(["train/ants/1.jpg", "val/ants/2.jpg", "extra/ants/3.jpg", "train/4.jpg"])
    assert layout_of.problems == {"extra/ants/3.jpg": "outside_layout", "train/4.jpg": "outside_layout"}


def test_a_class_name_is_cut_to_no_length_it_is_a_problem(layout_of):
    layout_of(["ants/1.jpg", "b" * 101 + "/1.jpg"])
    assert list(layout_of.problems.values()) == ["bad_label"]


def test_flat_images_without_labels_are_refused(layout_of):
    assert refusal_of(layout_of, ["1.jpg", "2.jpg"]).code == "no_labels"


def test_no_images_are_refused(layout_of):
    assert refusal_of(layout_of, [], {"labels.csv": "file,label\n1.jpg,ants\n"}).code == "no_images"


def test_a_folder_an_image_is_refused(layout_of):
    assert refusal_of(layout_of, [f"{n}/1.jpg" for n in range(10_001)]).code == "too_many_classes"


# ── a CSV ────────────────────────────────────────────────────────────────────────────────────────────────────

TABLE = "file,label\n1.jpg,ants\n2.jpg,bees\n"


@pytest.mark.parametrize(
    ("images", "table"),
    [
        (["1.jpg", "2.jpg"], "labels.csv"),
        (["images/1.jpg", "images/2.jpg"], "labels.csv"),
        (["set/images/1.jpg", "set/images/2.jpg"], "set/labels.csv"),
        (["set/1.jpg", "set/2.jpg"], "set/labels.csv"),
    ],
)
def test_a_csv_beside_flat_images_is_found(layout_of, images, table):
    samples = layout_of(images, {table: TABLE})
    assert [label for label, _ in samples.values()] == ["ants", "bees"]
    assert not any(name.startswith("set/") for name in samples)
    assert layout_of.used == [table]
    assert layout_of.problems == {}


@pytest.mark.parametrize(
    "text",
    [
        "\ufefffile,label\n1.jpg,ants\n2.jpg,bees\n",
        "file;label\n1.jpg;ants\n2.jpg;bees\n",
        "file\tlabel\r\n1.jpg\tants\r\n\r\n2.jpg\tbees\r\n",
        'Label , "File"\nants,1.jpg\nbees,"2.jpg"\n',
        "file,label,note\n./1.jpg,ants,x\n2.jpg, bees ,y\n1.jpg,ants,again\n",
    ],
    ids=["byte order mark", "semicolons", "tabs", "other order", "more columns"],
)
def test_a_csv_may_be_written_in_many_ways(layout_of, text):
    assert [label for label, _ in layout_of(["1.jpg", "2.jpg"], {"l.csv": text}).values()] == ["ants", "bees"]
    assert layout_of.problems == {}


def test_a_csv_may_give_the_splits(layout_of):
    text = "file,label,split\n1.jpg,ants,train\n2.jpg,ants,Validation\n3.jpg,ants,dev\n"
    assert layout_of(["1.jpg", "2.jpg", "3.jpg"], {"l.csv": text}) == {
        "1.jpg": ("ants", "train"),
        "2.jpg": ("ants", "val"),
    }
    assert layout_of.ready_made
    assert layout_of.problems == {"3.jpg": "split_unknown"}


def test_rows_and_files_that_do_not_meet_are_problems(layout_of):
    text = TABLE + "3.jpg,ants\n"
    layout_of(["1.jpg", "2.jpg", "4.jpg"], {"l.csv": text})
    assert layout_of.problems == {"3.jpg": "label_without_file", "4.jpg": "file_without_label"}


def test_rows_that_contradict_each_other_are_a_problem(layout_of):
    layout_of(["1.jpg", "2.jpg"], {"l.csv": TABLE + "1.jpg,bees\n"})
    assert layout_of.problems == {"1.jpg": "two_labels"}


@pytest.mark.parametrize("label", ["", "a" * 101, "an\x07ts"])
def test_a_label_that_can_be_no_class_is_a_problem(layout_of, label):
    layout_of(["1.jpg", "2.jpg"], {"l.csv": f"file,label\n1.jpg,{label}\n2.jpg,bees\n"})
    assert layout_of.problems == {"1.jpg": "bad_label"}


def test_names_meet_whatever_their_unicode_form(layout_of):
    assert layout_of(["ä.jpg"], {"l.csv": "file,label\na\u0308.jpg,ants\n"}) == {"ä.jpg": ("ants", None)}


def test_a_named_csv_counts_instead_of_folders(layout_of):
    samples = layout_of(
        ["set/part1/1.jpg", "set/part2/2.jpg"],
        {"set/meta/labels.csv": "file,label\nset/part1/1.jpg,ants\n2.jpg,bees\n", "set/other.csv": TABLE},
        labels="labels.csv",
    )
    assert samples == {"part1/1.jpg": ("ants", None), "part2/2.jpg": ("bees", None)}


def test_a_csv_beside_class_folders_is_not_looked_at(layout_of):
    assert layout_of(["ants/1.jpg", "bees/2.jpg"], {"l.csv": TABLE})["ants/1.jpg"] == ("ants", None)


def test_a_bare_name_that_two_images_have_is_found_in_neither(layout_of):
    layout_of(["a/1.jpg", "b/1.jpg"], {"l.csv": "file,label\n1.jpg,ants\n"}, labels="l.csv")
    assert set(layout_of.problems.values()) == {"label_without_file", "file_without_label"}


def test_a_csv_that_is_named_but_not_there_is_refused(layout_of):
    refused = refusal_of(layout_of, ["1.jpg"], {"other.csv": TABLE}, labels="labels.csv")
    assert refused.code == "labels_missing"
    assert "other.csv" in refused.text


def test_several_tables_that_would_do_are_refused(layout_of):
    assert refusal_of(layout_of, ["1.jpg"], {"a.csv": TABLE, "b.csv": TABLE}).code == "labels_ambiguous"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,class\n1.jpg,ants\n", "got name, class"),
        ("", "an empty line"),
        ("file,label\n1.jpg\n", "line 2 has 1 cells"),
        (b"file,label\n\xff.jpg,ants\n", "not in UTF-8"),
        ('file,label\n"1.jpg,ants\n', "cannot be read"),
        ("file,label\n1.jpg," + "x" * 200_000 + "\n", "cannot be read"),
    ],
    ids=["columns", "empty", "cells", "encoding", "quote", "huge cell"],
)
def test_a_named_csv_that_cannot_be_read_is_refused(layout_of, text, said):
    refused = refusal_of(layout_of, ["1.jpg"], {"l.csv": text}, labels="l.csv")
    assert refused.code == "labels_unreadable"
    assert said in refused.text
