"""The spec of `kind: style_transfer`: one picture painted in the manner of others."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from records.specs.base import BaseSpec, Strict

PictureId = Annotated[int, Field(ge=1, lt=2**63)]
Weight = Annotated[float, Field(ge=0.0, le=1e6)]
LayerWeights = Annotated[dict[Annotated[str, Field(max_length=100)], Weight], Field(max_length=50)]


class StyleImage(Strict):
    """A picture that shows how to paint."""

    picture: PictureId
    """An uploaded picture's number."""
    weight: Annotated[float, Field(gt=0.0, le=1e6)] = 1.0
    """How much it counts beside the others; the weights of all are divided by their sum."""
    mask: PictureId | None = None
    """An uploaded picture of the content's shape, white where this style goes; everywhere when left out."""


class StyleTransferSpec(BaseSpec):
    """Optimise an image until its content is one picture's and its style that of others (Gatys et al. 2016)."""

    kind: Literal["style_transfer"] = "style_transfer"
    content: PictureId
    """What is shown: an uploaded picture's number."""
    styles: Annotated[tuple[StyleImage, ...], Field(min_length=1, max_length=8)]
    """How it is painted."""
    features: Annotated[str, Field(max_length=50)] = "auto"
    """The feature network; `auto` takes the best that can be had, and the run's record says which."""
    size: Annotated[int, Field(ge=32, le=8_192)] = 512
    """The result's longer side, in pixels."""
    steps: Annotated[int, Field(ge=1, le=20_000)] = 300
    """Optimizer steps, over all sizes."""
    levels: Annotated[int, Field(ge=1, le=8)] = 3
    """Coarse to fine: sizes that are worked out one after the other, each twice the one before."""
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    learning_rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.02
    """Adam's, in shares of the range of a pixel; L-BFGS finds its own."""
    start: Literal["content", "noise", "style"] = "content"
    """What the first picture is."""
    content_weight: Weight = 1.0
    style_weight: Weight = 10.0
    total_variation_weight: Weight = 1.0
    """How much smoothness counts."""
    content_layers: LayerWeights | None = None
    """Layers that the content is compared in, each with its share; those of the feature network when left out."""
    style_layers: LayerWeights | None = None
    """Layers that the style is compared in, each with its share; those of the feature network when left out."""
    pooling: Literal["max", "average"] = "max"
    """`average`: a mean in place of each largest value of the feature network, as Gatys et al. prefer."""
    preserve_colors: Literal["no", "histogram", "luminance"] = "no"
    """Keep the content's colours: recolour the styles first, or take the result's luminance alone."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the convolutions behind the first; 16 bits are faster where the processor has them."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """The noise of `start: noise` follows from it."""
    checkpoint_every_s: Annotated[float, Field(ge=0.0, le=86_400.0)] = 60.0
    """Least time between checkpoints, in seconds."""
    picture_every_s: Annotated[float, Field(ge=0.5, le=3_600.0)] = 5.0
    """Least time between two pictures of how far it is, in seconds."""

    @field_validator("content_layers", "style_layers")
    @classmethod
    def _some_layer_counts(cls, layers: dict[str, float] | None) -> dict[str, float] | None:
        if layers is not None and not any(weight > 0 for weight in layers.values()):
            raise ValueError("at least one layer needs a weight above zero")
        return layers
