"""Sheets show the images as they are stored."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml.intake import sheets
from ml.intake.sheets import GAP_PX, MARGIN_PX, NAMES_PX, TILE_PX, TITLE_PX, spread
from tests.ml.intake.making import file_of, mask_png, png, two_classes


def sheet(intake, name):
    with Image.open(intake.folder / name) as image:
        return np.asarray(image.convert("RGB"))


def tile_of(pixels, row, column, *, left=MARGIN_PX, top=MARGIN_PX + TITLE_PX):
    at = top + row * (TILE_PX + GAP_PX), left + column * (TILE_PX + GAP_PX)
    return pixels[at[0] : at[0] + TILE_PX, at[1] : at[1] + TILE_PX]


def plain(colour):
    return file_of(Image.new("RGB", (64, 64), colour))


def test_a_class_has_a_sheet_with_its_own_images(intake):
    intake({"ants/1.png": plain((250, 0, 0)), "ants/2.png": plain((0, 250, 0)), "bees/1.png": plain((0, 0, 250))})
    ants, bees = sheet(intake, "sheets/0.png"), sheet(intake, "sheets/1.png")
    assert tile_of(ants, 0, 0)[56, 56].tolist() == [250, 0, 0]
    assert tile_of(ants, 0, 1)[56, 56].tolist() == [0, 250, 0]
    assert tile_of(bees, 0, 0)[56, 56].tolist() == [0, 0, 250]
    assert not (intake.folder / "sheets" / "2.png").exists()


def test_the_overview_has_a_row_a_class(intake):
    intake({"ants/1.png": plain((250, 0, 0)), "bees/1.png": plain((0, 0, 250))})
    pixels = sheet(intake, "sheet.png")
    place = {"left": MARGIN_PX + NAMES_PX, "top": MARGIN_PX}
    assert tile_of(pixels, 0, 0, **place)[56, 56].tolist() == [250, 0, 0]
    assert tile_of(pixels, 1, 0, **place)[56, 56].tolist() == [0, 0, 250]


def test_an_image_keeps_its_shape_in_its_tile(intake):
    intake({"a/1.png": file_of(Image.new("RGB", (400, 200), "black")), "b/1.png": png(1)})
    tile = tile_of(sheet(intake, "sheets/0.png"), 0, 0)
    assert (tile[56] == 0).all()
    assert (tile[10] == 241).all()


def test_the_colours_of_a_class_show_where_its_mask_is(intake):
    values = np.zeros((64, 64), np.uint8)
    values[:, 32:], values[:8] = 1, 255
    intake(
        {"images/1.png": plain("black"), "masks/1.png": mask_png(values), "classes.txt": b"ground\ncell\n"},
        task="segmentation",
    )
    ground, cell = (tile_of(sheet(intake, f"sheets/{n}.png"), 0, 0) for n in range(2))
    centre = (TILE_PX - 64) // 2
    left, right = (centre + 40, centre + 10), (centre + 40, centre + 50)
    assert ground[left][0] > 100 > ground[right][0]
    assert cell[right][0] > 100 > cell[left][0]
    assert cell[centre + 2, centre + 50].tolist() == [0, 0, 0]


def test_a_class_without_new_images_has_no_new_sheet(intake):
    intake(two_classes())
    intake({"bees/new.png": png(900)}, parent=intake.manifest_path)
    assert [path.name for path in (intake.folder / "sheets").iterdir()] == ["1.png"]


def test_of_very_many_classes_the_first_are_shown(intake, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_CLASSES", 5)
    monkeypatch.setattr(sheets, "MOST_OVERVIEW_ROWS", 3)
    intake({f"class{number}/1.png": png(number) for number in range(8)})
    assert len(list((intake.folder / "sheets").iterdir())) == 5
    assert sheet(intake, "sheet.png").shape[0] == 2 * MARGIN_PX + 3 * (TILE_PX + GAP_PX) - GAP_PX + TITLE_PX


@pytest.mark.parametrize(("count", "shown"), [(3, [0, 1, 2]), (4, [0, 1, 2, 3]), (8, [0, 2, 4, 6]), (9, [0, 2, 4, 6])])
def test_samples_come_from_all_over_a_class(count, shown):
    assert spread(range(count), 4) == shown


def test_names_that_are_too_long_are_cut(intake):
    intake({"an ant of a very long name " * 3 + "/1.png": png(1), "b/1.png": png(2)})
    pixels = sheet(intake, "sheet.png")
    gap = pixels[MARGIN_PX : MARGIN_PX + TILE_PX, MARGIN_PX + NAMES_PX - 14 : MARGIN_PX + NAMES_PX]
    assert (gap == 255).all()
