"""What is said about people's own images: the order to take a set in, its events, the manifest, the report. Pure data.

The HTTP door, the worker and `ml.intake` share these classes; `docs/datasets.md` explains every code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from records.specs.base import Strict

Task: TypeAlias = Literal["classification", "segmentation"]
Split: TypeAlias = Literal["train", "val", "test"]

IGNORED_CLASS = 255
"""The value of a stored mask's pixel that belongs to no class."""


# ── the order ────────────────────────────────────────────────────────────────────────────────────────────────


class Splits(Strict):
    """How images are dealt where the archive brings no ready-made splits: stratified by class."""

    train: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8
    val: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    test: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Which images of a class go where follows from it and from their content."""

    @model_validator(mode="after")
    def _are_a_whole(self) -> Splits:
        total = self.train + self.val + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"Expected train, val and test to add up to 1, got {total:g}")
        return self


class IntakeOptions(Strict):
    """What the person who uploads a set decides."""

    task: Task = "classification"
    skip_bad: bool = False
    """Accept the set without its bad files; otherwise one bad file refuses the set, with the list."""
    splits: Splits = Splits()
    """Ignored where the archive brings `train`, `val` and `test` folders, or a CSV with a column `split`."""
    labels: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Name of the CSV inside the archive with the columns `file,label` and perhaps `split`; it is found by itself where
    the images lie in one folder."""
    longest_px: Annotated[int, Field(ge=32, le=16_384)] | None = 1024
    """Stored images are shrunk to this longest side; null keeps their sizes."""
    keep_duplicates: bool = False
    """Keep images with exactly the same content; otherwise one of them stays."""

    @model_validator(mode="after")
    def _labels_are_of_classes(self) -> IntakeOptions:
        if self.labels is not None and self.task != "classification":
            raise ValueError("Expected labels with the task classification only; masks need none")
        return self


class IntakeLimits(Strict):
    """What one set, and one image of it, may cost."""

    most_entries: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    """Entries of the archive, folders among them."""
    most_bytes: Annotated[int, Field(ge=1)] = 20 * 10**9
    """Bytes of all files, unpacked."""
    most_ratio: Annotated[float, Field(ge=1.0)] = 200.0
    """Unpacked bytes for each packed byte; counts only beyond `records.intake.RATIO_FREE_BYTES`."""
    largest_image_px: Annotated[int, Field(ge=8, le=65_500)] = 16_384
    """Longest side of an image as it comes; 65,500 is the most that a JPEG can be."""
    largest_image_pixels: Annotated[int, Field(ge=64)] = 64_000_000
    """Width times height of an image as it comes."""
    largest_file_bytes: Annotated[int, Field(ge=1)] = 100 * 10**6
    processes: Annotated[int, Field(ge=1, le=64)] = 2
    """Decoders at work side by side."""
    decode_s: Annotated[float, Field(gt=0.0, le=600.0)] = 20.0
    """Time that one image may take, in seconds: by the clock, and of the processor."""
    memory_bytes: Annotated[int, Field(ge=2**27)] = 2 * 2**30
    """Address space of one decoder."""


RATIO_FREE_BYTES = 50 * 10**6
"""So many unpacked bytes are never called an archive bomb, whatever their ratio."""


class IntakeOrder(Strict):
    """One line down the standard input of `python -m ml.intake`."""

    source: Path
    """An archive, or a folder that an administrator registered."""
    folder: Path
    """An empty folder; everything is written under it."""
    parent_manifest: Path | None = None
    """Manifest of the version that this one adds to."""
    pack_prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,19}$")]
    """Begins the names of this version's files and packs: `p3` gives `p3-0.zip` and `p3-000001.jpg`."""
    options: IntakeOptions = IntakeOptions()
    limits: IntakeLimits = IntakeLimits()


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────

Stage: TypeAlias = Literal["unpacking", "reading", "comparing", "splitting", "writing", "drawing"]


class IntakeProgress(Strict):
    """How far the stage is: entries or bytes while unpacking, images in the others."""

    event: Literal["progress"] = "progress"
    stage: Stage
    done: int
    of: int


class IntakeFinished(Strict):
    """Everything is written; exit status 0 follows."""

    event: Literal["finished"] = "finished"


class IntakeRefused(Strict):
    """The set cannot be taken; exit status 1 follows. The report is written where there is something to report."""

    event: Literal["refused"] = "refused"
    code: str
    text: Annotated[str, Field(max_length=10_000)]


IntakeEvent = Annotated[IntakeProgress | IntakeFinished | IntakeRefused, Field(discriminator="event")]

_EVENTS: TypeAdapter[IntakeEvent] = TypeAdapter(IntakeEvent)


def parse_intake_event(line: str | bytes) -> IntakeEvent:
    """The event in one line.

    Raises:
        ValueError: the line is not an event (pydantic's ValidationError is one).
    """
    return _EVENTS.validate_json(line)


# ── the manifest ─────────────────────────────────────────────────────────────────────────────────────────────


class ManifestImage(Strict):
    """One image as it is stored."""

    pack: str
    """`p3-0.zip`."""
    file: str
    """`p3-000001.jpg`, in that pack."""
    mask: str | None
    """`p3-000001.mask.png` in the same pack: 8-bit grey, class indices, 255 for no class; null in classification."""
    split: Split
    label: int | None
    """Index into the manifest's classes; null in segmentation."""
    width: int
    height: int
    name: str
    """The name that it came under."""
    sha256: str
    """Of the stored image's bytes."""
    look: str | None
    """Perceptual hash, 70 hexadecimal digits (`ml.intake.look`); null where the image is too plain for one."""


class Manifest(Strict):
    """A version of a set, whole: the images of the versions before it among them. Its SHA-256 is the content hash."""

    form: Literal[1] = 1
    task: Task
    classes: tuple[str, ...]
    channels: Literal[1, 3]
    """1 where every image is grey; with 3, decode every file as RGB: a version before may hold grey ones."""
    images: tuple[ManifestImage, ...]


# ── the report ───────────────────────────────────────────────────────────────────────────────────────────────


class Part(BaseModel):
    """A part of the report: frozen, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Part):
    """What is wrong, or odd, with one file."""

    name: str
    """Its name in the archive, with escapes where it cannot be shown."""
    code: str
    """Stable; `docs/datasets.md` lists them."""
    text: str
    left_out: bool
    """False: the file is merely odd, and in the set."""


class Found(Part):
    """What lay in the archive."""

    entries: int
    """All, folders among them."""
    images: int
    """Files that are, or claim to be, images; without masks."""
    masks: int
    ignored: int
    """Files that are no images and no harm: `.DS_Store`, `__MACOSX`, read-me files."""
    ignored_names: tuple[str, ...]
    """The first hundred."""
    bytes: int
    """Of all files, unpacked."""


class ClassCount(Part):
    """Images of one class in the whole version; in segmentation, images of this upload whose mask holds the class."""

    name: str
    train: int
    val: int
    test: int
    total: int
    new: int
    """How many of them came with this upload."""
    pixel_share: float | None
    """Segmentation: share of this upload's labelled pixels, 0 to 1."""


class Range(Part):
    """Of widths or heights, in pixels."""

    min: int
    median: float
    max: int


class Sizes(Part):
    """Of the upload's images as they came, turned upright."""

    width: Range
    height: Range


class Place(Part):
    """An image in a group of duplicates."""

    name: str
    split: Split | None
    """Where it is, or where its archive had it if it was left out; null where nobody said."""
    earlier: bool
    """It belongs to the version before."""
    left_out: bool


class Groups(Part):
    """Groups of images that are, or look, the same."""

    count: int
    """All groups; the first two hundred are listed, of each the first fifty images."""
    groups: tuple[tuple[Place, ...], ...]


class Conversions(Part):
    """How many of the upload's images were changed, beyond being written anew."""

    turned: int = 0
    """By their EXIF orientation."""
    flattened: int = 0
    """From transparency onto white."""
    from_cmyk: int = 0
    from_16_bit: int = 0
    from_palette: int = 0
    first_frame: int = 0
    """The rest of an animation, or the other pages, were dropped."""
    to_srgb: int = 0
    """By their own colour profile."""
    shrunk: int = 0
    grey_to_rgb: int = 0
    """Because other images of the set are in colour."""


class IntakeReport(Part):
    """What was found in an upload, what was done to it, and what a person should look at."""

    form: Literal[1] = 1
    task: Task
    found: Found
    images: int
    """In the whole version, those of the versions before it among them."""
    new_images: int
    """Taken from this upload."""
    channels: Literal[1, 3] | None
    """Null where no image could be read."""
    ready_made_splits: bool
    """The splits came with the archive."""
    classes: tuple[ClassCount, ...]
    sizes: Sizes | None
    formats: dict[str, int]
    """Images by the format that they came in."""
    problem_counts: dict[str, int]
    """By code, all of them."""
    problems: tuple[Problem, ...]
    """The first thousand, bad ones before merely odd ones."""
    more_problems: int
    """How many are not listed."""
    bad_files: int
    """Files that cannot be taken in: the set is refused without `skip_bad`, and goes on without them with it."""
    exact_duplicates: Groups
    dropped_duplicates: int
    """Images left out because the same one is in the set."""
    near_duplicates: Groups
    leakage: Groups
    """Groups of duplicates, exact or near, that reach across splits."""
    imbalance: float | None
    """Images of the largest class for each image of the smallest."""
    small_classes: tuple[str, ...]
    """Classes under a hundred images."""
    conversions: Conversions
    warnings: tuple[str, ...]
    """Sentences on all that a person should look at."""
