"""The command that asks a trained model: about a few images at once, or about a whole dataset as a job."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from trainyard.cli.jobs import send
from trainyard.cli.session import FAILED, JobId, JsonFlag, complain, connect

if TYPE_CHECKING:
    from trainyard.results import LikelyClass, SeenImage


class Told(NamedTuple):
    """What is told of one file."""

    path: Path
    seen: SeenImage


def predict(
    context: typer.Context,
    job_id: JobId,
    images: Annotated[list[Path] | None, typer.Argument(help="Image files.", metavar="IMAGE…")] = None,
    top: Annotated[int, typer.Option(min=1, max=1_000, help="How many classes to tell of each image.")] = 3,
    weights: Annotated[str, typer.Option(help="best on the validation part, or last.")] = "best",
    invert: Annotated[bool, typer.Option("--invert", help="Turn light and dark round first.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Of models that tell pixels: the folder for masks and overlays.")
    ] = None,
    dataset: Annotated[str, typer.Option(help="Instead of images: a whole dataset, as a job that writes a CSV.")] = "",
    split: Annotated[str, typer.Option(help="With --dataset: train, val, test or all.")] = "test",
    watch_it: Annotated[bool, typer.Option("--watch", "-w", help="With --dataset: watch it to its end.")] = False,
    as_json: JsonFlag = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV and nothing else.")] = False,
) -> None:
    """Ask a trained model what is on images, or on all of a --dataset. Exit status 1 when an image cannot be read."""
    paths = images or []
    if bool(paths) == bool(dataset):
        raise typer.BadParameter("Name image files, or a --dataset.")
    if dataset:
        if out is not None:
            raise typer.BadParameter("--out goes with images; a job over a dataset writes files of its own.")
        spec = {"kind": "predict", "run": {"job": job_id, "weights": weights}, "dataset": dataset, "split": split}
        send(context, spec, watch_it=watch_it, as_json=as_json)
        return
    for path in paths:
        if not path.is_file():
            raise typer.BadParameter(f"{path} is no file.")
    if out is not None and len({path.stem for path in paths}) < len(paths):
        raise typer.BadParameter("Two images have the same name, and so would their masks. Ask about them one by one.")
    seen = connect(context).predict(job_id, paths, top=top, weights=weights, invert=invert)
    told = [Told(path, one) for path, one in zip(paths, seen, strict=True)]
    if out is not None:
        _save(told, out)
    _print(told, as_json=as_json, as_csv=as_csv)
    if any(one.seen.problem for one in told):
        raise typer.Exit(FAILED)


def _save(told: Sequence[Told], folder: Path) -> None:
    """Write masks and overlays, under the names of the files."""
    pixels = [(path, seen.pixels) for path, seen in told if seen.pixels is not None]
    if not pixels and any(seen.classes for _, seen in told):
        raise typer.BadParameter(
            "This model tells the classes of images: there are no masks to write. Leave --out out."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, seen in pixels:
        seen.save(folder, path.stem)


COMMANDS: dict[str, Callable[..., None]] = {"predict": predict}


def _print(told: Sequence[Told], *, as_json: bool, as_csv: bool) -> None:
    from trainyard.cli.output import print_json

    if as_json:
        left_out = {"pixels": {"mask", "overlay"}}  # megabytes; --out writes them
        shown = [one.seen.model_dump(mode="json", exclude=left_out) for one in told]
        print_json({"images": [{**seen, "path": str(one.path)} for seen, one in zip(shown, told, strict=True)]})
    elif as_csv:
        _print_csv(told)
    else:
        _print_table(told)


def _print_csv(told: Sequence[Told]) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(("image", "rank", "class", "probability", "problem"))
    for path, seen in told:
        if seen.problem is not None:
            rows.writerow((path, "", "", "", seen.problem.text))
        rows.writerows((path, rank, one.name, one.probability, "") for rank, one in enumerate(_likely(seen), 1))


def _print_table(told: Sequence[Told]) -> None:
    from trainyard.cli.output import print_table

    most = max((len(_likely(one.seen)) for one in told), default=0)
    columns = ("IMAGE", "CLASS", *("" for _ in range(most - 1)))
    good = [one for one in told if one.seen.problem is None]
    rows: list[tuple[Any, ...]] = [(path.name, *(_cell(one) for one in _likely(seen))) for path, seen in good]
    if rows:
        print_table(columns, rows, empty="", stretch="IMAGE")
    for path, seen in told:
        if seen.problem is not None:
            complain(f"{path}: {seen.problem.text}")


def _likely(seen: SeenImage) -> Sequence[LikelyClass]:
    """The likeliest classes; of pixels, what share of the image each class covers, the largest first."""
    from trainyard.results import LikelyClass

    if seen.pixels is None:
        return seen.classes
    shares = sorted(seen.pixels.shares, key=lambda one: -one.share)
    return [LikelyClass(name=one.name, probability=one.share) for one in shares]


def _cell(likely: LikelyClass) -> str:
    """`7 99.9 %`."""
    return f"{likely.name} {likely.probability:.1%}".replace("%", " %")
