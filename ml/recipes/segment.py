"""The recipe of `kind: segment`: a network learns the class of every pixel.

    trainyard segment --dataset nuclei
    expect a foreground IoU of about 0.81 (U-Net on 150 pictures of nuclei, `docs/segmentation.md`)

Random crops of the pictures, changed together with their masks, are judged pixel by pixel; what is minimised is a sum
of losses over the pixels that have a class. After each epoch the validation pictures are judged whole, in tiles that
overlap, and counted in one confusion matrix; the weights of the epoch with the best mean intersection over union there
are the ones that meet the test pictures, once, at the end.

Validation, choosing, stopping and going on are otherwise as in `ml.recipes.train`: bit for bit on the CPU.
"""

from __future__ import annotations

import time
from typing import Any

import keras

from ml.datasets.weights import weights_of_counts
from ml.engine.backbone import groups_of, load_backbone
from ml.engine.build import build_model
from ml.engine.crops import TrainingCrops
from ml.engine.identity import describe_surroundings, training_identity
from ml.engine.keeper import CheckpointKeeper
from ml.engine.memory import MemoryWatch
from ml.engine.pixel_steps import PixelSteps
from ml.engine.results import Results
from ml.engine.scene_parts import load_scenes
from ml.engine.scene_results import keep_scenes
from ml.engine.segmenting import Segmenting
from ml.engine.state import TrainingState
from ml.engine.steps import Forward
from ml.engine.stopwatch import Stages
from ml.engine.tiles import TiledModel
from ml.engine.training import Course, Training
from ml.engine.transfer import read_base
from ml.networks import draw_segmenter
from ml.reporter import Reporter
from records.orders import Order
from records.specs import SegmentSpec
from records.specs.images import sides_of


def segment(spec: SegmentSpec, order: Order, reporter: Reporter) -> dict[str, Any]:
    """Train, test, and keep the results in `order.folder`.

    Args:
        spec: what to train.
        order: `inputs` are the folder of the `dataset`, and with a base its `weights` and for an earlier job the record
            of its `run`; `checkpoint` is where to go on from.
        reporter: hears of all that happens.

    Returns:
        `test/mean_iou`, `test/dice`, `test/boundary_f1`, `test/accuracy` (of pixels) and `test/loss` where there is a
        test split, the same of `val` (of the best epoch), `epochs`, `best_epoch`.

    Raises:
        Interruption: stopped as asked, after a checkpoint.
        Diverged, DiskFull, ResumeImpossible, DatasetUnreadable, DatasetUnsuitable, ModelUnreadable,
            WeightsUnreadable.
    """
    stages = Stages(reporter, time.perf_counter)
    stages.begin("loading")
    memory = MemoryWatch()
    base = None if spec.base is None else read_base(spec.base, order)
    parts = load_scenes(spec, order, channels=None if base is None else base.input_shape[2])

    stages.begin("building")
    keras.utils.set_random_seed(spec.seed)
    size = sides_of(spec.crop_size)
    network = draw_segmenter(spec.network, (*size, parts.channels), len(parts.classes), base)
    model = build_model(network, seed=spec.seed)
    if spec.base is not None and base is not None:
        load_backbone(model, spec.base, base, order.inputs["weights"])
    crops = TrainingCrops(
        parts.train,
        size=size,
        batch_size=spec.batch_size,
        per_image=spec.crops_per_image,
        seed=spec.seed,
        augmentation=spec.augmentation,
        threads=order.device.threads,
    )
    forward = Forward(model)
    groups = groups_of(spec, model, forward, base)
    weights = weights_of_counts(spec.class_weights, parts.pixels)
    steps = PixelSteps(forward, groups, losses=spec.loss, class_weights=weights)
    tiled = TiledModel(model, overlap=spec.tile_overlap, batch_size=spec.batch_size)
    segmenting = Segmenting(tiled, classes=len(parts.classes), boundary_px=spec.boundary_px)
    keeper = CheckpointKeeper(
        order.folder,
        model=model,
        optimizers=[group.optimizer for group in groups],
        identity=training_identity(spec, order),
        reporter=reporter,
        every_s=spec.checkpoint_every_s,
        clock=time.monotonic,
    )
    state = keeper.restore(order.checkpoint) if order.checkpoint else TrainingState()
    record = describe_surroundings(order) | {
        "seed": spec.seed,
        "parameters": model.count_params(),
        "images": parts.counts,
        "pixels": dict(zip(parts.classes, parts.pixels.tolist(), strict=True)),
        "classes": parts.classes,
        "image_shape": network.input_shape,
        "resumed_from_step": state.step if order.checkpoint else None,
    }
    reporter.facts(record)

    stages.begin("training")
    course = Course.of(spec, chosen_by="val/mean_iou")
    training = Training(course, crops, steps, keeper, reporter)
    while training.is_under_way(state):
        training.run_epoch(state)
        val = segmenting.score(parts.val, between=lambda: keeper.stop_if_asked(state))
        training.end_epoch(state, val, model)
        keeper.save(state)
        reporter.facts(memory.facts())

    stages.begin("testing")
    results = Results(order.folder, reporter)
    results.keep_weights(model, "last")
    state.put_best(model)
    results.keep_weights(model, "best")
    split, shown = parts.tested
    score = segmenting.score(shown, between=lambda: None)
    summary = training.sum_up(state, split, score)

    stages.begin("reporting")
    results.keep_model(model)
    results.keep_history(state.history, state.points)
    keep_scenes(results, segmenting, shown, score, parts.classes, split=split)
    durations = {"durations_s": stages.seconds, "steps_s": state.train_s, "metrics": summary, **memory.facts()}
    reporter.facts(durations)
    results.keep_record({"spec": spec.model_dump(mode="json"), "network": network.to_json(), **record, **durations})
    return summary
