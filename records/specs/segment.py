"""The spec of `kind: segment`: a network learns the class of every pixel."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from records.specs.augmentation import Augmentation, Change, ascending
from records.specs.base import BaseSpec, Strict
from records.specs.finetune import Base
from records.specs.images import ImageSize
from records.specs.network import NetworkSpec
from records.specs.train import AdamW, Cosine, EarlyStopping, Optimizer, Rate, Schedule, some_class_counts

LossWeight = Annotated[float, Field(ge=0.0, le=1000.0)]


class PixelLosses(Strict):
    """What is minimised: the sum of these, each times its weight; 0 leaves one out."""

    cross_entropy: LossWeight = 1.0
    """Mean cross-entropy over the pixels that have a class."""
    dice: LossWeight = 1.0
    """One less the overlap of what is said and what is so, the mean over the classes (Milletari et al. 2016)."""
    focal: LossWeight = 0.0
    """Cross-entropy that counts little where the network is right and sure already (Lin et al. 2017)."""
    focal_gamma: Annotated[float, Field(ge=0.0, le=10.0)] = 2.0
    """How little, in the focal loss: the power of what is missing to certainty."""

    @model_validator(mode="after")
    def _something_is_minimised(self) -> PixelLosses:
        if not self.cross_entropy + self.dice + self.focal:
            raise ValueError("Expected a weight above zero for at least one loss, got none")
        if not self.focal and self.focal_gamma != 2.0:
            raise ValueError("Expected focal_gamma with a weight for focal; without one it has no effect")
        return self


# ── images and masks changed together ────────────────────────────────────────────────────────────────────────


class SegmentAugmentation(Strict):
    """Random changes of each crop, drawn anew every time; what moves pixels moves those of the mask alike."""

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    """Mirror every second crop, drawn at random: left to right, upside down, or each of both."""
    rotate_degrees: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    """Largest rotation to either side, in degrees."""
    scale: Annotated[
        tuple[Annotated[float, Field(ge=0.25, le=4.0)], Annotated[float, Field(ge=0.25, le=4.0)]],
        AfterValidator(ascending),
    ] = (1.0, 1.0)
    """Least and most that what is on the image is enlarged by."""
    brightness: Change = 0.0
    """Largest change of the brightness, as a share of it."""
    contrast: Change = 0.0
    """Largest change of the contrast, as a share of it."""
    saturation: Change = 0.0
    """Largest change of how strong colours are, as a share of it. Colour images only."""
    hue_degrees: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    """Largest turn of the colours to either side, in degrees. Colour images only."""

    @property
    def colours(self) -> Augmentation:
        """The part that changes values and moves nothing."""
        names = ("brightness", "contrast", "saturation", "hue_degrees")
        return Augmentation(**{name: getattr(self, name) for name in names})


class SegmentStopping(EarlyStopping):
    """End training when the watched metric has not improved for `patience` epochs."""

    metric: Literal["val/loss", "val/mean_iou"] = "val/mean_iou"  # type: ignore[assignment]


class SegmentSpec(BaseSpec):
    """Train a network to tell the class of every pixel."""

    kind: Literal["segment"] = "segment"
    dataset: Annotated[str, Field(min_length=1, max_length=200)]
    """A dataset of one's own with masks: `nuclei`, `nuclei@1`; `GET /datasets` lists them."""
    network: NetworkSpec = NetworkSpec(name="unet")
    """`unet`, `fcn32s`, `fcn16s`, `fcn8s` or `deeplab_v3plus`, with options."""
    base: Base | None = None
    """A classifier that has learned before and becomes the network's backbone: weights that have a name, or an earlier
    job. Without one, the network's own or the one that its options name begins at random."""
    backbone_rate: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Share of the learning rate at which a backbone that has learned before goes on learning; with `base` only."""
    crop_size: ImageSize = 256
    """Pixels a side of what the network sees at a time, or height and width: crops in training, tiles that overlap in
    prediction. The network's stride divides it, mostly 16 or 32."""
    crops_per_image: Annotated[int, Field(ge=1, le=1000)] = 1
    """Random crops of each image in an epoch."""
    tile_overlap: Annotated[float, Field(ge=0.0, le=0.75)] = 0.25
    """Least share of a tile's side that it has in common with the next; what both say is blended."""
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 30
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 8
    """Crops a step."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Everything random follows from it: weights, crops and their order, dropout, augmentation."""
    optimizer: Optimizer = AdamW()
    learning_rate: Rate = 1e-3
    """The peak of the schedule."""
    schedule: Schedule = Cosine()
    augmentation: SegmentAugmentation | None = SegmentAugmentation(flip="horizontal")
    loss: PixelLosses = PixelLosses()
    class_weights: Literal["balanced"] | tuple[Annotated[float, Field(ge=0.0, le=1e6)], ...] | None = None
    """In cross-entropy and focal loss. `balanced` weighs each class by the inverse of its pixels; a list gives one
    weight a class, in class order."""
    early_stopping: SegmentStopping | None = None
    validation_fraction: Annotated[float, Field(gt=0.0, le=0.5)] = 0.1
    """Share of the training images kept for `val/` metrics; not where there is a `val` split."""
    train_examples: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Use only so many images of the training split (after validation is set aside); all when left out."""
    boundary_px: Annotated[int, Field(ge=1, le=20)] = 2
    """How far a border may be from where it should be and still be right, in pixels, for the boundary F1."""
    checkpoint_every_s: Annotated[float, Field(ge=0.0, le=86_400.0)] = 60.0
    """Least time between checkpoints within an epoch, in seconds. One is always written at the end of an epoch."""

    _some_class_counts = field_validator("class_weights")(some_class_counts)

    @model_validator(mode="after")
    def _each_field_has_an_effect(self) -> SegmentSpec:
        if self.class_weights is not None and not self.loss.cross_entropy + self.loss.focal:
            raise ValueError("Expected class_weights with cross_entropy or focal: Dice counts every class alike")
        if self.backbone_rate != 1.0 and self.base is None:
            raise ValueError("Expected a base with backbone_rate: without one the whole network learns at one rate")
        return self
