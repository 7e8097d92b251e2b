"""Decoding every image of the set and writing it anew, two at a time; nothing but facts stays in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ml.intake.decoder_process import DecoderProcess
from ml.intake.decoders import DecoderPool
from ml.intake.problems import Problems
from ml.intake.refusals import FileProblem
from ml.intake.rewriting import PHOTOGRAPHS
from ml.intake.samples import Sample
from ml.intake.sniffing import EXTENSIONS, extension

Size = tuple[int, int]


@dataclass(frozen=True)
class TakenSample:
    """One image of the set, decoded and written anew into a file of ours, but in no pack yet."""

    sample: Sample
    path: Path
    """The image as it will be stored, unless `grey` and the set is in colour."""
    sha256: str
    """Of that file."""
    came_as: str
    came_size: Size
    """Width and height, upright."""
    stored_size: Size
    grey: bool
    look: str | None
    conversions: tuple[str, ...]
    mask_path: Path | None = None
    """The mask with the values that it came with."""
    mask_sha256: str | None = None
    mask_counts: tuple[tuple[int, int], ...] = ()
    """Value, and pixels of it."""

    @property
    def photograph(self) -> bool:
        """Whether it would be kept as JPEG if it were in colour."""
        return self.came_as in PHOTOGRAPHS

    @property
    def suffix(self) -> str:
        return "jpg" if self.photograph and not self.grey else "png"


@dataclass(frozen=True)
class _Lost:
    """A sample that could not be read."""

    name: str
    problem: FileProblem


def read_samples(
    samples: Sequence[Sample],
    pool: DecoderPool,
    folder: Path,
    *,
    longest_px: int | None,
    problems: Problems,
    tell: Callable[[int, int], None],
) -> list[TakenSample]:
    """Read all samples; those that cannot be read become problems. Files that were read are deleted.

    Args:
        samples: the set.
        pool: decodes.
        folder: where the new files go.
        longest_px: longest side of a stored image.
        problems: takes what is wrong, or odd.
        tell: hears how far it is.
    """

    def read(decoder: DecoderProcess, numbered: tuple[int, Sample]) -> TakenSample | _Lost:
        number, sample = numbered
        try:
            return _read(decoder, sample, folder / f"{number:07d}", longest_px)
        finally:
            sample.file.path.unlink()
            if sample.mask:
                sample.mask.path.unlink()

    taken = []
    for done, result in enumerate(pool.map(read, enumerate(samples)), 1):
        if isinstance(result, _Lost):
            problems.add(result.name, result.problem.code, result.problem.text)
        else:
            _note_odd_extension(result, problems)
            taken.append(result)
        tell(done, len(samples))
    return taken


def colour_grey_ones(taken: Iterable[TakenSample], pool: DecoderPool) -> list[TakenSample]:
    """The same samples with every grey image written in RGB."""

    def colour(decoder: DecoderProcess, one: TakenSample) -> TakenSample:
        if not one.grey:
            return one
        _, made = decoder.ask("in_colour", one.path.read_bytes(), photograph=one.photograph)
        one.path.write_bytes(made)
        return replace(one, sha256=_hash(made), grey=False, conversions=(*one.conversions, "grey_to_rgb"))

    return list(pool.map(colour, taken))


def _read(decoder: DecoderProcess, sample: Sample, path: Path, longest_px: int | None) -> TakenSample | _Lost:
    """One image, and its mask."""
    name = sample.name
    try:
        facts, made = decoder.ask("rewrite", sample.file.path.read_bytes(), longest_px=longest_px)
        path.write_bytes(made)
        taken = TakenSample(
            sample=sample,
            path=path,
            sha256=_hash(made),
            came_as=facts["came_as"],
            came_size=tuple(facts["came_size"]),
            stored_size=tuple(facts["stored_size"]),
            grey=facts["grey"],
            look=facts["look"],
            conversions=tuple(facts["conversions"]),
        )
        if sample.mask is None:
            return taken
        name = sample.mask_name
        return _with_mask(decoder, taken, path.with_suffix(".mask"))
    except FileProblem as problem:
        path.unlink(missing_ok=True)
        return _Lost(name, problem)


def _with_mask(decoder: DecoderProcess, taken: TakenSample, path: Path) -> TakenSample:
    assert taken.sample.mask is not None
    data = taken.sample.mask.path.read_bytes()
    facts, made = decoder.ask("mask", data, came_size=taken.came_size, stored_size=taken.stored_size)
    path.write_bytes(made)
    counts = tuple((int(value), int(count)) for value, count in facts["counts"])
    return replace(taken, mask_path=path, mask_sha256=_hash(made), mask_counts=counts)


def _note_odd_extension(taken: TakenSample, problems: Problems) -> None:
    end = extension(taken.sample.file.name)
    if EXTENSIONS.get(end) != taken.came_as:
        claimed = f"ends in .{end}" if end else "has no extension"
        problems.add_odd(
            taken.sample.name,
            "wrong_extension",
            f"The name {claimed}, the content is {taken.came_as}. The file is in the set.",
        )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
