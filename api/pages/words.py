"""Rows in words: what the templates' filters say of jobs, events and numbers. Pure; nothing here reads or escapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from api.pages.forms import label, show
from records.thrift import Thrift

Facts = Mapping[str, Any]

_STAGES = {
    "starting": "Starting",
    "loading": "Loading the data",
    "building": "Building the network",
    "training": "Training",
    "testing": "Testing",
    "predicting": "Predicting",
    "reporting": "Writing the results",
}
_CHECKS = {
    "waiting": "Waits for a worker",
    "unpacking": "Unpacking",
    "reading": "Looking at every image",
    "comparing": "Looking for duplicates",
    "splitting": "Dealing images to splits",
    "writing": "Writing images anew",
    "drawing": "Drawing samples",
    "storing": "Storing",
}
_SPLITS = {"val": "validation", "train": "training"}
_BEST_FIRST = ("test/accuracy", "val/accuracy", "test/loss", "val/loss")


def job_title(job: Any) -> str:
    """The job's name, or what its spec says it does."""
    return job.name or job_line(job)


def job_line(job: Any) -> str:
    """One line on the spec: `lenet5 on mnist · 4 epochs`."""
    spec = job.spec
    if "styles" in spec:
        return f"style transfer · {spec['size']} px · {_count(spec['steps'], 'step')}"
    if "run" in spec and "network" not in spec:
        run = spec["run"]
        source = run if isinstance(run, str) else f"job {run['job'] if isinstance(run, dict) else run}"
        what = f"{spec.get('kind', job.kind)} with {source}"
        return f"{what} on {spec['dataset']}" if spec.get("dataset") else what
    network = _network_words(spec.get("network") or {}) or _base_words(spec.get("base") or {})
    dataset = spec.get("dataset")
    what = f"{network} on {dataset}" if network and dataset else spec.get("kind", job.kind)
    epochs = spec.get("epochs", 0) + spec.get("head_epochs", 0)
    return f"{what} · {_count(epochs, 'epoch')}" if epochs else str(what)


def _base_words(base: Facts) -> str:
    """What a finetuning starts from: `efficientnet_lite0, fine-tuned`."""
    name = base.get("pretrained") or (f"job {base['job']}" if "job" in base else "")
    return f"{name}, fine-tuned" if name else ""


def live_line(live: Facts) -> str:
    """What a running job does just now: `Training · epoch 2 of 4`."""
    stage = str(live.get("stage") or "starting")
    text = _STAGES.get(stage, stage.capitalize())
    unit = {"training": "epoch", "painting": "size"}.get(stage)
    if unit and live.get("epochs"):
        text += f" · {unit} {live['epoch']} of {live['epochs']}"
    return text


def live_facts(live: Facts) -> str:
    """Step and speed of a running job."""
    parts = []
    if live.get("steps"):
        parts.append(f"step {live.get('step', 0):,} of {live['steps']:,}")
    if live.get("images_per_s"):
        parts.append(f"{live['images_per_s']:,.0f} images/s")
    return " · ".join(parts)


def time_left(live: Facts) -> str:
    """How long a running job still needs, as far as it knows."""
    seconds = live.get("time_left_s")
    return f"{duration(seconds)} left" if seconds is not None else ""


def stage_words(stage: str) -> str:
    """What the check of a dataset does just now."""
    return _CHECKS.get(stage, stage.capitalize())


def when(text: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(text)


def duration(seconds: float) -> str:
    """`1 h 20 min`, `2 min 5 s`, `8 s`."""
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def place_words(place: int | None) -> str:
    """Where a waiting job stands."""
    if place is None:
        return "Waits"
    return "Next in the queue" if place == 1 else f"{ordinal(place)} in the queue"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th` …"""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def scores(summary: Facts) -> list[tuple[str, str]]:
    """The numbers that sum a run up, each with its name in words."""
    return [(metric_words(name), number(name, value)) for name, value in summary.items()]


def metric_words(name: str) -> str:
    """`val/accuracy` as `Validation accuracy`."""
    split, _, rest = name.rpartition("/")
    words = f"{_SPLITS.get(split, split)} {rest}".replace("_", " ").replace("/", " ").strip()
    return words[:1].upper() + words[1:]


def best_line(summary: Facts) -> str:
    """The one number that says most of a finished job."""
    found = next((name for name in _BEST_FIRST if summary.get(name) is not None), None)
    return f"{metric_words(found)} {number(found, summary[found])}" if found else ""


def number(name: str, value: Any) -> str:
    """A value as its metric's name asks for: accuracies in percent."""
    if isinstance(value, float) and name.endswith(("accuracy", "accuracy_low", "accuracy_high")):
        return f"{value * 100:.2f} %"
    if name.endswith("_s") and isinstance(value, int | float):
        return duration(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else plain(value)


def event_words(event: Any) -> str:
    """What happened, as a sentence."""
    if event.from_status and event.to_status:
        moved = f"{event.from_status} → {event.to_status}"
        return f"{moved}: {event.text}" if event.text else moved
    return str(event.text or event.kind.replace("_", " ").capitalize())


def thrift_words(told: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    """How an attempt saves memory."""
    return Thrift(**told).words(int(spec["batch_size"]))


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """A nested JSON value as dotted paths with shown values."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from flat(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, plain(value)


def spec_rows(spec: Facts) -> Iterator[tuple[str, str]]:
    """A spec with a row a field; an object's name comes first, its other fields behind: `adam · beta_1 0.9`."""
    for name, value in spec.items():
        if isinstance(value, Mapping) and "layers" in value:
            yield name, _network_words(value)
        elif isinstance(value, Mapping):
            inner = [_inner(path, shown) for path, shown in flat(value) if shown != "{}"]
            yield name, " · ".join(inner)
        else:
            yield name, plain(value)


def plain(value: Any) -> str:
    """A JSON value for reading: a dash for nothing, lists with commas."""
    return show(value) or "–"


def range_words(option: Facts) -> str:
    """What an option may be."""
    if option["choices"]:
        return ", ".join(map(str, option["choices"]))
    low, high = option["minimum"], option["maximum"]
    bounds = f", {plain_number(low)} to {plain_number(high)}" if low is not None and high is not None else ""
    return f"{option['type']}{bounds}"


def plain_number(value: float) -> str:
    """Without needless digits, with commas in thousands."""
    return f"{value:,.10g}"


def byte_words(count: int) -> str:
    """`512 B`, `1.4 MB`."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def needs_words(job: Any) -> str:
    """What a waiting job asks of a device: `5.2 GB of a GPU; 0.6 GB and 1 thread of a CPU`."""
    if job.gpu_bytes is None and job.cpu_bytes is None:
        return "a whole device"
    gpu = "a whole GPU" if job.gpu_bytes is None else f"{byte_words(job.gpu_bytes)} of a GPU"
    threads = "all threads" if job.threads is None else thread_words(job.threads)
    cpu = "a whole CPU" if job.cpu_bytes is None else f"{byte_words(job.cpu_bytes)} and {threads} of a CPU"
    return f"{gpu}, or {cpu}"


def thread_words(count: int) -> str:
    """`1 thread`, `4 threads`."""
    return _count(count, "thread")


def share_words(share: float, *, signed: bool = False) -> str:
    """`4.2 %`; signed `+4.2 %` and `−4.2 %`."""
    shown = f"{abs(share) * 100:.1f} %"
    if not signed or shown == "0.0 %":
        return shown
    return f"−{shown}" if share < 0 else f"+{shown}"


def short_count(count: int) -> str:
    """`850`, `61.7 k`, `3.9 G`."""
    size = float(count)
    for unit in ("", " k", " M"):
        if size < 1000:
            return f"{size:.1f}{unit}" if unit else f"{size:.0f}"
        size /= 1000
    return f"{size:,.1f} G"


def field_words(sides: Sequence[int] | None) -> str:
    """A height and a width: one number where they are equal, `all` for the whole image."""
    if sides is None:
        return "all"
    height, width = sides
    return f"{height:,}" if height == width else f"{height:,} × {width:,}"


def picture_words(name: str) -> str:
    """`learning_curves.png` as `Learning curves`."""
    return label(name.rsplit(".", 1)[0].replace(".", " ").replace("-", "_"))


def title_words(name: str) -> str:
    """`one_cycle` as `one cycle`."""
    return name.replace("_", " ")


def code_words(text: str) -> Markup:
    """Text with what stands in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _network_words(network: Facts) -> str:
    """A network's name, or how many layers of its own it has."""
    return (
        f"own network of {_count(len(network['layers']), 'layer')}" if "layers" in network else network.get("name", "")
    )


def _inner(path: str, shown: str) -> str:
    return shown if path == "name" else f"{path.removeprefix('options.')} {shown}"


def _count(many: int, word: str) -> str:
    return f"{many:,} {word}{'' if many == 1 else 's'}"


FILTERS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        job_title, job_line, live_line, live_facts, time_left, place_words, best_line, event_words,
        plain, number, metric_words, duration, range_words, plain_number, picture_words, title_words, code_words,
        byte_words, short_count, field_words, stage_words, when, thread_words, needs_words, share_words, thrift_words,
    )
}  # fmt: skip
"""The filters of the templates, by name."""
