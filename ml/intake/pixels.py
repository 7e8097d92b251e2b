"""From the bytes of one image file to plain 8-bit pixels, grey or RGB. Runs in a decoder; trusts nothing.

What a photograph carries beside its pixels (EXIF, GPS, comments, colour profile) ends here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from ml.intake.colours import SIXTEEN_BIT, to_plain
from ml.intake.refusals import FileProblem
from ml.intake.sniffing import HEAD_BYTES, other_format

PLUGINS = (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
"""Named so that they are imported while a decoder may still open files."""
FORMATS = {"JPEG": "JPEG", "MPO": "JPEG", "PNG": "PNG", "WEBP": "WebP", "BMP": "BMP", "TIFF": "TIFF", "GIF": "GIF"}
"""Pillow's names of the formats that are taken, and ours."""
SMALLEST_PX = 8
ORIENTATION_TAG, BITS_TAG = 0x0112, 258
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings an image of each EXIF orientation upright."""


@dataclass(frozen=True)
class PixelLimits:
    """What an image may be, by its header."""

    longest_px: int
    pixels: int


@dataclass(frozen=True)
class Decoded:
    """An image without anything but its pixels."""

    image: Image.Image
    """Of mode L or RGB, upright, without metadata."""
    came_as: str
    width: int
    """As it came, upright, before it was shrunk."""
    height: int
    conversions: tuple[str, ...]
    """Names of fields of `records.intake.Conversions`."""


def decode(data: bytes, limits: PixelLimits, *, longest_px: int | None) -> Decoded:
    """Open, check, decode, turn upright, bring to 8-bit grey or RGB, and shrink.

    Raises:
        FileProblem: the file is no image that we take, is broken, or is too large or small.
    """
    with as_problems(data):
        image = open_image(data, limits)
        done: list[str] = []
        came_as = FORMATS[image.format or ""]
        bits = _bits(image, data)
        turned_by_pillow = came_as == "TIFF" and _orientation(image) in TURNS
        size = image.size
        _load(image, longest_px, done)
        if bits == 16:
            done.append("from_16_bit")
        orientation = _orientation(image)
        plain = to_plain(image, done)
        if orientation in TURNS:
            plain = plain.transpose(TURNS[orientation])
        if orientation in TURNS or turned_by_pillow:
            done.append("turned")
        width, height = size[::-1] if orientation in (5, 6, 7, 8) else size
        shown = stored_size(width, height, longest_px)
        if shown != (width, height):
            done.append("shrunk")
        if plain.size != shown:
            plain = plain.resize(shown, Image.Resampling.LANCZOS, reducing_gap=3.0)
        plain.info = {}  # all that Pillow would write beside the pixels
        return Decoded(plain, came_as, width, height, tuple(done))


def open_image(data: bytes, limits: PixelLimits) -> Image.Image:
    """The image with its header read and checked, not decoded yet.

    Raises:
        FileProblem: its header says that it is too large or too small.
        UnidentifiedImageError: it is none of the formats that we take.
    """
    image = Image.open(io.BytesIO(data), formats=tuple(name for name in FORMATS if name != "MPO"))
    width, height = image.size
    if max(width, height) > limits.longest_px:
        raise FileProblem(
            "image_too_large",
            f"The image is {width:,} × {height:,} px; the limit is {limits.longest_px:,} px a side. "
            "Shrink it or leave it out.",
        )
    if width * height > limits.pixels:
        raise FileProblem(
            "image_too_large",
            f"The image is {width:,} × {height:,} px, {width * height / 1e6:,.1f} million pixels; the limit is "
            f"{limits.pixels / 1e6:,.1f} million. Shrink it or leave it out.",
        )
    if min(width, height) < SMALLEST_PX:
        raise FileProblem(
            "image_too_small",
            f"The image is {width:,} × {height:,} px; at least {SMALLEST_PX} px a side are needed. Leave it out.",
        )
    return image


def stored_size(width: int, height: int, longest_px: int | None) -> tuple[int, int]:
    """Width and height after shrinking the longest side to `longest_px`; never larger than before."""
    longest = max(width, height)
    if longest_px is None or longest <= longest_px:
        return width, height
    return max(1, round(width * longest_px / longest)), max(1, round(height * longest_px / longest))


@contextmanager
def as_problems(data: bytes) -> Iterator[None]:
    """Turn what Pillow raises on broken files into a `FileProblem`."""
    try:
        yield
    except (FileProblem, MemoryError):
        raise
    except Exception as error:
        raise _problem(error, data) from error


def _problem(error: Exception, data: bytes) -> FileProblem:
    if isinstance(error, UnidentifiedImageError):
        if other := other_format(data[:HEAD_BYTES]):
            return FileProblem("format_not_taken", f"The file is {other}. Save it as JPEG or PNG.")
        return FileProblem(
            "unreadable", "Expected a JPEG, PNG, WebP, BMP, TIFF or GIF, got a file that begins like none of them."
        )
    said = str(error).partition("\n")[0][:150] or type(error).__name__
    if "truncated" in said or "not enough data" in said or "Truncated" in said:
        return FileProblem("truncated", f"The file ends too early ({said}). Copy it again from where it came.")
    return FileProblem("unreadable", f"The file cannot be decoded ({said}). Save it again or leave it out.")


def _load(image: Image.Image, longest_px: int | None, done: list[str]) -> None:
    """Decode the first frame; a JPEG that will be shrunk anyway at a half, a quarter or an eighth of its size."""
    if _is_animated(image):
        done.append("first_frame")
    if longest_px is not None and image.format in ("JPEG", "MPO"):
        longest = max(image.size)
        if longest >= 4 * longest_px:
            image.draft(None, tuple(2 * side * longest_px // longest for side in image.size))
    image.load()


def _is_animated(image: Image.Image) -> bool:
    """Frames or pages beyond the first. A telephone's JPEG with its preview (MPO) does not count."""
    with suppress(Exception):  # a broken second frame is no reason to lose the first
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    return False


def _bits(image: Image.Image, data: bytes) -> int:
    """Bits of a channel as they came. Pillow itself reads 16-bit colours as 8, and keeps 16-bit grey."""
    if image.mode in SIXTEEN_BIT or image.mode == "I":
        return 16
    if image.format == "PNG":
        return data[24]
    if image.format == "TIFF":
        return max(image.tag_v2.get(BITS_TAG, (8,)))
    return 8


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation; 1, upright, where there is none that makes sense."""
    with suppress(Exception):  # broken EXIF is no reason to lose the picture
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    return 1
