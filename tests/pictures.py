"""Archives of small pictures, made here: every picture differs, and each class has a colour of its own."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Mapping

from PIL import Image

COLOURS = {"ants": (180, 60, 40), "bees": (60, 160, 50), "wasps": (40, 60, 180)}


def picture(seed: int, colour: tuple[int, int, int] = (120, 120, 120), size: tuple[int, int] = (64, 48)) -> bytes:
    """A JPEG of coloured noise."""
    dice = random.Random(seed)
    small = Image.new("RGB", (8, 6))
    small.putdata([tuple(min(255, max(0, c + dice.randrange(-90, 90))) for c in colour) for _ in range(48)])
    file = io.BytesIO()
    small.resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=92)
    return file.getvalue()


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def folder_a_class(*, each: int = 6, seed: int = 0, classes: tuple[str, ...] = ("ants", "bees")) -> dict[str, bytes]:
    """Pictures in a folder a class."""
    return {
        f"{name}/{number}.jpg": picture(seed + 1000 * place + number, COLOURS[name])
        for place, name in enumerate(classes)
        for number in range(each)
    }
