"""The order of an attempt: its spec, its device, and its inputs, staged and verified."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from ml.kinds import inspect
from records.artifacts import checkpoints, find_kept
from records.attempts import Claim
from records.catalogue import CATALOGUE, Dataset
from records.clock import utc_now
from records.database import is_outage
from records.datasets import fetched_datasets, note_fetched
from records.errors import JobError, WeightsMissing
from records.image_sets import StoredVersion, find_stored
from records.inputs import ArtifactInput, DatasetInput, FirstWeightsInput, Input, PictureInput, WeightsInput
from records.lookup import YardLibrary
from records.orders import Order, OrderedDevice
from records.pictures import find_picture
from records.specs import parse_spec
from records.weights import WEIGHTS, Weights
from worker.deliveries import Tell
from worker.own_datasets import drop_unused, stage_own_dataset
from worker.ready_cache import ready_cache
from worker.recorder import Recorder
from worker.sheet import draw_sheet
from worker.sources import Check, sources_of
from worker.staging import stage_checkpoint, stage_dataset
from worker.weights import sources_of_weights, stage_weights
from worker.workplace import Workplace

log = logging.getLogger("trainyard.inputs")

T = TypeVar("T")
_PAUSE_S = 0.5


def make_order(
    place: Workplace, claim: Claim, folder: Path, *, recorder: Recorder, held: ExitStack, check: Check
) -> Order:
    """Stage everything below `folder` or in the cache, and write the order.

    Args:
        place: the worker.
        claim: the attempt.
        folder: of the attempt.
        recorder: hears how it goes.
        held: takes what must be held while the attempt uses its inputs.
        check: raises to give up.

    Raises:
        DatasetMissing: a dataset cannot be had.
        BlobUnavailable, NotFound: a file of an earlier job cannot be had.
        InvalidSpec: the stored spec is not one that this worker's code knows.
        Exception: whatever `check` raises to stop it.
    """
    out, staged = folder / "out", folder / "in"
    out.mkdir(parents=True)
    staged.mkdir()
    inputs, facts = {}, dict(place.facts)
    for role, wanted in _wanted(place, claim, check).items():
        inputs[role], facts[f"{role}_sha256"] = _stage(place, wanted, staged, recorder=recorder, held=held, check=check)
    return Order(
        job_id=claim.job_id,
        attempt_number=claim.number,
        spec=claim.spec,
        device=_ordered(claim),
        thrift=claim.thrift,
        inputs=inputs,
        facts=facts,
        checkpoint=_checkpoint(place, claim, staged, recorder=recorder, check=check),
        cache=ready_cache(place.settings.cache_folder, limit_bytes=place.settings.ready_cache_bytes, check=check),
        folder=out,
    )


def _ordered(claim: Claim) -> OrderedDevice:
    device = claim.device
    return OrderedDevice(
        name=device.name,
        kind=device.kind,
        index=device.number,
        memory_bytes=claim.memory_bytes,
        threads=claim.threads,
    )


def _wanted(place: Workplace, claim: Claim, check: Check) -> Mapping[str, Input]:
    def read() -> Mapping[str, Input]:
        with place.database.read() as session:
            return inspect(parse_spec(claim.spec, test_kinds=True), YardLibrary(session)).inputs

    return _through_outages(read, check)


def _stage(
    place: Workplace, wanted: Input, folder: Path, *, recorder: Recorder, held: ExitStack, check: Check
) -> tuple[Path, str]:
    """Where an input lies now, and its SHA-256."""
    match wanted:
        case DatasetInput(ref) if ref in CATALOGUE:
            return _stage_dataset(place, CATALOGUE[ref], recorder=recorder, check=check), CATALOGUE[ref].sha256
        case DatasetInput(ref):
            return _stage_own(place, ref, recorder=recorder, held=held, check=check)
        case ArtifactInput(job_id, name):
            return _stage_artifact(place, job_id, name, folder, check=check)
        case WeightsInput(name):
            return _stage_weights(place, WEIGHTS[name], recorder=recorder, check=check), WEIGHTS[name].digest
        case FirstWeightsInput(names):
            return _stage_first(place, [WEIGHTS[name] for name in names], recorder=recorder, check=check)
        case PictureInput(picture_id):
            return _stage_picture(place, picture_id, folder, check=check)


def _stage_artifact(place: Workplace, job_id: int, name: str, folder: Path, *, check: Check) -> tuple[Path, str]:
    def read() -> str:
        with place.database.read() as session:
            return find_kept(session, job_id, name)

    digest, target = _through_outages(read, check), folder / f"job-{job_id}-{name}"
    place.blobs.fetch(digest, target)
    return target, digest


def _stage_own(place: Workplace, ref: str, *, recorder: Recorder, held: ExitStack, check: Check) -> tuple[Path, str]:
    def read() -> StoredVersion:
        with place.database.read() as session:
            return find_stored(session, ref)

    version, cache = _through_outages(read, check), place.settings.cache_folder
    folder = stage_own_dataset(version, cache, place.blobs, held=held, tell=_telling(recorder), check=check)
    dropped = drop_unused(cache, most_bytes=place.settings.cache_bytes)
    if dropped:
        log.info("cache.dropped datasets=%s", [sha256[:12] for sha256 in dropped])
    return folder, version.sha256


def _stage_weights(place: Workplace, weights: Weights, *, recorder: Recorder, check: Check) -> Path:
    settings = place.settings
    sources = sources_of_weights(weights, settings.data, environment=place.tools)
    return stage_weights(weights, settings.cache_folder, sources, tell=_telling(recorder), check=check)


def _stage_first(
    place: Workplace, candidates: Sequence[Weights], *, recorder: Recorder, check: Check
) -> tuple[Path, str]:
    """The first weights that can be had. What cannot costs seconds, as every source gives up soon.

    Raises:
        WeightsMissing: none can; the text is the last one's.
    """
    for weights in candidates[:-1]:
        try:
            return _stage_weights(place, weights, recorder=recorder, check=check), weights.digest
        except WeightsMissing:
            recorder.log(f"The weights of {weights.title} cannot be had here; looking for the next best.")
    return _stage_weights(place, candidates[-1], recorder=recorder, check=check), candidates[-1].digest


def _stage_picture(place: Workplace, picture_id: int, folder: Path, *, check: Check) -> tuple[Path, str]:
    def read() -> str:
        with place.database.read() as session:
            return find_picture(session, picture_id, None).sha256

    digest, target = _through_outages(read, check), folder / f"picture-{picture_id}"
    place.blobs.fetch(digest, target)
    return target, digest


def _telling(recorder: Recorder) -> Tell:
    def tell(text: str) -> None:
        recorder.stage("fetching")
        recorder.log(text)

    return tell


def _stage_dataset(place: Workplace, dataset: Dataset, *, recorder: Recorder, check: Check) -> Path:
    settings = place.settings
    tools = settings.cache_folder / "tools"
    sources = sources_of(dataset, settings.data, tools=tools, environment=place.tools)
    folder, source = stage_dataset(dataset, settings.cache_folder, sources, tell=_telling(recorder), check=check)
    _note_dataset(place, dataset, folder, source)
    return folder


def _note_dataset(place: Workplace, dataset: Dataset, folder: Path, source: str) -> None:
    """Let the yard know that it has the dataset, with a sample sheet. Only nice to have: no failure matters."""
    try:
        with place.database.read() as session:
            known = fetched_datasets(session).get(dataset.name)
        if known is not None and known.sha256 == dataset.sha256 and known.sheet_sha256 is not None:
            return
        digest = _store_sheet(place, dataset, folder)
        with place.database.write() as session:
            note_fetched(session, dataset, source=source, sheet_sha256=digest, at=utc_now())
    except Exception as error:
        log.warning("dataset.not_noted dataset=%s error=%s", dataset.name, error)


def _store_sheet(place: Workplace, dataset: Dataset, folder: Path) -> str | None:
    sheet = folder.with_name(f".{dataset.name}-sheet.png")
    try:
        problem = draw_sheet(dataset.name, folder, sheet)
        if problem:
            log.warning("dataset.no_sheet dataset=%s reason=%s", dataset.name, problem)
            return None
        return place.blobs.put_file(sheet).sha256
    except JobError as error:
        log.warning("dataset.no_sheet dataset=%s reason=%s", dataset.name, error)
        return None
    finally:
        sheet.unlink(missing_ok=True)


def _checkpoint(place: Workplace, claim: Claim, folder: Path, *, recorder: Recorder, check: Check) -> Path | None:
    def read() -> Path | None:
        with place.database.read() as session:
            rows = checkpoints(session, claim.job_id)
        return stage_checkpoint(
            rows, place.blobs, folder, damaged=lambda text: recorder.remark("checkpoint_damaged", text)
        )

    return _through_outages(read, check)


def _through_outages(read: Callable[[], T], check: Check) -> T:
    while True:
        try:
            return read()
        except Exception as error:
            if not is_outage(error):
                raise
        check()
        time.sleep(_PAUSE_S)
