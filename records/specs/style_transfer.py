"""The spec of `kind: style_transfer`: one picture painted in the manner of others."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from records.specs.base import BaseSpec, Strict

PictureId = Annotated[int, Field(ge=1, lt=2**31)]
Weight = Annotated[float, Field(ge=0.0, le=1e6)]
FeaturesName = Literal["auto", "vgg19", "vgg16", "hed_vgg16", "squeezenet"]
LEARNING_RATE = 0.02
LayerWeights = Annotated[dict[Annotated[str, Field(max_length=100)], Weight], Field(min_length=1, max_length=50)]


class StyleImage(Strict):
    """A picture that shows how to paint."""

    picture: PictureId
    """An uploaded picture's number."""
    weight: Annotated[float, Field(gt=0.0, le=1e6)] = 1.0
    """How much it counts beside the others; the weights of all are divided by their sum."""
    mask: PictureId | None = None
    """An uploaded picture of the content's size, white where this style goes; everywhere when left out."""


class StyleTransferSpec(BaseSpec):
    """Optimise an image until its content is one picture's and its style that of others (Gatys et al. 2016)."""

    kind: Literal["style_transfer"] = "style_transfer"
    method: Literal["optimize"] = "optimize"
    """`optimize`: the image itself is what learns."""
    content: Annotated[PictureId, Field(json_schema_extra={"widget": "picture"})]
    """What is shown: an uploaded picture's number (`POST /pictures`)."""
    styles: Annotated[tuple[StyleImage, ...], Field(min_length=1, max_length=8, json_schema_extra={"widget": "styles"})]
    """How it is painted."""
    features: FeaturesName = "auto"
    """The feature network; `auto` takes the best that the worker can have, and the run's record says which."""
    size: Annotated[int, Field(ge=32, le=8_192)] = 512
    """The result's longer side, in pixels."""
    steps: Annotated[int, Field(ge=1, le=20_000)] = 300
    """Optimizer steps, over all sizes."""
    levels: Annotated[int, Field(ge=1, le=8)] = 3
    """Coarse to fine: sizes that are worked out one after the other, each twice the one before; 1 is the last alone."""
    style_weight: Weight = 30.0
    """How much the style counts beside the content, whose weight is 1 unless said otherwise."""
    start: Literal["content", "noise", "style"] = "content"
    """What the first picture is."""
    preserve_colors: Literal["no", "histogram", "luminance"] = "no"
    """Keep the content's colours: recolour the styles first, or take the result's luminance alone."""
    content_layers: LayerWeights | None = None
    """Layers that the content is compared in, each with its share; those of the feature network when left out."""
    style_layers: LayerWeights | None = None
    """Layers that the style is compared in, each with its share; those of the feature network when left out."""
    content_weight: Weight = 1.0
    """How much the content counts."""
    total_variation_weight: Weight = 5.0
    """How much smoothness counts."""
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    """L-BFGS comes further in as many steps, and finds its step sizes itself."""
    learning_rate: Annotated[float, Field(gt=0.0, le=1.0)] = LEARNING_RATE
    """Adam's, in shares of the range of a pixel."""
    pooling: Literal["max", "average"] = "max"
    """`average`: a mean in place of each largest value of the feature network, as Gatys et al. prefer."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the convolutions behind the first; 16 bits are faster where the processor has them."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """The noise of `start: noise` follows from it."""
    checkpoint_every_s: Annotated[float, Field(ge=0.0, le=86_400.0)] = 60.0
    """Least time between checkpoints, in seconds."""
    picture_every_s: Annotated[float, Field(ge=0.5, le=3_600.0)] = 4.0
    """Least time between two pictures of how far it is, in seconds."""

    @field_validator("content_layers", "style_layers")
    @classmethod
    def _some_layer_counts(cls, layers: dict[str, float] | None) -> dict[str, float] | None:
        if layers is not None and not any(weight > 0 for weight in layers.values()):
            raise ValueError("Expected at least one layer with a weight above zero")
        return layers

    @model_validator(mode="after")
    def _something_counts(self) -> StyleTransferSpec:
        if self.content_weight == self.style_weight == 0:
            raise ValueError("Expected a content_weight or a style_weight above zero, got 0 for both")
        return self

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> StyleTransferSpec:
        if self.optimizer == "lbfgs" and self.learning_rate != LEARNING_RATE:
            raise ValueError("Expected learning_rate with `optimizer: adam`; L-BFGS finds its step sizes itself")
        if self.start != "noise" and self.seed:
            raise ValueError("Expected seed with `start: noise`; nothing else is drawn")
        return self

    @property
    def pictures(self) -> dict[str, int]:
        """Every picture that it names, by the path of the field that does."""
        named = {"content": self.content}
        for index, style in enumerate(self.styles):
            named[f"styles.{index}.picture"] = style.picture
            if style.mask is not None:
                named[f"styles.{index}.mask"] = style.mask
        return named
