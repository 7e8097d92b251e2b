"""Which images look the same: copies are found, plain images raise no alarm, and many are compared at once."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from ml.intake.comparing import NEAR_BITS, near_groups, same_groups
from ml.intake.look import look_of
from tests.ml.intake.making import file_of, photograph, picture

DATA = [Path(folder) for folder in os.environ.get("TRAINYARD_DATA", "").split(":") if folder]
"""Read before the tests hide the developer's own settings."""
DIGITS = [path for folder in DATA if (path := folder / "mnist" / "t10k-images-idx3-ubyte.gz").exists()]
BRIGHTER, SOFTER, SMALLER = 1.12, 30, 3


def again(image, form, **options):
    return Image.open(io.BytesIO(file_of(image, form, **options)))


def copies(image):
    return {
        "the same": image,
        "jpeg": again(image, "JPEG", quality=SOFTER),
        "webp": again(image, "WEBP", quality=50),
        "smaller": image.resize((image.width // SMALLER, image.height // SMALLER)),
        "larger": image.resize((image.width * 2, image.height * 2)),
        "brighter": ImageEnhance.Brightness(image).enhance(BRIGHTER),
        "more contrast": ImageEnhance.Contrast(image).enhance(BRIGHTER),
        "less colour": ImageEnhance.Color(image).enhance(0.7),
    }


@pytest.mark.parametrize("seed", range(4))
def test_copies_in_another_size_quality_or_light_are_near(seed):
    looks = {name: look_of(copy) for name, copy in copies(photograph(seed)).items()}
    groups = near_groups(list(looks.values()))
    assert groups == [list(range(len(looks)))], looks


def test_a_hundred_photographs_are_all_different():
    assert near_groups([look_of(photograph(seed)) for seed in range(100)]) == []


def test_a_turned_or_mirrored_image_is_another():
    image = photograph(1)
    looks = [look_of(image), look_of(image.transpose(Image.Transpose.ROTATE_180)), look_of(image.rotate(90))]
    assert near_groups(looks) == []


# ── plain images ─────────────────────────────────────────────────────────────────────────────────────────────


def gradient(start, end, upright=False):
    ramp = np.linspace(start, end, 100).astype(np.uint8)
    return Image.fromarray(np.tile(ramp, (80, 1)).T if upright else np.tile(ramp, (80, 1)))


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (100, 80), "white"),
        Image.new("RGB", (100, 80), (200, 30, 30)),
        Image.new("L", (100, 80), 0),
        gradient(0, 255),
        gradient(200, 10),
        gradient(0, 255, upright=True),
        Image.fromarray(np.random.default_rng(0).integers(127, 129, (80, 100), np.uint8)),
        Image.fromarray(np.repeat([[0] * 50 + [255] * 50], 80, axis=0).astype(np.uint8)),
    ],
    ids=["white", "red", "black", "ramp", "ramp down", "upright ramp", "faint noise", "two halves"],
)
def test_a_plain_image_has_no_look_and_is_like_nothing(image):
    assert look_of(image) is None
    assert near_groups([look_of(image)] * 3) == []


def shape(number):
    """One dark shape on white; each of another size and place."""
    image = Image.new("RGB", (128, 128), "white")
    x, y, size = 20 + 9 * (number % 7), 20 + 8 * (number // 7), 14 + 5 * (number % 5)
    draw = ImageDraw.Draw(image)
    (draw.ellipse if number % 2 else draw.rectangle)((x, y, x + size, y + size), fill=(30, 60, 90))
    return image


def test_simple_drawings_raise_no_alarm():
    assert near_groups([look_of(shape(number)) for number in range(60)]) == []


def test_the_same_drawing_in_another_colour_is_another():
    red, green = Image.new("RGB", (128, 128), (255, 160, 160)), Image.new("RGB", (128, 128), (160, 255, 160))
    for image in (red, green):
        ImageDraw.Draw(image).ellipse((20, 30, 90, 100), fill=(0, 0, 0))
    assert near_groups([look_of(red), look_of(green)]) == []


@pytest.mark.skipif(not DIGITS, reason="no MNIST here: TRAINYARD_DATA names no folder with it")
def test_handwritten_digits_are_nearly_all_different():
    images = np.frombuffer(gzip.decompress(DIGITS[0].read_bytes())[16:], np.uint8).reshape(-1, 28, 28)[:2000]
    groups = near_groups([look_of(Image.fromarray(image)) for image in images])
    assert sum(len(group) for group in groups) <= 6


# ── the arithmetic ───────────────────────────────────────────────────────────────────────────────────────────


def look_from(bits, colour=(100, 100, 100)):
    return (np.packbits(bits).tobytes() + bytes(colour)).hex()


def random_bits(count, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (count, 256), np.uint8)


def flipped(bits, number, first=0):
    changed = bits.copy()
    changed[first : first + number] ^= 1
    return changed


def test_as_many_bits_as_allowed_are_near_and_one_more_is_not():
    (bits,) = random_bits(1)
    assert near_groups([look_from(bits), look_from(flipped(bits, NEAR_BITS))]) == [[0, 1]]
    assert near_groups([look_from(bits), look_from(flipped(bits, NEAR_BITS + 1))]) == []


@pytest.mark.parametrize("first", [0, 60, 128, 232])
def test_bits_count_wherever_they_are(first):
    (bits,) = random_bits(1)
    assert near_groups([look_from(bits), look_from(flipped(bits, NEAR_BITS, first))]) == [[0, 1]]


def test_the_mean_colour_counts():
    (bits,) = random_bits(1)
    looks = [look_from(bits, (100, 100, 100)), look_from(bits, (100, 132, 100)), look_from(bits, (67, 100, 100))]
    assert near_groups(looks[:2]) == [[0, 1]]
    assert near_groups([looks[0], looks[2]]) == []


def test_alike_goes_on_from_one_to_the_next():
    (bits,) = random_bits(1)
    chain = [look_from(flipped(bits, 20 * step)) for step in range(6)]
    assert near_groups(chain) == [[0, 1, 2, 3, 4, 5]]


def test_what_belongs_together_joins_what_looks_alike():
    bits = random_bits(3)
    looks = [look_from(bits[0]), look_from(bits[1]), look_from(bits[1]), None, look_from(bits[2])]
    assert near_groups(looks, together=[[0, 3]]) == [[0, 3], [1, 2]]
    assert near_groups(looks, together=[[0, 1]]) == [[0, 1, 2]]


def test_nothing_is_like_nothing():
    assert near_groups([]) == []
    assert near_groups([None, None]) == []
    assert same_groups([]) == []


def test_pairs_are_found_among_ten_thousand_whatever_their_places():
    """Every pair is compared, also across the edges of the blocks that are compared at once."""
    bits = random_bits(10_000)
    pairs = [(0, 9_999), (63, 64), (4_095, 4_096), (4_159, 4_160), (100, 101), (5_000, 9_000)]
    for one, other in pairs:
        bits[other] = flipped(bits[one], 10)
    assert near_groups([look_from(row) for row in bits]) == sorted(map(list, pairs))


def test_thousands_that_look_alike_are_one_group():
    """All different in the second half of their bits, all near each other."""
    (bits,) = random_bits(1)
    looks = [look_from(np.concatenate([bits[:240], row[:16]])) for row in random_bits(3_000, seed=1)]
    assert near_groups(looks) == [list(range(3_000))]


def test_equal_keys_form_groups_in_their_order():
    assert same_groups(["b", "a", "c", "a", "b", "a"]) == [[0, 4], [1, 3, 5]]


def test_a_look_is_the_same_for_grey_and_its_rgb():
    grey = picture(1).convert("L")
    assert look_of(grey) == look_of(grey.convert("RGB"))
    assert len(look_of(grey)) == 70
