"""Brings an attempt's inputs to this machine: verified datasets, and the newest checkpoint that is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from records.blobs import Blobs
from records.catalogue import Dataset
from records.errors import BlobUnavailable, DatasetMissing
from records.tables import ArtifactTable
from worker.deliveries import Tell, Wanted, fetch_verified
from worker.sources import Check, Source


def stage_dataset(
    dataset: Dataset, cache: Path, sources: list[Source], *, tell: Tell, check: Check
) -> tuple[Path, str]:
    """The folder with the dataset's four plain files, each of the right SHA-256; and which source they came from.

    Whoever comes first fetches; others that want the same wait for it, in this process or another.

    Args:
        dataset: what to stage.
        cache: verified datasets lie in its folder `datasets`.
        sources: where to look, in this order.
        tell: hears how the fetch goes.
        check: raises to give up.

    Raises:
        DatasetMissing: no source answered with the right bytes; the text says what was tried.
    """
    folder = cache / "datasets" / dataset.name
    wanted = Wanted(
        what=f"dataset {dataset.name!r}",
        title=dataset.title,
        files={name: f"sha256:{digest}" for name, digest in dataset.files.items()},
        missing=DatasetMissing,
        advice=(
            f"Put the files {', '.join(dataset.files)} (plain, or packed as .gz) into FOLDER/{dataset.name}/ on the "
            "worker's machine, name FOLDER in its environment variable TRAINYARD_DATA, and retry the job."
        ),
    )
    return folder, fetch_verified(wanted, folder, sources, tell=tell, check=check)


def stage_checkpoint(
    checkpoints: list[ArtifactTable], blobs: Blobs, folder: Path, *, damaged: Callable[[str], None]
) -> Path | None:
    """The newest checkpoint whose bytes are right, or None.

    Args:
        checkpoints: the job's, the newest first.
        blobs: where their bytes lie.
        folder: where to put the file.
        damaged: hears of each that had to be passed over.
    """
    for row in checkpoints:
        try:
            blobs.fetch(row.sha256, folder / row.name)
        except BlobUnavailable as error:
            damaged(f"The checkpoint of step {row.step} cannot be used; falling back to the one before. {error.text}")
        else:
            return folder / row.name
    return None
