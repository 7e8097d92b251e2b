"""A version that adds to another: what was there stays as it is."""

from __future__ import annotations

import pytest
from PIL import Image

from ml.intake.refusals import SetRefused
from tests.ml.intake.making import codes, file_of, mask_png, photograph, picture, png, two_classes


def refusal_of(intake, *arguments, **options):
    with pytest.raises(SetRefused) as caught:
        intake(*arguments, **options)
    return caught.value


def test_the_images_of_the_version_before_stay_as_they_are(intake):
    intake(two_classes(10))
    first, path = intake.manifest, intake.manifest_path
    report = intake(two_classes(10, first=500), parent=path)
    second = intake.manifest
    assert second.images[:20] == first.images
    assert {image.pack for image in second.images[20:]} == {"p2-0.zip"}
    assert second.images[20].file == "p2-000001.png"
    assert {path.name for path in (intake.folder / "packs").iterdir()} == {"p2-0.zip"}
    assert (report.images, report.new_images) == (40, 20)
    assert [(c.name, c.total, c.new) for c in report.classes] == [("ants", 20, 10), ("bees", 20, 10)]


def test_new_images_are_dealt_among_themselves(intake):
    intake(two_classes(10))
    report = intake(two_classes(10, first=500), parent=intake.manifest_path)
    assert [(c.train, c.val, c.test) for c in report.classes] == [(16, 2, 2), (16, 2, 2)]


def test_labels_keep_their_meaning_when_classes_come_in_between(intake):
    intake(two_classes())
    intake({"ants/new.png": png(700), "antlions/1.png": png(701), "wasps/1.png": png(702)}, parent=intake.manifest_path)
    manifest = intake.manifest
    assert manifest.classes == ("ants", "bees", "antlions", "wasps")
    assert [manifest.classes[image.label] for image in manifest.images[6:]] == ["antlions", "ants", "wasps"]


def test_an_image_that_is_there_already_is_a_duplicate_and_not_added(intake):
    intake(two_classes())
    report = intake({"ants/other-name.png": png(0), "ants/new.png": png(800)}, parent=intake.manifest_path)
    assert (report.new_images, report.dropped_duplicates) == (1, 1)
    (group,) = report.exact_duplicates.groups
    assert [(place.name, place.earlier, place.left_out) for place in group] == [
        ("ants/0.png", True, False),
        ("ants/other-name.png", False, True),
    ]


def test_nothing_new_is_refused(intake):
    intake(two_classes())
    assert refusal_of(intake, two_classes(), parent=intake.manifest_path).code == "nothing_new"


def test_an_image_that_comes_again_under_another_class_is_a_problem(intake):
    intake(two_classes())
    report = intake({"bees/x.png": png(0), "bees/new.png": png(800)}, parent=intake.manifest_path, skip_bad=True)
    assert codes(report) == {"bees/x.png": "two_labels"}
    assert "as ants/0.png" in report.problems[0].text


def test_a_copy_that_looks_like_an_old_image_goes_to_its_split(intake):
    intake({f"{label}/{n}.png": file_of(photograph(n + 30 * (label == "b"))) for n in range(10) for label in "ab"})
    parent, path = intake.manifest, intake.manifest_path
    soft = {image.name: f"{image.name[:-4]}-soft.jpg" for image in parent.images if image.name.startswith("a/")}
    report = intake(
        {new: file_of(photograph(int(old[2:-4])), "JPEG", quality=40) for old, new in soft.items()}, parent=path
    )
    splits = {image.name: image.split for image in intake.manifest.images}
    assert {splits[old] for old in soft} == {"train", "val", "test"}
    assert all(splits[old] == splits[new] for old, new in soft.items())
    assert report.near_duplicates.count == 10
    assert report.leakage.count == 0


def test_ready_made_splits_that_contradict_the_version_before_are_leakage(intake):
    files = {"train/a/1.png": file_of(photograph(1)), "train/b/2.png": file_of(photograph(2))}
    intake(files)
    copy = file_of(photograph(1), "JPEG", quality=40)
    report = intake({"test/a/copy.jpg": copy, "train/b/3.png": png(3)}, parent=intake.manifest_path)
    (group,) = report.leakage.groups
    assert [(place.name, place.split, place.earlier) for place in group] == [
        ("train/a/1.png", "train", True),
        ("test/a/copy.jpg", "test", False),
    ]


def test_a_grey_set_that_gets_colours_says_so(intake):
    intake({"a/1.png": file_of(picture(1).convert("L")), "b/2.png": file_of(picture(2).convert("L"))})
    assert intake.manifest.channels == 1
    path = intake.manifest_path
    intake({"a/3.png": png(3)}, parent=path)
    assert intake.manifest.channels == 3
    intake({"a/4.png": file_of(picture(4).convert("L"))}, parent=path)
    assert intake.manifest.channels == 1


def test_grey_images_that_join_a_set_in_colour_become_rgb(intake):
    intake(two_classes())
    intake({"ants/grey.png": file_of(picture(4).convert("L"))}, parent=intake.manifest_path)
    assert intake.manifest.channels == 3
    assert intake.stored(intake.manifest.images[-1].file).mode == "RGB"


def test_masks_keep_the_class_numbers_of_the_version_before(intake):
    mask = Image.new("L", (64, 48), 1)
    mask.paste(2, (0, 0, 20, 48))
    files = {"images/1.png": png(1), "masks/1.png": file_of(mask), "classes.txt": b"background\ncell\nwall\n"}
    intake(files, task="segmentation")
    again = {"images/2.png": png(2), "masks/2.png": file_of(mask), "classes.txt": b"sky\nwall\nbackground\n"}
    report = intake(again, task="segmentation", parent=intake.manifest_path)
    assert intake.manifest.classes == ("background", "cell", "wall", "sky")
    stored = intake.stored(intake.manifest.images[1].mask)
    assert stored.getpixel((5, 5)) == 0
    assert stored.getpixel((60, 5)) == 2
    assert (report.images, report.new_images) == (2, 1)


def test_a_set_for_another_task_is_refused(intake):
    intake(two_classes())
    files = {"images/1.png": png(1), "masks/1.png": mask_png([[0] * 64] * 48)}
    assert refusal_of(intake, files, task="segmentation", parent=intake.manifest_path).code == "other_task"


def test_a_manifest_that_is_none_is_no_fault_of_the_upload(intake, tmp_path):
    (tmp_path / "manifest.json").write_text('{"form": 7}')
    with pytest.raises(ValueError, match="Expected a manifest"):
        intake(two_classes(), parent=tmp_path / "manifest.json")
