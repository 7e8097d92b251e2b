"""The recipe of `kind: style_transfer`: an image is optimised until it shows one picture in the manner of others.

    trainyard style tubingen.jpg starry_night.jpg --set size=512
    expect `result.png`, a picture on the way every few seconds, and `time-lapse.webp`

Gatys, Ecker, Bethge: Image style transfer using convolutional neural networks (CVPR 2016). We differ in three ways.
Losses are shares of what is wanted, so that one set of weights holds for every size and feature network
(`ml.style.losses`). The picture is worked out on a small size first and enlarged (Gatys et al., CVPR 2017), which is
quicker and gives larger strokes. It begins at the content, not at noise, unless asked to.

What is learned is one image, not a network, so this has a loop of its own in place of `keras.Model.fit`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ml.engine.checkpoint_folder import CheckpointFolder
from ml.engine.identity import describe_surroundings
from ml.engine.memory import MemoryWatch
from ml.engine.results import Results
from ml.engine.stopwatch import Stages
from ml.estimates.painting import count_multiply_adds
from ml.networks.feature_networks import AUTO, FeatureNetwork, by_digest
from ml.reporter import Reporter
from ml.style.features import Features, load_features
from ml.style.gallery import Gallery
from ml.style.keeping import PaintingKeeper
from ml.style.objective import Weights
from ml.style.painter import Painter
from ml.style.pictures import Pixels, as_frame, resize
from ml.style.sizes import Level, fit, plan_levels
from ml.style.sketch import Sketch, layers_of, weigh
from ml.style.state import PaintingState
from records.errors import Diverged, ResumeImpossible
from records.orders import Order
from records.specs import BaseSpec, StyleTransferSpec

POINTS = 500
"""At most so many points in each curve."""
FRAMES = 48
"""At most so many pictures in the time-lapse."""
WITHOUT_EFFECT = frozenset({*BaseSpec.model_fields, "kind", "checkpoint_every_s", "picture_every_s", "features"})
"""Fields that may differ between two attempts; of the features, what they turned out to be must not."""


def paint(spec: StyleTransferSpec, order: Order, reporter: Reporter) -> dict[str, Any]:
    """Paint the picture, and keep it in `order.folder`.

    Args:
        spec: what to paint.
        order: `inputs` are the pictures by the path of the field that names each, and `features`, the weights of the
            feature network, whose hash `facts["features_sha256"]` tells which it is.
        reporter: hears of all that happens.

    Returns:
        `loss`, `loss/content`, `loss/style`, `loss/total_variation` of the picture, and `steps`, `width`, `height`,
        `features`.

    Raises:
        Interruption: stopped as asked; another attempt goes on from the checkpoint.
        PictureUnsuitable, WeightsUnreadable, ResumeImpossible, Diverged, DiskFull: as in `records.errors`.
    """
    stages = Stages(reporter, time.perf_counter)
    stages.begin("loading")
    memory = MemoryWatch()
    sketch = Sketch(spec, order.inputs)
    levels = plan_levels(*fit(*sketch.content.shape[:2], spec.size), steps=spec.steps, levels=spec.levels)

    stages.begin("building")
    chosen = by_digest(order.facts["features_sha256"])
    weights = weigh(spec, chosen)
    features = load_features(
        chosen,
        order.inputs["features"],
        layers_of(weights),
        average_pooling=spec.pooling == "average",
        precision=spec.precision,
    )
    record = describe_surroundings(order) | {
        "seed": spec.seed,
        "features": {"name": chosen.name, "title": chosen.title, "weights": chosen.weights},
        "layers": {"content": dict(weights.content), "style": dict(weights.style)},
        "levels": [{"width": level.width, "height": level.height, "steps": level.steps} for level in levels],
    }
    reporter.facts(record)
    gallery = Gallery(order.folder, reporter, every_s=spec.picture_every_s, clock=time.monotonic)
    gallery.keep_given(sketch.content, [style.image for style in sketch.styles])

    stages.begin("painting")
    painting = _Painting(sketch, levels, features, weights, spec)
    files = CheckpointFolder(
        order.folder,
        identity=_identity(spec, order, chosen),
        reporter=reporter,
        every_s=spec.checkpoint_every_s,
        clock=time.monotonic,
    )
    keeper = PaintingKeeper(files, reporter)
    _restore(painting, keeper, spec, order, reporter)
    while not painting.is_done:
        losses = painting.step()
        reporter.first_step()
        _tell(painting, losses, spec, reporter)
        gallery.show_if_due(lambda: sketch.finish(painting.painter.image))
        keeper.keep(painting.now)
    losses = painting.painter.losses()

    stages.begin("reporting")
    image = sketch.finish(painting.painter.image)
    gallery.keep_result(image, painting.state.frames)
    summary = {"loss": losses["loss"], **{f"loss/{name}": losses[name] for name in PARTS}}
    summary |= {"steps": spec.steps, "width": levels[-1].width, "height": levels[-1].height, "features": chosen.name}
    durations = {
        "steps_s": painting.state.painted_s,
        "multiply_adds": count_multiply_adds(chosen, layers_of(weights), levels),
        "durations_s": stages.seconds,
        **memory.facts(),
    }
    reporter.facts(durations)
    Results(order.folder, reporter).keep_record(
        {"spec": spec.model_dump(mode="json"), **record, **durations, "metrics": summary}
    )
    return summary


PARTS = ("content", "style", "total_variation")


class _Painting:
    """Leads a painter from size to size, and knows where it stands."""

    def __init__(
        self, sketch: Sketch, levels: Sequence[Level], features: Features, weights: Weights, spec: StyleTransferSpec
    ) -> None:
        self._sketch, self._levels = sketch, levels
        self._features, self._weights, self._spec = features, weights, spec
        self._frames_every = -(-spec.steps // FRAMES)
        self._pace: float | None = None
        """Seconds a step on this size, without the first, which compiles."""
        self.state = PaintingState()
        self.painter = self._painter_of(levels[0], sketch.begin(levels[0]))

    def restore(self, state: PaintingState) -> None:
        """Go on from here."""
        self.state = state
        self.painter = self._painter_of(self._levels[state.level], state.painter[0])
        self.painter.restore(state.painter)

    def now(self) -> PaintingState:
        """All that is needed to go on."""
        self.state.painter = self.painter.arrays
        return self.state

    @property
    def is_done(self) -> bool:
        """Whether all steps on all sizes are."""
        return self.state.step == self._spec.steps

    def step(self) -> dict[str, float]:
        """Take a step, on the next size where this one is done. Returns the losses before it.

        Raises:
            Diverged: the loss is not a finite number.
        """
        began, state = time.perf_counter(), self.state
        if state.position == self._levels[state.level].steps:
            self._enlarge()
        losses = self.painter.step()
        if not math.isfinite(losses["loss"]):
            raise Diverged(
                f"The loss is {losses['loss']} at step {state.step + 1}. Choose a smaller learning_rate, or L-BFGS."
            )
        took_s = time.perf_counter() - began
        if state.position != self._compiled_at:
            self._pace = took_s if self._pace is None else 0.9 * self._pace + 0.1 * took_s
        state.position += 1
        state.step += 1
        state.painted_s += took_s
        if state.step % self._frames_every == 0 or self.is_done:
            state.frames.append(as_frame(self._sketch.finish(self.painter.image)))
        return losses

    @property
    def level(self) -> Level:
        """The size under way."""
        return self._levels[self.state.level]

    @property
    def levels(self) -> int:
        """How many sizes there are."""
        return len(self._levels)

    @property
    def time_left_s(self) -> float | None:
        """What the steps that are left will take, by those on this size; a step costs as the number of pixels does."""
        if self._pace is None:
            return None
        areas = [level.height * level.width * level.steps for level in self._levels[self.state.level :]]
        here = self.level.height * self.level.width
        return self._pace * (sum(areas) / here - self.state.position)

    def _enlarge(self) -> None:
        self.state.level += 1
        self.state.position = 0
        image = resize(self.painter.image, self.level.height, self.level.width)
        self.painter = self._painter_of(self.level, image)

    def _painter_of(self, level: Level, image: Pixels) -> Painter:
        self._pace, self._compiled_at = None, self.state.position
        return Painter(
            self._sketch.objective(self._features, self._weights, level),
            image,
            optimizer=self._spec.optimizer,
            learning_rate=self._spec.learning_rate,
        )


def _identity(spec: StyleTransferSpec, order: Order, chosen: FeatureNetwork) -> dict[str, Any]:
    """All that a checkpoint must agree on with the painting that continues from it."""
    fields = spec.model_dump(mode="json", exclude=WITHOUT_EFFECT)
    pictures = {name: digest for name, digest in order.facts.items() if name.endswith("_sha256")}
    return {**fields, **pictures, "features": chosen.name}


def _restore(
    painting: _Painting, keeper: PaintingKeeper, spec: StyleTransferSpec, order: Order, reporter: Reporter
) -> None:
    """Go on from the checkpoint. Where only the best feature network has become another, begin anew instead."""
    if order.checkpoint is None:
        return
    try:
        painting.restore(keeper.restore(order.checkpoint))
    except ResumeImpossible as error:
        if spec.features != AUTO or " features" not in error.text:
            raise
        reporter.log("Another feature network can be had now than when this began; it begins anew with it.", "warning")


def _tell(painting: _Painting, losses: Mapping[str, float], spec: StyleTransferSpec, reporter: Reporter) -> None:
    state = painting.state
    every = -(-spec.steps // POINTS)
    if state.step % every == 0 or state.step in (1, spec.steps):
        names = {"loss": "loss", **{part: f"loss/{part}" for part in PARTS}}
        reporter.metrics((names.get(name, name), state.step, value) for name, value in losses.items())
    reporter.progress(
        step=state.step,
        steps=spec.steps,
        epoch=state.level + 1,
        epochs=painting.levels,
        time_left_s=painting.time_left_s,
        values={"loss": losses["loss"]},
    )
