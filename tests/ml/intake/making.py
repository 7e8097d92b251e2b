"""Making images, archives and orders for the tests of the intake."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ml.intake.decoder_process import DECODER
from ml.intake.take_in import take_in
from ml.intake.telling import Teller
from records.intake import IntakeEvent, IntakeOrder, IntakeReport, Manifest

BAD_DECODER = (sys.executable, "-m", "tests.ml.intake.bad_decoder")
"""Starts a decoder that does what the bytes of an image say."""


def picture(seed: int, width: int = 64, height: int = 48) -> Image.Image:
    """Something with structure, in colour; each seed gives another."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def photograph(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Blobs of colour of many sizes, as in a photograph."""
    random = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3))
    for side in (3, 6, 12, 24, 48):
        noise = Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8))
        layers += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), float) / side**0.7
    layers -= layers.min()
    return Image.fromarray((layers * 255 / layers.max()).astype(np.uint8))


def file_of(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """The image as a file."""
    written = io.BytesIO()
    image.save(written, form, **options)
    return written.getvalue()


def png(seed: int, width: int = 64, height: int = 48) -> bytes:
    return file_of(picture(seed, width, height))


def jpeg(seed: int, width: int = 64, height: int = 48, **options: Any) -> bytes:
    return file_of(picture(seed, width, height), "JPEG", quality=90, **options)


def mask_png(values: Any) -> bytes:
    """Grey levels as they are."""
    return file_of(Image.fromarray(np.asarray(values, np.uint8)))


def two_classes(count: int = 3, first: int = 0) -> dict[str, bytes]:
    """Files of a small good set."""
    return {
        f"{name}/{number}.png": png(first + 100 * place + number)
        for place, name in enumerate(("ants", "bees"))
        for number in range(count)
    }


def write_zip(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: Mapping[str, bytes], mode: str = "w", form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, mode, format=form) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def write_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


class Intake:
    """Takes sets in, each into a folder of its own below one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self.events: list[IntakeEvent] = []
        self.folder = folder

    def __call__(
        self,
        files: Mapping[str, bytes] | Path,
        *,
        parent: Path | None = None,
        limits: Mapping[str, Any] | None = None,
        decoder: Sequence[str] = DECODER,
        **options: Any,
    ) -> IntakeReport:
        """Take in these files, in a zip unless they are an archive already; the result is the report.

        Raises:
            SetRefused: as the intake does; `report` has the report.
        """
        self._number += 1
        self.folder = self._folder / f"p{self._number}"
        self.folder.mkdir()
        source = files if isinstance(files, Path) else write_zip(self._folder / f"{self._number}.zip", files)
        order = IntakeOrder.model_validate(
            {
                "source": source,
                "folder": self.folder,
                "parent_manifest": parent,
                "pack_prefix": f"p{self._number}",
                "options": options,
                "limits": {"processes": 1, **(limits or {})},
            }
        )
        take_in(order, Teller(self.events.append), decoder=decoder)
        return self.report

    @property
    def report(self) -> IntakeReport:
        """Of the last set."""
        return IntakeReport.model_validate_json((self.folder / "report.json").read_bytes())

    @property
    def manifest_path(self) -> Path:
        return self.folder / "manifest.json"

    @property
    def manifest(self) -> Manifest:
        """Of the last set."""
        return Manifest.model_validate_json(self.manifest_path.read_bytes())

    def stored(self, file: str | None) -> Image.Image:
        """An image, or a mask, of the last set as it is stored."""
        return Image.open(io.BytesIO(self.stored_bytes(file)))

    def stored_bytes(self, file: str | None) -> bytes:
        assert file
        for pack in sorted((self.folder / "packs").iterdir()):
            with zipfile.ZipFile(pack) as archive:
                if file in archive.namelist():
                    return archive.read(file)
        raise AssertionError(f"{file} is in no pack")

    def split_of(self, name: str) -> str:
        return next(image.split for image in self.manifest.images if image.name == name)


def codes(report: IntakeReport) -> dict[str, str]:
    """Code of each listed problem, by the file's name."""
    return {problem.name: problem.code for problem in report.problems}


def order_line(order: Mapping[str, Any]) -> bytes:
    return json.dumps(order, default=str).encode() + b"\n"
