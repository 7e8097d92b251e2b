"""A whole set goes in: what is stored, what the manifest and the report say, what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from ml.intake import packs, reading
from ml.intake.refusals import SetRefused
from tests.ml.intake.making import (
    BAD_DECODER,
    codes,
    file_of,
    jpeg,
    mask_png,
    photograph,
    picture,
    png,
    two_classes,
    write_folder,
    write_tar,
    write_zip,
)


def refusal_of(intake, *arguments, **options):
    with pytest.raises(SetRefused) as caught:
        intake(*arguments, **options)
    return caught.value


# ── what is stored ───────────────────────────────────────────────────────────────────────────────────────────


def test_every_image_is_stored_and_named_with_its_class_size_and_hash(intake):
    files = {"ants/1.png": png(1, 40, 30), "ants/2.jpg": jpeg(2, 50, 60), "bees/3.png": png(3, 64, 64)}
    intake(files)
    manifest = intake.manifest
    assert (manifest.task, manifest.classes, manifest.channels) == ("classification", ("ants", "bees"), 3)
    found = [(i.name, i.file, i.label, i.width, i.height, i.mask) for i in manifest.images]
    assert found == [
        ("ants/1.png", "p1-000001.png", 0, 40, 30, None),
        ("ants/2.jpg", "p1-000002.jpg", 0, 50, 60, None),
        ("bees/3.png", "p1-000003.png", 1, 64, 64, None),
    ]
    for image in manifest.images:
        data = intake.stored_bytes(image.file)
        assert hashlib.sha256(data).hexdigest() == image.sha256
        assert Image.open(io.BytesIO(data)).size == (image.width, image.height)


def test_lossless_images_are_stored_pixel_for_pixel_and_photographs_nearly_so(intake):
    intake({"a/1.png": png(1), "a/2.bmp": file_of(picture(2), "BMP"), "b/3.jpg": jpeg(3)})
    first, second, third = (intake.stored(image.file) for image in intake.manifest.images)
    assert np.array_equal(np.asarray(first), np.asarray(picture(1)))
    assert np.array_equal(np.asarray(second), np.asarray(picture(2)))
    came = np.asarray(Image.open(io.BytesIO(jpeg(3))), np.int16)
    assert np.abs(np.asarray(third, np.int16) - came).mean() < 2
    assert third.format == "JPEG"
    assert third.layer[0][1:3] == third.layer[1][1:3] == (1, 1), "colours at full resolution"


def test_images_are_shrunk_to_the_longest_side_that_was_asked_for(intake):
    report = intake({"a/1.png": png(1, 200, 100), "b/2.png": png(2, 60, 64)}, longest_px=64)
    assert [(image.width, image.height) for image in intake.manifest.images] == [(64, 32), (60, 64)]
    assert report.conversions.shrunk == 1
    assert (report.sizes.width.min, report.sizes.width.median, report.sizes.width.max) == (60, 130, 200)
    assert (report.sizes.height.min, report.sizes.height.max) == (64, 100)


def test_without_a_longest_side_sizes_are_kept(intake):
    intake({"a/1.png": png(1, 1500, 8), "b/2.png": png(2)}, longest_px=None)
    assert intake.manifest.images[0].width == 1500


def test_a_set_that_is_all_grey_stays_grey(intake):
    grey = {f"{name}/1.{end}": file_of(picture(n).convert("L"), form) for n, (name, end, form) in enumerate(GREY)}
    report = intake(grey)
    assert report.channels == intake.manifest.channels == 1
    assert {intake.stored(image.file).mode for image in intake.manifest.images} == {"L"}
    assert {image.file[-3:] for image in intake.manifest.images} == {"png"}


GREY = (("a", "png", "PNG"), ("b", "jpg", "JPEG"), ("c", "tif", "TIFF"))


def test_grey_images_among_others_become_rgb(intake):
    grey = {f"{name}/1.{end}": file_of(picture(n).convert("L"), form) for n, (name, end, form) in enumerate(GREY)}
    report = intake({**grey, "d/1.png": png(9)})
    assert report.channels == 3
    assert report.conversions.grey_to_rgb == 3
    assert {intake.stored(image.file).mode for image in intake.manifest.images} == {"RGB"}
    assert [image.file[-3:] for image in intake.manifest.images] == ["png", "jpg", "png", "png"]
    for image in intake.manifest.images:
        assert hashlib.sha256(intake.stored_bytes(image.file)).hexdigest() == image.sha256


def test_conversions_and_formats_are_counted(intake):
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "a/1.jpg": jpeg(1, exif=exif),
        "a/2.tif": file_of(picture(2).convert("CMYK"), "TIFF"),
        "a/3.png": file_of(picture(3).convert("RGBA").rotate(10)),
        "a/4.gif": file_of(picture(4), "GIF", save_all=True, append_images=[picture(5)]),
        "b/5.png": file_of(Image.fromarray(np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 20)),
        "b/6.webp": file_of(picture(6), "WEBP"),
        "b/7.bmp": file_of(picture(7), "BMP"),
    }
    report = intake(files)
    done = report.conversions
    assert (done.turned, done.from_cmyk, done.flattened, done.first_frame, done.from_palette) == (1, 1, 1, 1, 1)
    assert (done.from_16_bit, done.grey_to_rgb, done.shrunk, done.to_srgb) == (1, 1, 0, 0)
    assert report.formats == {"BMP": 1, "GIF": 1, "JPEG": 1, "PNG": 2, "TIFF": 1, "WebP": 1}


def test_nothing_but_the_results_is_left_behind(intake):
    intake(two_classes())
    assert {path.name for path in intake.folder.iterdir()} == {
        "manifest.json",
        "packs",
        "report.json",
        "sheet.png",
        "sheets",
    }


# ── determinism ──────────────────────────────────────────────────────────────────────────────────────────────


def everything(intake):
    return {
        str(path.relative_to(intake.folder)): path.read_bytes().replace(b"p1-", b"P-").replace(b"p2-", b"P-")
        for path in sorted(intake.folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_images_give_the_same_bytes_however_they_are_packed(intake, tmp_path):
    files = two_classes(8)
    intake(files)
    first = {name.replace("p1-", "P-"): data for name, data in everything(intake).items()}
    reordered = {f"set/{name}": files[name] for name in reversed(files)}
    intake(write_tar(tmp_path / "a.tgz", reordered, "w:gz"), limits={"processes": 2})
    second = {name.replace("p2-", "P-"): data for name, data in everything(intake).items()}
    assert {"manifest.json", "packs/P-0.zip", "sheet.png", "sheets/0.png"} <= first.keys()
    for data in (first, second):
        data.pop("report.json")  # it counts the entries of the archive
    assert first == second


def test_a_folder_goes_in_like_an_archive(intake, tmp_path):
    report = intake(write_folder(tmp_path / "set", two_classes()))
    assert report.images == 6
    assert (tmp_path / "set" / "ants" / "0.png").exists()


def test_the_manifest_is_one_line_an_image(intake):
    intake(two_classes())
    lines = intake.manifest_path.read_text().splitlines()
    assert len(lines) == 6 + 2
    assert json.loads("\n".join(lines))["form"] == 1


def test_packs_are_begun_anew_when_they_are_full(intake, monkeypatch):
    monkeypatch.setattr(packs, "PACK_BYTES", 20_000)
    intake({f"{label}/{n}.png": png(n + 50 * (label == "b")) for n in range(6) for label in "ab"})
    names = sorted(path.name for path in (intake.folder / "packs").iterdir())
    assert names[:2] == ["p1-0.zip", "p1-1.zip"]
    for image in intake.manifest.images:
        with zipfile.ZipFile(intake.folder / "packs" / image.pack) as pack:
            assert hashlib.sha256(pack.read(image.file)).hexdigest() == image.sha256
    sizes = [(intake.folder / "packs" / name).stat().st_size for name in names]
    assert max(sizes) < 24_000


def test_files_in_packs_are_stored_not_squeezed_and_have_no_time(intake):
    intake(two_classes())
    with zipfile.ZipFile(intake.folder / "packs" / "p1-0.zip") as pack:
        assert {(e.compress_type, e.date_time) for e in pack.infolist()} == {(0, (1980, 1, 1, 0, 0, 0))}


# ── bad files ────────────────────────────────────────────────────────────────────────────────────────────────

BAD = {"ants/bad.png": b"no picture", "ants/small.png": png(9, 4, 4), "bees/cut.jpg": jpeg(9)[:300]}


def test_bad_files_refuse_the_set_with_the_whole_list_in_the_report(intake):
    refused = refusal_of(intake, {**two_classes(), **BAD})
    assert refused.code == "bad_files"
    assert "3 files cannot be taken in" in refused.text
    assert "ants/bad.png: Expected a JPEG" in refused.text
    report = intake.report
    assert codes(report) == {
        "ants/bad.png": "unreadable",
        "ants/small.png": "image_too_small",
        "bees/cut.jpg": "truncated",
    }
    assert report.bad_files == 3
    assert report.problem_counts == {"image_too_small": 1, "truncated": 1, "unreadable": 1}
    assert [count.total for count in report.classes] == [3, 3], "what could be taken is reported as well"
    assert {path.name for path in intake.folder.iterdir()} == {"report.json"}


def test_bad_files_are_left_out_where_the_uploader_says_so(intake):
    report = intake({**two_classes(), **BAD}, skip_bad=True)
    assert (report.images, report.bad_files) == (6, 3)
    assert all(problem.left_out for problem in report.problems)
    assert "3 files cannot be taken in" in report.warnings[0]
    assert len(intake.manifest.images) == 6


def test_entries_that_lead_astray_are_bad_files_too(intake):
    files = {**two_classes(), "../../outside.png": png(90), "ants/more.zip": b"PK\3\4"}
    assert refusal_of(intake, files).code == "bad_files"
    report = intake(files, skip_bad=True)
    assert codes(report) == {"../../outside.png": "unsafe_name", "ants/more.zip": "nested_archive"}


def test_a_wrong_extension_is_odd_and_no_reason_to_refuse(intake):
    files = {"a/1.jpg": png(1), "a/2": jpeg(2), "b/3.png": file_of(picture(3), "GIF"), "b/4.jpeg": jpeg(4)}
    report = intake(files)
    assert codes(report) == {name: "wrong_extension" for name in ("a/1.jpg", "a/2", "b/3.png")}
    assert not any(problem.left_out for problem in report.problems)
    assert "ends in .jpg, the content is PNG" in report.problems[0].text
    assert (report.bad_files, report.images) == (0, 4)


def test_a_polyglot_is_stored_without_what_hid_in_it(intake):
    hidden = b"<script>alert(1)</script>" + write_zip(intake.folder / "inner.zip", {"evil": b"x"}).read_bytes()
    intake({"a/1.jpg": jpeg(1, comment=b"<script>") + hidden, "b/2.png": png(2) + hidden})
    for image in intake.manifest.images:
        data = intake.stored_bytes(image.file)
        assert b"script" not in data
        assert b"PK\3\4" not in data


def test_of_many_problems_a_thousand_are_listed_and_the_rest_counted(intake):
    bad = {f"ants/{number}.xyz": b"x" for number in range(1100)}
    report = intake({**two_classes(), **bad, "ants/odd.jpg": png(99)}, skip_bad=True)
    assert len(report.problems) == 1000
    assert report.more_problems == 101
    assert report.problem_counts == {"not_an_image": 1100, "wrong_extension": 1}
    assert all(problem.left_out for problem in report.problems)


def test_a_crash_of_the_decoder_costs_one_image(intake, tmp_path):
    """A picture whose pixels need more memory than a decoder may have."""
    large = file_of(Image.new("RGBA", (6000, 6000)), compress_level=1)
    report = intake({**two_classes(), "ants/large.png": large}, skip_bad=True, limits={"memory_bytes": 2**28})
    assert codes(report) == {"ants/large.png": "decoder_crashed"}
    assert report.images == 6


@pytest.mark.parametrize("processes", [1, 2])
def test_killed_decoders_cost_their_images_and_no_other(intake, processes):
    deadly = {f"ants/deadly{number}.png": png(60 + number) + b"die" for number in range(3)}
    report = intake({**two_classes(), **deadly}, skip_bad=True, decoder=BAD_DECODER, limits={"processes": processes})
    assert codes(report) == dict.fromkeys(deadly, "decoder_crashed")
    assert all("SIGKILL" in problem.text for problem in report.problems)
    assert report.images == 6


def test_a_set_that_crashes_decoder_after_decoder_is_refused(intake, monkeypatch):
    monkeypatch.setattr(reading, "MOST_CRASHES", 2)
    deadly = {f"ants/deadly{number}.png": png(60 + number) + b"die" for number in range(9)}
    refused = refusal_of(intake, {**two_classes(), **deadly}, skip_bad=True, decoder=BAD_DECODER)
    assert refused.code == "too_many_crashes"
    assert intake.report.problem_counts == {"decoder_crashed": 3}


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"readme.md": b"x"}, "no_images"),
        ({"1.png": png(1), "2.png": png(2)}, "no_labels"),
        ({"ants/1.png": b"x", "bees/1.png": b"x"}, "bad_files"),
    ],
)
def test_a_set_without_images_or_labels_is_refused_with_a_report(intake, files, code):
    assert refusal_of(intake, files).code == code
    assert intake.report.found.entries == len(files)


def test_a_set_with_nothing_but_bad_files_is_refused_even_without_them(intake):
    refused = refusal_of(intake, {"ants/1.png": b"x", "bees/1.png": b"x"}, skip_bad=True)
    assert refused.code == "no_images"
    assert intake.report.bad_files == 2


def test_what_is_no_archive_is_refused_without_a_report(intake, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"hello")
    assert refusal_of(intake, tmp_path / "a.zip").code == "not_an_archive"
    assert list(intake.folder.iterdir()) == []


def test_a_truncated_tar_is_refused_with_what_was_found(intake, tmp_path):
    path = write_tar(tmp_path / "a.tar", two_classes())
    path.write_bytes(path.read_bytes()[:-12_000])
    assert refusal_of(intake, path).code == "archive_truncated"
    assert intake.report.found.images > 0


# ── labels, splits, classes ──────────────────────────────────────────────────────────────────────────────────


def test_images_are_dealt_by_class(intake):
    report = intake(two_classes(20))
    assert [(c.name, c.train, c.val, c.test, c.total, c.new) for c in report.classes] == [
        ("ants", 16, 2, 2, 20, 20),
        ("bees", 16, 2, 2, 20, 20),
    ]
    assert not report.ready_made_splits


def test_ready_made_splits_are_kept_and_the_fractions_ignored(intake):
    files = {
        f"{split}/{name}": data for split, n in (("train", 0), ("test", 7)) for name, data in two_classes(2, n).items()
    }
    report = intake(files, splits={"train": 0.2, "val": 0.4, "test": 0.4})
    assert report.ready_made_splits
    assert [(c.train, c.val, c.test) for c in report.classes] == [(2, 0, 2), (2, 0, 2)]
    assert "There are no images in val." in report.warnings


def test_a_csv_gives_labels_and_splits(intake):
    table = "file,label,split\n1.png,ants,train\n2.png,bees,train\n3.png,ants,val\n"
    intake({"set/1.png": png(1), "set/2.png": png(2), "set/3.png": png(3), "set/labels.csv": table.encode()})
    manifest = intake.manifest
    found = [(i.name, manifest.classes[i.label], i.split) for i in manifest.images]
    assert found == [("1.png", "ants", "train"), ("2.png", "bees", "train"), ("3.png", "ants", "val")]
    assert intake.report.found.ignored == 0


def test_small_classes_imbalance_and_single_classes_are_pointed_out(intake):
    files = {f"ants/{n}.png": png(n) for n in range(12)} | {"bees/1.png": png(50), "bees/2.png": png(51)}
    report = intake(files)
    assert report.imbalance == 6
    assert report.small_classes == ("ants", "bees")
    text = " ".join(report.warnings)
    assert "6 times the images of the smallest" in text
    assert "2 classes of 2 under 100 images: ants, bees" in text
    assert "only one class, ants" in " ".join(intake({"ants/1.png": png(1), "ants/2.png": png(2)}).warnings)


def test_class_names_that_differ_in_capitals_are_pointed_out(intake):
    assert "Ants, ants differ only in capital letters" in " ".join(
        intake({"Ants/1.png": png(1), "ants/2.png": png(2)}).warnings
    )


# ── duplicates ───────────────────────────────────────────────────────────────────────────────────────────────


def names_in(groups):
    return [[place.name for place in group] for group in groups.groups]


def test_of_the_same_image_one_stays_whatever_its_metadata(intake):
    exif = Image.Exif()
    exif[0x010F] = "another camera"
    report = intake({**two_classes(), "ants/copy.jpg": jpeg(7, exif=exif), "ants/first.jpg": jpeg(7)})
    assert names_in(report.exact_duplicates) == [["ants/copy.jpg", "ants/first.jpg"]]
    assert (report.dropped_duplicates, report.images, report.bad_files) == (1, 7, 0)
    assert "1 image left out, because the same one is in the set." in report.warnings
    assert [place.left_out for place in report.exact_duplicates.groups[0]] == [False, True]


def test_duplicates_are_kept_in_one_split_where_that_is_asked_for(intake):
    copies = {f"ants/copy{n}.png": png(7) for n in range(4)}
    report = intake({**two_classes(10), **copies}, keep_duplicates=True)
    assert (report.dropped_duplicates, report.images) == (0, 24)
    assert len({intake.split_of(name) for name in copies} | {intake.split_of("ants/7.png")}) == 1
    assert report.leakage.count == 0


def test_copies_that_only_look_the_same_are_reported_kept_and_dealt_together(intake):
    softer = file_of(photograph(3), "JPEG", quality=40)
    large = {f"{label}/{n}.png": file_of(photograph(n + 20 * (label == "b"))) for n in range(12) for label in "ab"}
    report = intake({**large, "a/3-softer.jpg": softer})
    assert names_in(report.near_duplicates) == [["a/3-softer.jpg", "a/3.png"]]
    assert report.exact_duplicates.count == 0
    assert report.images == 25
    assert intake.split_of("a/3.png") == intake.split_of("a/3-softer.jpg")


def test_the_same_image_across_ready_made_splits_is_leakage_and_stays_in_test(intake):
    files = {
        "train/ants/1.png": png(1),
        "train/bees/2.png": png(2),
        "test/ants/again.png": png(1),
        "test/bees/3.png": png(3),
    }
    report = intake(files)
    assert names_in(report.leakage) == [["test/ants/again.png", "train/ants/1.png"]]
    assert [(p.split, p.left_out) for p in report.leakage.groups[0]] == [("test", False), ("train", True)]
    assert "reaches across splits" in " ".join(report.warnings)
    assert {image.name for image in intake.manifest.images} == set(files) - {"train/ants/1.png"}
    assert intake(files, keep_duplicates=True).images == 4


def test_near_copies_across_ready_made_splits_are_leakage_too(intake):
    soft = file_of(photograph(1), "JPEG", quality=40)
    files = {"train/a/1.png": file_of(photograph(1)), "train/b/2.png": png(2), "val/a/1.jpg": soft}
    report = intake(files)
    assert names_in(report.leakage) == names_in(report.near_duplicates) == [["train/a/1.png", "val/a/1.jpg"]]
    assert report.images == 3


def test_the_same_image_in_two_classes_is_a_problem_of_both(intake):
    files = {**two_classes(), "ants/x.png": png(77), "bees/y.png": png(77)}
    refused = refusal_of(intake, files)
    assert "ants/x.png: The same image also comes under another class, as bees/y.png" in refused.text
    report = intake(files, skip_bad=True)
    assert codes(report) == {"ants/x.png": "two_labels", "bees/y.png": "two_labels"}
    assert (report.images, report.dropped_duplicates) == (6, 0)
    assert intake(files, keep_duplicates=True).images == 8


# ── segmentation ─────────────────────────────────────────────────────────────────────────────────────────────


def halves(left, right, width=64, height=48):
    values = np.full((height, width), left, np.uint8)
    values[:, width // 2 :] = right
    return values


def pairs(count=4, left=0, right=1):
    return {f"images/{n}.png": png(n) for n in range(count)} | {
        f"masks/{n}.png": mask_png(halves(left, right)) for n in range(count)
    }


def test_masks_are_stored_beside_their_images_as_class_indices(intake):
    classes = b"background\nunlabelled\ncell\n"
    files = pairs(3, 0, 2) | {"images/9.png": png(9), "masks/9.png": mask_png(halves(1, 2)), "classes.txt": classes}
    report = intake(files, task="segmentation")
    manifest = intake.manifest
    assert (manifest.task, manifest.classes) == ("segmentation", ("background", "cell"))
    first, last = manifest.images[0], manifest.images[3]
    assert (first.file, first.mask, first.label) == ("p1-000001.png", "p1-000001.mask.png", None)
    stored = intake.stored(first.mask)
    assert stored.mode == "L"
    assert np.array_equal(np.asarray(stored), halves(0, 1))
    assert np.array_equal(np.asarray(intake.stored(last.mask)), halves(255, 1))
    assert [(c.name, c.total, c.pixel_share) for c in report.classes] == [
        ("background", 3, 0.4286),
        ("cell", 4, 0.5714),
    ]
    assert (report.found.images, report.found.masks) == (4, 4)


def test_a_mask_is_shrunk_with_its_image_without_new_values(intake):
    files = {"images/1.png": png(1, 200, 100), "masks/1.png": mask_png(halves(0, 3, 200, 100)), "images/2.png": png(2)}
    files["masks/2.png"] = mask_png(halves(0, 3))
    intake(files, task="segmentation", longest_px=50)
    image = intake.manifest.images[0]
    assert (image.width, image.height) == (50, 25)
    assert np.array_equal(np.asarray(intake.stored(image.mask)), halves(0, 1, 50, 25))


def test_a_mask_fits_the_image_as_it_is_shown(intake):
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "images/shown.jpg": jpeg(1, exif=exif),
        "masks/shown.png": mask_png(halves(0, 1, 48, 64)),
        "images/lying.jpg": jpeg(2, exif=exif),
        "masks/lying.png": mask_png(halves(0, 1, 64, 48)),
    }
    report = intake(files, task="segmentation", skip_bad=True)
    assert codes(report) == {"masks/lying.png": "mask_size"}
    (image,) = intake.manifest.images
    assert (image.name, image.width, image.height) == ("images/shown.jpg", 48, 64)


def test_what_is_wrong_with_a_mask_is_named_by_the_mask(intake):
    files = pairs(2) | {
        "images/a.png": png(20),
        "masks/a.png": mask_png(halves(0, 9)),
        "images/b.png": png(21),
        "masks/b.png": file_of(picture(1)),
        "images/c.png": png(22),
        "images/d.png": png(23),
        "masks/d.png": mask_png(halves(255, 255)),
        "images/e.png": png(24),
        "masks/e.jpg": file_of(Image.fromarray(halves(0, 1)), "JPEG"),
        "classes.txt": b"background\ncell\n",
    }
    report = intake(files, task="segmentation", skip_bad=True)
    assert codes(report) == {
        "masks/a.png": "mask_value",
        "masks/b.png": "mask_in_colour",
        "images/c.png": "mask_missing",
        "masks/d.png": "mask_all_ignored",
        "masks/e.jpg": "mask_lossy",
    }
    assert "holds the value 9; classes.txt names 0 to 1" in next(p.text for p in report.problems if "a.png" in p.name)
    assert report.images == 2


def test_masks_of_one_class_are_pointed_out(intake):
    report = intake(pairs(2, 0, 0), task="segmentation")
    assert "only one class, value 0" in " ".join(report.warnings)


def test_the_same_image_with_two_masks_is_a_problem(intake):
    files = pairs(2) | {"images/x.png": png(0), "masks/x.png": mask_png(halves(1, 0))}
    report = intake(files, task="segmentation", skip_bad=True)
    assert codes(report) == {"images/0.png": "two_labels", "images/x.png": "two_labels"}
    same = intake(pairs(2) | {"images/x.png": png(0), "masks/x.png": mask_png(halves(0, 1))}, task="segmentation")
    assert (same.bad_files, same.dropped_duplicates) == (0, 1)
