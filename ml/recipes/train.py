"""The recipe of `kind: train`: a network learns to classify images, from random weights.

    trainyard submit examples/lenet5-mnist.json
    expect a test accuracy of about 0.992 (LeNet-5 on MNIST)

Softmax cross-entropy is minimised by stochastic gradient steps over shuffled batches (LeCun et al. 1998), with the
optimizer, schedule and augmentation of the spec; auxiliary heads, where a network has them, add their losses and are
left out of what is kept. After each epoch the validation part is measured; the weights of the epoch that did best
there are the ones that meet the test images, once, at the end. Where the spec asks for an average of the weights, it is
the average that is measured, chosen and kept. A dataset without a test split is reported on by its
validation part, under that name.

Every random draw follows from the spec's seed and the number of the step, and a checkpoint holds the rest: a training
that was stopped anywhere ends with the same weights as one that was not, bit for bit on the CPU.
"""

from __future__ import annotations

import time
from typing import Any

import keras

from ml.datasets import class_weights
from ml.engine.averaging import make_average
from ml.engine.build import build_model, main_model
from ml.engine.data import load_parts
from ml.engine.evaluate import Evaluation, score
from ml.engine.identity import describe_surroundings, training_identity
from ml.engine.images import TrainingImages
from ml.engine.keeper import CheckpointKeeper
from ml.engine.memory import MemoryWatch
from ml.engine.optimizers import make_optimizer
from ml.engine.results import Results
from ml.engine.state import TrainingState
from ml.engine.steps import Forward, RateGroup, TrainingSteps
from ml.engine.stopwatch import Stages
from ml.engine.thrift import ThriftySteps, normalises_batches
from ml.engine.training import Course, Training
from ml.networks import draw_network
from ml.reporter import Reporter
from records.orders import Order
from records.specs import TrainSpec


def train(spec: TrainSpec, order: Order, reporter: Reporter) -> dict[str, Any]:
    """Train, test, and keep the results in `order.folder`.

    Args:
        spec: what to train.
        order: `inputs["dataset"]` is the folder of the dataset's files; `checkpoint` is where to go on from.
        reporter: hears of all that happens.

    Returns:
        `test/accuracy` and `test/loss` where there is a test split, `val/accuracy`, `val/loss` (of the best epoch),
        `epochs`, `best_epoch`.

    Raises:
        Interruption: stopped as asked, after a checkpoint.
        Diverged, DiskFull, ResumeImpossible, DatasetUnreadable, DatasetUnsuitable: as in `records.errors`.
    """
    stages = Stages(reporter, time.perf_counter)
    stages.begin("loading")
    memory = MemoryWatch()
    parts = load_parts(spec, order, reporter)

    stages.begin("building")
    keras.utils.set_random_seed(spec.seed)
    network = draw_network(spec.network, parts.image_shape, len(parts.classes))
    thrifty = ThriftySteps.of(spec, order)
    trained = build_model(network, seed=spec.seed, policy=thrifty.policy)
    average = make_average(
        spec.averaging,
        main_model(trained),
        network.main,
        epochs=spec.epochs,
        at_once=thrifty.at_once(spec.batch_size),
        build=lambda main: build_model(main, seed=spec.seed, policy=thrifty.policy),
    )
    model = average.model
    images = TrainingImages(
        parts.train,
        batch_size=min(spec.batch_size, len(parts.train)),
        seed=spec.seed,
        augmentation=spec.augmentation,
        threads=order.device.threads,
        size=parts.image_shape[:2],
        classes=len(parts.classes),
    )
    optimizer = make_optimizer(spec.optimizer)
    forward = Forward(trained, network.auxiliary)
    steps = TrainingSteps(
        thrifty.forward(forward, trained, network, auxiliary=network.auxiliary),
        [RateGroup(optimizer, forward.variables)],
        class_weights=class_weights(spec.class_weights, parts.train.labels, parts.classes),
        auxiliary=network.auxiliary,
        label_smoothing=spec.label_smoothing,
        after_step=average.after_step,
        **thrifty.step_options,
    )
    evaluation = Evaluation(model, batch_size=thrifty.at_once(images.batch_size))
    keeper = CheckpointKeeper(
        order.folder,
        model=trained,
        optimizers=[optimizer],
        average=average.variables,
        identity=training_identity(spec, order),
        reporter=reporter,
        every_s=spec.checkpoint_every_s,
        clock=time.monotonic,
        beside=thrifty.variables,
    )
    state = keeper.restore(order.checkpoint) if order.checkpoint else TrainingState()
    record = describe_surroundings(order) | {
        "seed": spec.seed,
        "parameters": model.count_params(),
        "parameters_in_training": trained.count_params(),
        "images": parts.counts,
        "classes": parts.classes,
        "image_shape": parts.image_shape,
        "resumed_from_step": state.step if order.checkpoint else None,
        **thrifty.facts(images.batch_size, normalises=normalises_batches(network)),
    }
    reporter.facts(record)

    stages.begin("training")
    training = Training(Course.of(spec), images, steps, keeper, reporter)
    while training.is_under_way(state):
        training.run_epoch(state)
        average.after_epoch(state.epoch + 1, images, between=lambda: keeper.stop_if_asked(state))
        logits = evaluation.logits(parts.val, between=lambda: keeper.stop_if_asked(state))
        training.end_epoch(state, score(logits, parts.val.labels), model)
        keeper.save(state)
        reporter.facts(memory.facts())

    stages.begin("testing")
    results = Results(order.folder, reporter)
    results.keep_weights(model, "last")
    state.put_best(model)
    results.keep_weights(model, "best")
    split, shown = parts.tested
    logits = evaluation.logits(shown, between=lambda: None)
    summary = training.sum_up(state, split, score(logits, shown.labels))

    stages.begin("reporting")
    results.keep_model(model)
    results.keep_history(state.history, state.points)
    results.keep_answers(shown, logits, parts.classes, split=split)
    results.keep_gradcam(model, network, shown, logits, parts.classes)
    durations = {"durations_s": stages.seconds, "steps_s": state.train_s, "metrics": summary, **memory.facts()}
    reporter.facts(durations)
    results.keep_record({"spec": spec.model_dump(mode="json"), **record, **durations})
    return summary
