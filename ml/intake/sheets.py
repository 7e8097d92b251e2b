"""Sheets of samples, for people to look at, drawn from the images as they are stored: one a class, and one of all."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ml.intake.decoder_process import DecoderProcess
from ml.intake.decoders import DecoderPool
from ml.intake.findings import Findings
from ml.intake.pixels import stored_size
from records.intake import IGNORED_CLASS, Manifest, ManifestImage

TILE_PX = 112
GAP_PX, MARGIN_PX, TITLE_PX = 4, 20, 40
COLUMNS, ROWS = 8, 3
"""Tiles of a class's own sheet."""
OVERVIEW_COLUMNS, MOST_OVERVIEW_ROWS = 8, 40
NAMES_PX = 200
PAPER, INK, FAINT = (255, 255, 255), (33, 37, 41), (134, 142, 150)
HIGHLIGHT = (250, 82, 82)
HIGHLIGHT_SHARE = 0.55
"""How much of a mask's colour covers the image under it."""
MOST_CLASSES = 200
"""Sheets of their own; of more classes only the overview shows some."""
Tile = NDArray[np.uint8]


@dataclass(frozen=True)
class _Wanted:
    """One tile: an image, and in segmentation the class to show in it."""

    image: ManifestImage
    highlight: int | None


def draw_sheets(
    manifest: Manifest, found: Findings, pool: DecoderPool, folder: Path, tell: Callable[[int, int], None]
) -> None:
    """Write `sheet.png`, and `sheets/N.png` for each class with new images, N being its index.

    Only images of this upload are shown: the packs of the versions before are not at hand.

    Args:
        manifest: of the version.
        found: which new images hold which class.
        pool: decodes.
        folder: of the version; the packs lie in it.
        tell: hears how many classes are drawn.
    """
    members = _members(manifest, found)
    (folder / "sheets").mkdir()
    rows: list[tuple[str, str, list[Tile]]] = []
    shown = list(members.items())[:MOST_CLASSES]
    with ExitStack() as stack:
        packs = {
            name: stack.enter_context(zipfile.ZipFile(folder / "packs" / name))
            for name in sorted({image.pack for image in found.written})
        }
        for number, (index, images) in enumerate(shown, 1):
            highlight = index if manifest.task == "segmentation" else None
            wanted = [_Wanted(image, highlight) for image in spread(images, COLUMNS * ROWS)]
            tiles = list(_tiles(wanted, packs, pool))
            name, count = manifest.classes[index], f"{len(images):,} new"
            _grid(name, count, tiles).save(folder / "sheets" / f"{index}.png")
            if number <= MOST_OVERVIEW_ROWS:
                rows.append((name, count, spread(tiles, OVERVIEW_COLUMNS)))
            tell(number, len(shown))
    _overview(rows, len(members)).save(folder / "sheet.png")


def spread(items: Sequence, number: int) -> list:
    """So many items, evenly from all over the sequence; all of a short one."""
    if len(items) <= number:
        return list(items)
    return [items[place * len(items) // number] for place in range(number)]


def _members(manifest: Manifest, found: Findings) -> dict[int, list[ManifestImage]]:
    """The new images of each class that has any, by the class's index."""
    assert found.chosen
    members: dict[int, list[ManifestImage]] = {}
    places = {name: index for index, name in enumerate(manifest.classes)}
    for one, image in zip(found.chosen.kept, found.written, strict=True):
        for name in found.classes_in(one):
            members.setdefault(places[name], []).append(image)
    return dict(sorted(members.items()))


def _tiles(wanted: Sequence[_Wanted], packs: dict[str, zipfile.ZipFile], pool: DecoderPool) -> Iterator[Tile]:
    """Each image within a square tile, RGB `[TILE_PX, TILE_PX, 3]`."""

    def draw(decoder: DecoderProcess, job: tuple[_Wanted, bytes, bytes | None]) -> Tile:
        want, data, mask = job
        facts, made = decoder.ask("pixels", data, longest_px=TILE_PX)
        pixels = np.frombuffer(made, np.uint8).reshape(facts["shape"])
        if mask is not None:
            size = stored_size(want.image.width, want.image.height, TILE_PX)
            came = [want.image.width, want.image.height]
            _, values = decoder.ask("mask_values", mask, came_size=came, stored_size=size)
            pixels = _highlighted(pixels, np.frombuffer(values, np.uint8).reshape(pixels.shape[:2]), want.highlight)
        return _in_square(pixels)

    jobs = (
        (want, packs[want.image.pack].read(want.image.file), _read_mask(want, packs[want.image.pack]))
        for want in wanted
    )
    return pool.map(draw, jobs)


def _read_mask(want: _Wanted, pack: zipfile.ZipFile) -> bytes | None:
    return None if want.image.mask is None else pack.read(want.image.mask)


def _highlighted(pixels: Tile, values: Tile, highlight: int | None) -> Tile:
    """The image with one class in colour, and what belongs to none darkened."""
    shown = np.broadcast_to(pixels, (*pixels.shape[:2], 3)).astype(np.float32)
    shown[values == highlight] = (1 - HIGHLIGHT_SHARE) * shown[values == highlight] + HIGHLIGHT_SHARE * np.float32(
        HIGHLIGHT
    )
    shown[values == IGNORED_CLASS] *= 0.4
    return shown.astype(np.uint8)


def _in_square(pixels: Tile) -> Tile:
    tile = np.full((TILE_PX, TILE_PX, 3), 241, np.uint8)
    height, width = pixels.shape[:2]
    top, left = (TILE_PX - height) // 2, (TILE_PX - width) // 2
    tile[top : top + height, left : left + width] = pixels
    return tile


# ── drawing ──────────────────────────────────────────────────────────────────────────────────────────────────


def _grid(name: str, count: str, tiles: Sequence[Tile]) -> Image.Image:
    """One class: a title, and its tiles in rows."""
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // COLUMNS)
    width = max(_span(columns), _span(4))
    sheet = Image.new("RGB", (2 * MARGIN_PX + width, 2 * MARGIN_PX + TITLE_PX + _span(rows)), PAPER)
    draw = ImageDraw.Draw(sheet)
    font, small = ImageFont.load_default(16), ImageFont.load_default(12)
    title = fit(name, font, width - 90)
    draw.text((MARGIN_PX, MARGIN_PX), title, INK, font)
    draw.text((MARGIN_PX + font.getlength(title) + 12, MARGIN_PX + 3), count, FAINT, small)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, COLUMNS)
        at = (MARGIN_PX + column * (TILE_PX + GAP_PX), MARGIN_PX + TITLE_PX + row * (TILE_PX + GAP_PX))
        sheet.paste(Image.fromarray(tile), at)
    return sheet


def _overview(rows: Sequence[tuple[str, str, list[Tile]]], classes: int) -> Image.Image:
    """A row a class: its name, its count and some tiles."""
    more = classes - len(rows)
    height = 2 * MARGIN_PX + _span(len(rows)) + (TITLE_PX if more else 0)
    sheet = Image.new("RGB", (2 * MARGIN_PX + NAMES_PX + _span(OVERVIEW_COLUMNS), height), PAPER)
    draw = ImageDraw.Draw(sheet)
    font, small = ImageFont.load_default(16), ImageFont.load_default(12)
    for row, (name, count, tiles) in enumerate(rows):
        top = MARGIN_PX + row * (TILE_PX + GAP_PX)
        middle = top + TILE_PX // 2
        draw.text((MARGIN_PX, middle - 9), fit(name, font, NAMES_PX - 16), INK, font, anchor="lm")
        draw.text((MARGIN_PX, middle + 11), count, FAINT, small, anchor="lm")
        for column, tile in enumerate(tiles):
            sheet.paste(Image.fromarray(tile), (MARGIN_PX + NAMES_PX + column * (TILE_PX + GAP_PX), top))
    if more:
        draw.text((MARGIN_PX, height - MARGIN_PX), f"and {more:,} classes more", FAINT, small, anchor="ls")
    return sheet


def fit(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room_px: int) -> str:
    """The name, cut with an ellipsis where it is too long."""
    if font.getlength(name) <= room_px:
        return name
    while name and font.getlength(name + "…") > room_px:
        name = name[:-1]
    return name + "…"


def _span(tiles: int) -> int:
    """Pixels that so many tiles take with their gaps."""
    return tiles * (TILE_PX + GAP_PX) - GAP_PX
