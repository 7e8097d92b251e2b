"""The recipe of `kind: finetune`: a network that has learned before learns photographs of somebody's own.

    trainyard finetune --dataset ants-bees
    expect a validation accuracy of about 0.95 (EfficientNet-Lite0 on 244 photographs of ants and bees)

The last layer is made anew for the classes at hand. In the first stage it learns alone, from what the frozen layers
make of each image; in the second the upper layers learn too (Yosinski, Clune, Bengio, Lipson: How transferable are
features in deep neural networks?, 2014: transferred layers that are trained on do better than frozen ones, and lower
ones are the more general). The head goes first, so that its random beginnings do not spoil what lies below. Howard,
Ruder: Universal language model fine-tuning for text classification (2018) gave lower rates for lower layers, a rate
that rises before it falls (here along a cosine, there along a line), and unfreezing by stages; but here all layers of
the second stage unfreeze at once, not one an epoch. Batch norms stay as they were, unless the spec says otherwise.

Validation, choosing, stopping and going on are as in `ml.recipes.train`: bit for bit, in either stage and in between.
"""

from __future__ import annotations

import time
from typing import Any

import keras

from ml.datasets import class_weights
from ml.engine.data import load_parts
from ml.engine.evaluate import Evaluation, score
from ml.engine.identity import describe_surroundings
from ml.engine.memory import MemoryWatch
from ml.engine.results import Results
from ml.engine.stages import StageAtWork
from ml.engine.state import TrainingState
from ml.engine.stopwatch import Stages
from ml.engine.thrift import ThriftySteps, normalises_batches
from ml.engine.transfer import load_base, plan_stages, read_base, stage_of
from ml.networks.transfer import with_new_head
from ml.reporter import Reporter
from records.orders import Order
from records.specs import FinetuneSpec


def finetune(spec: FinetuneSpec, order: Order, reporter: Reporter) -> dict[str, Any]:
    """Train both stages, test, and keep the results in `order.folder`.

    Args:
        spec: what to learn, and from where.
        order: `inputs` are the folder of the `dataset`, the base's `weights`, and for an earlier job the record of its
            `run`; `checkpoint` is where to go on from.
        reporter: hears of all that happens.

    Returns:
        `test/accuracy` and `test/loss` where there is a test split, `val/accuracy`, `val/loss` (of the best epoch),
        `epochs`, `best_epoch`; epochs are counted over both stages.

    Raises:
        Interruption: stopped as asked, after a checkpoint.
        Diverged, DiskFull, ResumeImpossible, DatasetUnreadable, DatasetUnsuitable, ModelUnreadable,
            WeightsUnreadable.
    """
    stages = Stages(reporter, time.perf_counter)
    stages.begin("loading")
    memory = MemoryWatch()
    base = read_base(spec.base, order)
    parts = load_parts(spec, order, reporter, like=base.input_shape)

    stages.begin("building")
    keras.utils.set_random_seed(spec.seed)
    network = with_new_head(base, parts.image_shape, len(parts.classes))
    thrifty = ThriftySteps.of(spec, order)
    model = load_base(spec, order, base, network, policy=thrifty.policy)
    record = describe_surroundings(order) | {
        "seed": spec.seed,
        "parameters": model.count_params(),
        "images": parts.counts,
        "classes": parts.classes,
        "image_shape": parts.image_shape,
        **thrifty.facts(spec.batch_size, normalises=spec.train_norms and normalises_batches(network)),
    }
    reporter.facts(record)

    stages.begin("training")
    weights = class_weights(spec.class_weights, parts.train.labels, parts.classes)
    state, first = TrainingState(), stage_of(order.checkpoint)
    for stage in plan_stages(spec, network):
        if stage.number < first:
            continue
        work = StageAtWork(
            stage,
            spec,
            order,
            network=network,
            model=model,
            parts=parts,
            class_weights=weights,
            thrifty=thrifty,
            reporter=reporter,
        )
        state = work.begin(state, order.checkpoint if stage.number == first else None)
        while work.training.is_under_way(state):
            work.training.run_epoch(state)
            work.training.end_epoch(state, work.measure(state), model)
            work.keeper.save(state)
            reporter.facts(memory.facts())

    stages.begin("testing")
    results = Results(order.folder, reporter)
    results.keep_weights(model, "last")
    state.put_best(model)
    results.keep_weights(model, "best")
    split, shown = parts.tested
    logits = Evaluation(model, batch_size=thrifty.at_once(spec.batch_size)).logits(shown, between=lambda: None)
    summary = work.training.sum_up(state, split, score(logits, shown.labels))

    stages.begin("reporting")
    results.keep_model(model)
    results.keep_history(state.history, state.points)
    results.keep_answers(shown, logits, parts.classes, split=split)
    results.keep_gradcam(model, network, shown, logits, parts.classes)
    durations = {"durations_s": stages.seconds, "steps_s": state.train_s, "metrics": summary, **memory.facts()}
    reporter.facts(durations)
    results.keep_record({"spec": spec.model_dump(mode="json"), "network": network.to_json(), **record, **durations})
    return summary
