"""One stage of a fine-tuning at work: what is frozen, which images it sees, with which optimizers it learns."""

from __future__ import annotations

import time
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from ml.datasets.images import Parts
from ml.engine.evaluate import Evaluation, Score, score
from ml.engine.freezing import Features, PartialForward, freeze
from ml.engine.identity import training_identity
from ml.engine.images import TrainingImages
from ml.engine.keeper import CheckpointKeeper
from ml.engine.state import TrainingState
from ml.engine.steps import TrainingSteps
from ml.engine.thrift import ThriftySteps
from ml.engine.training import Training
from ml.engine.transfer import Stage, group_by_rate
from ml.networks import IMAGES, Network
from ml.networks.transfer import feature_layer
from ml.reporter import Reporter
from records.orders import Order
from records.specs import FinetuneSpec


class StageAtWork:
    """A stage with all that it needs.

    Where every image stays the same from epoch to epoch and only what is behind one layer learns, that layer's output
    is computed once for each image, and the stage learns from that: the same, to rounding, in a fraction of the time.

    Args:
        stage: of which.
        spec: of the job.
        order: of the attempt.
        network: what learns, without auxiliary heads.
        model: of it, with the weights as they are now.
        parts: of the dataset.
        class_weights: as `TrainingSteps` takes them.
        thrifty: how its steps save memory.
        reporter: hears of all that happens.
    """

    def __init__(
        self,
        stage: Stage,
        spec: FinetuneSpec,
        order: Order,
        *,
        network: Network,
        model: keras.Model,
        parts: Parts,
        class_weights: NDArray[np.float32] | None,
        thrifty: ThriftySteps,
        reporter: Reporter,
    ) -> None:
        self._stage, self._spec, self._order = stage, spec, order
        self._parts, self._reporter = parts, reporter
        still = freeze(model, network, stage.frozen, train_norms=spec.train_norms)
        layer = None if stage.changes_images else feature_layer(network, stage.frozen)
        forward = PartialForward(model, network, still, start=layer or IMAGES)
        groups = group_by_rate(spec, network, forward)
        self._steps = TrainingSteps(
            thrifty.forward(forward, model, network, still=still, start=layer or IMAGES),
            groups,
            class_weights=class_weights,
            label_smoothing=spec.label_smoothing,
            **thrifty.step_options,
        )
        at_once = thrifty.at_once(spec.batch_size)
        self._evaluation = Evaluation(model, batch_size=at_once)
        self._features = Features(model, layer, forward, batch_size=at_once) if layer else None
        self.keeper = CheckpointKeeper(
            order.folder,
            model=model,
            optimizers=[group.optimizer for group in groups],
            identity=training_identity(spec, order),
            reporter=reporter,
            every_s=spec.checkpoint_every_s,
            clock=time.monotonic,
            beside=thrifty.variables,
        )

    def begin(self, state: TrainingState, checkpoint: Path | None) -> TrainingState:
        """The state to go on from: the checkpoint's, or that of the stage before. Computes what is computed once."""
        if checkpoint is None:
            state.enter(self._stage.number)
        else:
            state = self.keeper.restore(checkpoint)
        seen = self._parts.train if self._stage.changes_images else self._parts.unchanged
        self._shown = self._parts.val
        if self._features is not None:
            seen, self._shown = (
                self._features.of(part, between=lambda: self.keeper.stop_if_asked(state))
                for part in (seen, self._shown)
            )
        images = TrainingImages(
            seen,
            batch_size=min(self._spec.batch_size, len(seen)),
            seed=self._spec.seed,
            augmentation=self._stage.augmentation,
            threads=self._order.device.threads,
            size=self._parts.image_shape[:2],
            classes=len(self._parts.classes),
        )
        self.training = Training(self._stage.course, images, self._steps, self.keeper, self._reporter)
        return state

    def measure(self, state: TrainingState) -> Score:
        """How good the model is on the validation part."""
        if self._features is not None:
            return score(self._features.logits(self._shown), self._shown.labels)
        logits = self._evaluation.logits(self._shown, between=lambda: self.keeper.stop_if_asked(state))
        return score(logits, self._shown.labels)
