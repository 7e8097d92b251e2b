"""Any image becomes plain 8-bit pixels, grey or RGB, upright and bare; or a word says why not."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from ml.intake.pixels import PixelLimits, decode
from ml.intake.refusals import FileProblem
from ml.intake.rewriting import as_jpeg, as_png
from tests.ml.intake.making import file_of, jpeg, picture, png

LIMITS = PixelLimits(longest_px=4096, pixels=1_000_000)


def taken(data, longest_px=None):
    return decode(data, LIMITS, longest_px=longest_px)


def problem_of(data):
    with pytest.raises(FileProblem) as caught:
        taken(data)
    return caught.value


# ── formats ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("form", "ours", "options"),
    [
        ("PNG", "PNG", {}),
        ("BMP", "BMP", {}),
        ("TIFF", "TIFF", {}),
        ("TIFF", "TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", "WebP", {"lossless": True}),
    ],
)
def test_lossless_formats_keep_every_pixel(form, ours, options):
    decoded = taken(file_of(picture(1), form, **options))
    assert decoded.came_as == ours
    assert np.array_equal(np.asarray(decoded.image), np.asarray(picture(1)))
    assert decoded.conversions == ()


def test_a_jpeg_keeps_its_pixels_as_decoded():
    data = jpeg(1)
    decoded = taken(data)
    assert (decoded.came_as, decoded.image.mode) == ("JPEG", "RGB")
    assert np.array_equal(np.asarray(decoded.image), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (b"hello, I am no image", "unreadable", "begins like none of them"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "format_not_taken", "HEIC"),
        (b"\0\0\0\x18ftypavif" + bytes(40), "format_not_taken", "AVIF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "format_not_taken", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "unreadable", "none of them"),
        (b"P6 64 64 255\n" + bytes(64 * 64 * 3), "unreadable", "none of them"),
        (file_of(picture(1), "JPEG2000"), "format_not_taken", "JPEG 2000"),
        (file_of(picture(1), "ICO"), "format_not_taken", "icon"),
    ],
    ids=["text", "heic", "avif", "svg", "postscript", "ppm", "jpeg2000", "ico"],
)
def test_other_formats_are_named(data, code, text):
    problem = problem_of(data)
    assert problem.code == code
    assert text in problem.text


# ── broken, too large, too small ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", [jpeg(1), png(1), file_of(picture(1), "BMP"), file_of(picture(1), "GIF")])
def test_a_file_that_ends_early_is_a_problem(data):
    problem = problem_of(data[: len(data) // 2])
    assert problem.code == "truncated"
    assert "ends too early" in problem.text


def test_a_file_that_is_damaged_inside_is_a_problem():
    data = bytearray(png(1))
    data[60:80] = bytes(20)
    assert problem_of(bytes(data)).code == "unreadable"


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 100), (100, 7)])
def test_an_image_with_a_side_below_eight_pixels_is_a_problem(width, height):
    problem = problem_of(png(1, width, height))
    assert problem.code == "image_too_small"
    assert f"{width} × {height} px" in problem.text


def test_the_smallest_image_is_taken():
    assert taken(png(1, 8, 8)).image.size == (8, 8)


@pytest.mark.parametrize(("width", "height", "limit"), [(5000, 10, "4,096 px a side"), (1100, 1000, "1.0 million")])
def test_an_image_above_the_limits_is_a_problem(width, height, limit):
    problem = problem_of(file_of(Image.new("L", (width, height))))
    assert problem.code == "image_too_large"
    assert limit in problem.text


def test_a_decompression_bomb_is_refused_by_its_header():
    """4,096 × 4,096 px in a few bytes, and no pixel data at all: decoding it would end as truncated."""
    header = struct.pack(">2I5B", 4096, 4096, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    assert problem_of(bomb).code == "image_too_large"


# ── upright ──────────────────────────────────────────────────────────────────────────────────────────────────


def oriented(orientation, form="PNG"):
    """Black, with a white corner at the top left of the file's own rows."""
    pixels = np.zeros((16, 24), np.uint8)
    pixels[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    return file_of(Image.fromarray(pixels), form, exif=exif)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "corner", "size"),
    [
        (1, "top left", (24, 16)),
        (2, "top right", (24, 16)),
        (3, "bottom right", (24, 16)),
        (4, "bottom left", (24, 16)),
        (5, "top left", (16, 24)),
        (6, "top right", (16, 24)),
        (7, "bottom right", (16, 24)),
        (8, "bottom left", (16, 24)),
    ],
)
def test_every_exif_orientation_ends_upright(form, orientation, corner, size):
    decoded = taken(oriented(orientation, form))
    pixels = np.asarray(decoded.image.convert("L"))
    rows, columns = (slice(0, 4), slice(-4, None)), (slice(0, 4), slice(-4, None))
    bright = {
        f"{vertical} {horizontal}"
        for vertical, row in zip(("top", "bottom"), rows, strict=True)
        for horizontal, column in zip(("left", "right"), columns, strict=True)
        if pixels[row, column].mean() > 200
    }
    assert bright == {corner}
    assert decoded.image.size == (decoded.width, decoded.height) == size
    assert ("turned" in decoded.conversions) == (orientation != 1)


@pytest.mark.parametrize("orientation", [0, 9, 4711])
def test_an_orientation_that_makes_no_sense_is_left_alone(orientation):
    decoded = taken(oriented(orientation))
    assert decoded.image.size == (24, 16)
    assert "turned" not in decoded.conversions


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_cost_the_image():
    data = file_of(picture(1), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 20)
    assert taken(data).image.size == (64, 48)


# ── colours ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_16_bit_grey_is_scaled_not_cut():
    values = np.full((8, 12), 65_535, np.uint16)
    values[0] = [0, 128, 129, 257, 32_767, 32_896, 65_406, 65_407, 65_535, 514, 4369, 771]
    decoded = taken(file_of(Image.fromarray(values)))
    # 255 · v / 65,535 = v / 257, rounded: 128 / 257 = 0.498, 129 / 257 = 0.502, 65,406 / 257 = 254.498
    assert np.asarray(decoded.image)[0].tolist() == [0, 0, 1, 1, 127, 128, 254, 255, 255, 2, 17, 3]
    assert decoded.image.mode == "L"
    assert decoded.conversions == ("from_16_bit",)


def test_16_bit_grey_in_a_tiff_is_scaled_too():
    decoded = taken(file_of(Image.fromarray(np.full((8, 8), 0x8080, np.uint16)), "TIFF"))
    assert np.asarray(decoded.image)[0, 0] == 0x80
    assert decoded.conversions == ("from_16_bit",)


def png_16_bit_rgb():
    """Pillow cannot write one."""
    rows = b"".join(b"\0" + struct.pack(">3H", 0x1234, 0x8000, 0xFFFF) * 8 for _ in range(8))
    parts = [(b"IHDR", struct.pack(">2I5B", 8, 8, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = (struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_16_bit_colours_become_8():
    decoded = taken(png_16_bit_rgb())
    assert np.asarray(decoded.image)[3, 3].tolist() == [0x12, 0x80, 0xFF]
    assert decoded.conversions == ("from_16_bit",)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_colours_without_one_meaning_are_a_problem(dtype):
    values = np.full((8, 8), 100_000, dtype)
    assert problem_of(file_of(Image.fromarray(values), "TIFF")).code == "colours_unknown"


def test_cmyk_becomes_rgb():
    ink = Image.merge("CMYK", [Image.new("L", (32, 32), value) for value in (0, 255, 255, 0)])
    for form in ("JPEG", "TIFF"):
        decoded = taken(file_of(ink, form))
        red, green, blue = np.asarray(decoded.image).astype(int)[16, 16]
        assert red > 200
        assert green < 60 > blue
        assert decoded.conversions == ("from_cmyk",)


@pytest.mark.parametrize(
    ("pixel", "expected"),
    [((200, 100, 0, 255), (200, 100, 0)), ((200, 100, 0, 0), (255, 255, 255)), ((0, 0, 0, 51), (204, 204, 204))],
)
def test_transparency_is_flattened_on_white(pixel, expected):
    decoded = taken(file_of(Image.new("RGBA", (8, 8), pixel)))
    assert np.asarray(decoded.image)[0, 0].tolist() == list(expected)
    assert decoded.conversions == (() if pixel[3] == 255 else ("flattened",))


def test_grey_with_transparency_stays_grey():
    decoded = taken(file_of(Image.merge("LA", [Image.new("L", (8, 8), 100), Image.new("L", (8, 8), 0)])))
    assert decoded.image.mode == "L"
    assert np.asarray(decoded.image)[0, 0] == 255


def test_a_transparent_colour_is_flattened_too():
    decoded = taken(file_of(Image.new("RGB", (8, 8), (10, 20, 30)), transparency=(10, 20, 30)))
    assert np.asarray(decoded.image)[0, 0].tolist() == [255, 255, 255]
    assert decoded.conversions == ("flattened",)


def test_a_palette_becomes_rgb():
    decoded = taken(file_of(picture(1).quantize(16)))
    assert decoded.image.mode == "RGB"
    assert decoded.conversions == ("from_palette",)


def test_a_transparent_palette_is_flattened():
    indexed = Image.new("P", (8, 8), 1)
    indexed.putpalette([0, 0, 0, 200, 0, 0])
    decoded = taken(file_of(indexed, transparency=1))
    assert np.asarray(decoded.image)[0, 0].tolist() == [255, 255, 255]
    assert decoded.conversions == ("from_palette", "flattened")


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_levels_stay_grey(mode):
    decoded = taken(file_of(Image.new(mode, (8, 8), 1)))
    assert decoded.image.mode == "L"
    assert np.asarray(decoded.image)[0, 0] == (255 if mode == "1" else 1)


def profile_with_swapped_primaries():
    """sRGB's profile with the columns for red and blue exchanged, under another name."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    at = {bytes(profile[p : p + 4]): p for p in range(132, 132 + 12 * count, 12)}
    profile[at[b"rXYZ"] : at[b"rXYZ"] + 4], profile[at[b"bXYZ"] : at[b"bXYZ"] + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_colour_profile_is_followed(mode):
    blue = Image.new("RGB", (8, 8), (0, 0, 255)).convert(mode)
    decoded = taken(file_of(blue, icc_profile=profile_with_swapped_primaries()))
    red, _, other = np.asarray(decoded.image)[4, 4]
    assert red > 250
    assert other < 5
    assert decoded.conversions == ("to_srgb",)


def test_srgb_and_broken_profiles_change_nothing():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile at all"):
        decoded = taken(file_of(picture(1), icc_profile=profile))
        assert np.array_equal(np.asarray(decoded.image), np.asarray(picture(1)))
        assert decoded.conversions == ()


# ── animations, polyglots, metadata ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(form):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if form == "WEBP" else {}
    decoded = taken(file_of(frames[0], form, save_all=True, append_images=frames[1:], **options))
    assert np.asarray(decoded.image)[8, 8].tolist() == [255, 0, 0]
    assert "first_frame" in decoded.conversions


def test_a_polyglot_loses_what_is_not_picture():
    """A picture that is a zip and a page with a script as well."""
    hidden = b"<script>alert(1)</script>PK\3\4 and the rest of an archive"
    for data, rewrite in ((jpeg(1, comment=hidden) + hidden, as_jpeg), (png(1) + hidden, as_png)):
        written = rewrite(taken(data).image)
        assert b"script" in data
        assert b"script" not in written
        assert b"PK\3\4" not in written


def test_metadata_ends_with_the_decoding():
    exif = Image.Exif()
    exif[0x010F] = "A camera of somebody"
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "A camera of somebody")
    for data in (
        jpeg(1, exif=exif, comment=b"A camera of somebody"),
        file_of(picture(1), exif=exif, pnginfo=text, icc_profile=profile_with_swapped_primaries()),
        file_of(picture(1), "WEBP", exif=exif, xmp=b"A camera of somebody"),
    ):
        assert b"camera" in data
        image = taken(data).image
        assert image.info == {}
        for written in (as_jpeg(image), as_png(image)):
            assert b"camera" not in written
            assert set(Image.open(io.BytesIO(written)).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


# ── shrinking ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "longest", "stored"),
    [
        ((640, 480), 320, (320, 240)),
        ((480, 640), 320, (240, 320)),
        ((100, 80), 320, (100, 80)),
        ((900, 9), 64, (64, 1)),
    ],
)
def test_images_are_shrunk_to_the_longest_side_never_enlarged(size, longest, stored):
    for form in ("PNG", "JPEG"):
        decoded = taken(file_of(picture(1, *size), form), longest)
        assert decoded.image.size == stored
        assert (decoded.width, decoded.height) == size
        assert ("shrunk" in decoded.conversions) == (size != stored)


def test_a_large_jpeg_shrinks_to_the_same_picture_as_without_the_short_cut():
    image = picture(1, 1024, 512)
    quick = np.asarray(taken(file_of(image, "JPEG", quality=95), 64).image, np.int16)
    slow = np.asarray(image.resize((64, 32), Image.Resampling.LANCZOS), np.int16)
    assert np.abs(quick - slow).mean() < 2
