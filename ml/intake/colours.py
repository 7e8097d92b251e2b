"""Bringing an image of any kind of colours to 8-bit grey or RGB. Runs in a decoder."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
from PIL import Image, ImageCms

from ml.intake.refusals import FileProblem

SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
WHITE = (255, 255, 255, 255)


def to_plain(image: Image.Image, done: list[str]) -> Image.Image:
    """The image in mode L or RGB; what was changed for it is added to `done`.

    Raises:
        FileProblem: its colours are of a kind that has no one meaning in 8 bits.
    """
    profile = image.info.get("icc_profile")
    if image.mode in ("P", "PA"):
        done.append("from_palette")
    if image.mode == "CMYK":
        done.append("from_cmyk")
    if image.mode in SIXTEEN_BIT or image.mode == "I":
        image = _to_8_bit(image)
    if _may_be_transparent(image):
        image = _on_white(image, done)
    if image.mode in ("1", "L"):
        return _in_mode(image, "L")
    if image.mode in ("P", "RGBX", "YCbCr"):
        image = image.convert("RGB")
    if image.mode in ("RGB", "CMYK"):
        return _in_mode(_to_srgb(image, profile, done) if profile else image, "RGB")
    raise FileProblem(
        "colours_unknown",
        f"The image has pixels of the kind {image.mode}, which has no one meaning in 8-bit colours. Save it as RGB.",
    )


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The image itself where it is so already; Pillow would copy it."""
    return image if image.mode == mode else image.convert(mode)


def _to_srgb(image: Image.Image, profile: bytes, done: list[str]) -> Image.Image:
    """Colours by the image's own profile where it can be read; otherwise as they are."""
    with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):  # no reason to lose the picture
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(given):
            return image
        changed = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
        if changed is not None:
            done.append("to_srgb")
            return changed
    return image


def _to_8_bit(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8: 65,535 becomes 255."""
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65_535:
        raise FileProblem(
            "colours_unknown",
            f"Expected values of 0 to 65,535 in a grey image of more than 8 bits, got {values.min():,} to "
            f"{values.max():,}. Save it with 8 or 16 bits.",
        )
    table = ((np.arange(65_536, dtype=np.uint32) * 255 + 32_767) // 65_535).astype(np.uint8)
    return Image.fromarray(table[values])


def _may_be_transparent(image: Image.Image) -> bool:
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or (
        "transparency" in image.info and image.mode in ("1", "L", "P", "RGB")
    )


def _on_white(image: Image.Image, done: list[str]) -> Image.Image:
    grey = image.mode in ("1", "L", "LA", "La")
    through = {"La": "LA", "1": "L"}.get(image.mode, image.mode)  # Pillow has no straight way from these
    image = image.convert(through).convert("RGBA")
    if image.getchannel("A").getextrema()[0] < 255:
        done.append("flattened")
        image = Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image)
    return image.convert("RGB").convert("L") if grey else image.convert("RGB")
