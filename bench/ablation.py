"""What each option of the MNIST recipe brings: `bench/ablation.json`, and the table in `docs/mnist.md`.

    python -m bench.ablation                                  # the whole of it: hours on two cores
    python -m bench.ablation --images 3000 --epochs 8 --filters 8,16,32
    python -m bench.ablation --table                          # only write the table anew

Every training is the yard's own recipe, with random weights and order of images from its seed; all validate on the same
images. Only `val/accuracy` is read: the test images say nothing about which options are good. A run that was cut off
goes on where it stopped, as long as it is asked for the same.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from pydantic import BaseModel, ConfigDict

from bench.machine import describe_commit, describe_machine
from bench.results import Machine

KEPT = Path(__file__).with_name("ablation.json")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "mnist.md"
BEGIN, END = "<!-- ablation: made by `python -m bench.ablation --table` -->\n", "<!-- end of ablation -->\n"

SHIFT: dict[str, Any] = {"shift": 0.1, "rotate_degrees": 10, "zoom": 0.1}
ELASTIC: dict[str, Any] = {"elastic": {"strength": 0.03, "points": 5}}
COSINE: dict[str, Any] = {"schedule": {"name": "cosine"}}
EMA: dict[str, Any] = {"averaging": {"name": "ema", "decay": 0.99}}
SMOOTH: dict[str, Any] = {"label_smoothing": 0.05}

VARIANTS: dict[str, dict[str, Any]] = {
    "nothing: a constant rate": {},
    "cosine schedule": COSINE,
    "shift, turn, zoom": {"augmentation": SHIFT},
    "elastic distortion": {"augmentation": ELASTIC},
    "random erasing": {"augmentation": {"erase": {}}},
    "label smoothing": SMOOTH,
    "moving average (EMA)": EMA,
    "mean over the last epochs (SWA)": {"averaging": {"name": "swa", "start_fraction": 0.5}},
    "cosine, shifts, elastic, smoothing, EMA": {
        **COSINE,
        **SMOOTH,
        **EMA,
        "augmentation": {**SHIFT, **ELASTIC},
    },
}
"""What each row changes; all else is the same."""
VIEWS = "the same, shown 8 times more (test-time augmentation)"
"""The last variant's runs once more, evaluated with changed views."""


class Asked(BaseModel):
    """How large the trainings are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: int | None
    """To train on; all that validation leaves where it is None."""
    epochs: int
    filters: tuple[int, ...]
    validation_fraction: float
    seeds: tuple[int, ...]


class Measured(BaseModel):
    """One training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant: str
    seed: int
    val_accuracy: float
    seconds: float


class Ablation(BaseModel):
    """All that was measured, and where."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: Asked
    machine: Machine
    commit: str
    validation_images: int
    train_images: int
    rows: tuple[Measured, ...] = ()

    @property
    def whole_seeds(self) -> set[int]:
        """Seeds with which every variant was measured; the others are not in the table."""
        return {
            seed
            for seed in self.asked.seeds
            if {row.variant for row in self.rows if row.seed == seed} == {*VARIANTS, VIEWS}
        }


def main() -> None:
    """Measure what is not yet measured, keeping each row at once; then write the table."""
    arguments = _parse()
    if not arguments.table:
        for kept in _measure(_asked(arguments)):
            KEPT.write_text(kept.model_dump_json(indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def page_with_table(page: str) -> str:
    """The page with the kept rows between its markers."""
    before, rest = page.split(BEGIN)
    kept = Ablation.model_validate_json(KEPT.read_bytes())
    return f"{before}{BEGIN}\n{_table(kept)}\n{END}{rest.split(END)[1]}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ablation")
    parser.add_argument("--images", type=int, help="to train on; all when left out")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--filters", default="16,32,64", help="of plain_cnn's stages")
    parser.add_argument("--validation-fraction", type=float, default=0.1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="measure nothing")
    return parser.parse_args()


def _asked(arguments: argparse.Namespace) -> Asked:
    return Asked(
        images=arguments.images,
        epochs=arguments.epochs,
        filters=tuple(int(text) for text in arguments.filters.split(",")),
        validation_fraction=arguments.validation_fraction,
        seeds=tuple(range(arguments.seeds)),
    )


def _measure(asked: Asked) -> Iterator[Ablation]:
    """The rows so far, after each new one; a whole round of one seed before the next."""
    from bench.datasets import fetch_mnist

    _prepare()
    kept = _begin(asked)
    with tempfile.TemporaryDirectory() as folder:
        data = fetch_mnist(Path(folder))
        for seed in asked.seeds:
            for variant, changes in VARIANTS.items():
                if not any((row.variant, row.seed) == (variant, seed) for row in kept.rows):
                    kept = _with_rows(kept, _train(asked, variant, changes, seed, data=data))
                    yield kept


def _begin(asked: Asked) -> Ablation:
    if KEPT.is_file():
        kept = Ablation.model_validate_json(KEPT.read_bytes())
        if kept.asked == asked:
            return kept
    machine, commit = describe_machine(), describe_commit()
    return Ablation(asked=asked, machine=machine, commit=commit, validation_images=0, train_images=0)


def _with_rows(kept: Ablation, made: tuple[list[Measured], dict[str, int]]) -> Ablation:
    rows, images = made
    for row in rows:
        print(f"{row.variant}, seed {row.seed}: {row.val_accuracy:.4f} in {row.seconds:.0f} s", flush=True)
    counts = {"validation_images": images["val"], "train_images": images["train"]}
    return kept.model_copy(update={"rows": (*kept.rows, *rows), **counts})


def _prepare() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    from ml.engine.device import prepare_device

    prepare_device(_device())


def _device() -> Any:
    from records.orders import OrderedDevice

    return OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**31, threads=2)


def _train(
    asked: Asked, variant: str, changes: dict[str, Any], seed: int, *, data: Path
) -> tuple[list[Measured], dict[str, int]]:
    """Train once; of the last variant also evaluate with changed views."""
    import keras

    from ml.recipes.train import train
    from ml.reporter import Reporter
    from records.orders import Order
    from records.specs import TrainSpec, parse_as

    keras.backend.clear_session()
    spec = {
        "kind": "train",
        "dataset": "mnist",
        "network": {"name": "plain_cnn", "options": {"filters": list(asked.filters)}},
        "epochs": asked.epochs,
        "batch_size": 64,
        "learning_rate": 0.002,
        "schedule": {"name": "constant"},
        "seed": seed,
        "split_seed": 0,
        "validation_fraction": asked.validation_fraction,
        "early_stopping": {"metric": "val/accuracy", "patience": 1000},
        **({"train_examples": asked.images} if asked.images else {}),
        **changes,
    }
    with tempfile.TemporaryDirectory() as folder:
        order = Order(
            job_id=1,
            attempt_number=1,
            spec=spec,
            device=_device(),
            inputs={"dataset": data},
            folder=Path(folder),
        )
        facts: dict[str, Any] = {}
        reporter = Reporter(lambda event: facts.update(getattr(event, "facts", {})))
        started = time.monotonic()
        found = train(parse_as(TrainSpec, spec), order, reporter)
        rows = [_row(variant, seed, found["val/accuracy"], started)]
        if variant == list(VARIANTS)[-1]:
            rows.append(_row(VIEWS, seed, _evaluate(order), started))
    return rows, facts["images"]


def _row(variant: str, seed: int, accuracy: float, started: float) -> Measured:
    return Measured(variant=variant, seed=seed, val_accuracy=accuracy, seconds=round(time.monotonic() - started, 1))


def _evaluate(trained: Any) -> float:
    """Accuracy on the validation part with changed views."""
    from ml.inspections.evaluate import roles_of
    from ml.recipes.evaluate import evaluate
    from ml.reporter import Reporter
    from records.specs import EvaluateSpec

    spec = EvaluateSpec(runs=({"job": 1},), split="val", test_time_augmentation={"count": 8})
    record, weights = roles_of(spec.runs[0])
    with tempfile.TemporaryDirectory() as folder:
        inputs = {
            **trained.inputs,
            record: trained.folder / "run.json",
            weights: trained.folder / spec.runs[0].artifact,
        }
        order = trained.model_copy(update={"inputs": inputs, "folder": Path(folder)})
        return float(evaluate(spec, order, Reporter(lambda event: None))["val/accuracy"])


def _table(kept: Ablation) -> str:
    """A row a variant: mean and standard deviation of the validation accuracy, and the gain over the first row."""
    whole = kept.whole_seeds
    by_variant = {
        variant: [row.val_accuracy for row in kept.rows if row.variant == variant and row.seed in whole]
        for variant in (*VARIANTS, VIEWS)
    }
    base = by_variant[next(iter(VARIANTS))]
    lines = [
        _told(kept),
        "",
        "| what is added | seeds | validation accuracy, mean | spread | gain |",
        "|---|---|---|---|---|",
    ]
    for variant, values in by_variant.items():
        if values:  # none where no seed is whole
            cells = (f"{mean(values):.2%}", f"± {stdev(values):.2%}" if len(values) > 1 else "", _gain(values, base))
            lines.append(f"| {variant} | {len(values)} | " + " | ".join(cells).replace("%", " %") + " |")
    return "\n".join(lines) + "\n"


def _gain(values: Sequence[float], base: Sequence[float]) -> str:
    return f"{100 * (mean(values) - mean(base)):+.2f}".replace("-", "−")


def _told(kept: Ablation) -> str:
    asked, machine = kept.asked, kept.machine
    return (
        f"`plain_cnn` with filters {', '.join(map(str, asked.filters))}, {asked.epochs} epochs of "
        f"{kept.train_images:,} training images, validated on the same {kept.validation_images:,} of the training "
        f"split (`split_seed` 0); {machine.processor}, {machine.cores} cores, TensorFlow {machine.tensorflow}, commit "
        f"{kept.commit}. The spread is the standard deviation over the seeds, the gain in points of a hundred."
    )


if __name__ == "__main__":
    main()
