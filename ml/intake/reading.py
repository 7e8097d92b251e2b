"""Decoding every image of the set and writing it anew, two at a time; nothing but facts stays in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ml.intake.decoder_process import DecoderProcess
from ml.intake.decoders import DecoderPool
from ml.intake.problems import Problems
from ml.intake.refusals import FileProblem, SetRefused
from ml.intake.rewriting import PHOTOGRAPHS
from ml.intake.samples import Sample
from ml.intake.sniffing import EXTENSIONS, extension
from ml.intake.spool import Piece, Spool

Size = tuple[int, int]
CRASHED = "decoder_crashed"
MOST_CRASHES = 100
"""Each costs a new decoder, and up to its whole time; more of them are no accident."""


@dataclass(frozen=True)
class TakenSample:
    """One image of the set, decoded and written anew, but in no pack yet."""

    sample: Sample
    stored: Piece
    """The image as it will be stored, unless `grey` and the set is in colour."""
    sha256: str
    """Of that."""
    came_as: str
    came_size: Size
    """Width and height, upright."""
    stored_size: Size
    grey: bool
    look: str | None
    conversions: tuple[str, ...]
    stored_mask: Piece | None = None
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
    spool: Spool,
    *,
    longest_px: int | None,
    problems: Problems,
    tell: Callable[[int, int], None],
) -> list[TakenSample]:
    """Read all samples; those that cannot be read become problems.

    Args:
        samples: the set.
        pool: decodes.
        spool: takes the new files.
        longest_px: longest side of a stored image.
        problems: takes what is wrong, or odd.
        tell: hears how far it is.

    Raises:
        SetRefused: too many of them made decoders crash.
    """

    def read(decoder: DecoderProcess, sample: Sample) -> TakenSample | _Lost:
        return _read(decoder, sample, spool, longest_px)

    taken = []
    for done, result in enumerate(pool.map(read, samples), 1):
        if isinstance(result, _Lost):
            problems.add(result.name, result.problem.code, result.problem.text)
            if problems.counts[CRASHED] > MOST_CRASHES:
                raise SetRefused(
                    "too_many_crashes",
                    f"More than {MOST_CRASHES} files made the process that decodes images crash, hang or run out of "
                    "memory; the report names them. Leave such files out.",
                )
        else:
            _note_odd_extension(result, problems)
            taken.append(result)
        tell(done, len(samples))
    return taken


def colour_grey_ones(taken: Iterable[TakenSample], pool: DecoderPool, spool: Spool) -> list[TakenSample]:
    """The same samples with every grey image written in RGB."""

    def colour(decoder: DecoderProcess, one: TakenSample) -> TakenSample:
        if not one.grey:
            return one
        _, made = decoder.ask("in_colour", one.stored.read(), photograph=one.photograph)
        return replace(
            one, stored=spool.add(made), sha256=_hash(made), grey=False, conversions=(*one.conversions, "grey_to_rgb")
        )

    return list(pool.map(colour, taken))


def _read(decoder: DecoderProcess, sample: Sample, spool: Spool, longest_px: int | None) -> TakenSample | _Lost:
    """One image, and its mask."""
    name = sample.name
    try:
        facts, made = decoder.ask("rewrite", sample.file.content.read(), longest_px=longest_px)
        taken = TakenSample(
            sample=sample,
            stored=spool.add(made),
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
        return _with_mask(decoder, taken, spool)
    except FileProblem as problem:
        return _Lost(name, problem)


def _with_mask(decoder: DecoderProcess, taken: TakenSample, spool: Spool) -> TakenSample:
    assert taken.sample.mask is not None
    data = taken.sample.mask.content.read()
    facts, made = decoder.ask("mask", data, came_size=taken.came_size, stored_size=taken.stored_size)
    counts = tuple((int(value), int(count)) for value, count in facts["counts"])
    return replace(taken, stored_mask=spool.add(made), mask_sha256=_hash(made), mask_counts=counts)


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
