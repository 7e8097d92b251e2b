"""`python -m bench [NAME …] [--quick]`: measure, print a table, write `bench/results.json` and `docs/figures.md`."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import describe_commit, describe_machine
from bench.report import as_text, write_page
from bench.results import RESULTS, TRIED, Measurement, read_results, write_results
from bench.setting import CannotMeasure, Measured, Setting

NAMES = (
    "start", "predict", "service", "recipe", "noop", "polling", "metrics", "memory", "place", "sharing", "estimate",
    "networks", "remedies", "intake", "pipeline", "finetune", "style", "mlflow",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run the benchmarks that are named, or all; 1 when one of them broke."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(NAMES)}; all without")
    parser.add_argument("--quick", action="store_true", help=f"few rounds, to try; writes {TRIED.name}, not kept")
    parser.add_argument("--mlflow", type=Path, metavar="PYTHON", help="an interpreter that has MLflow, to compare with")
    parser.add_argument("--simplejpeg", type=Path, metavar="PYTHON", help="an interpreter that has simplejpeg")
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="EfficientNet-Lite0's weights (.pth), for finetune"
    )
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # whatever is running is stopped on the way out
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    at_hand = {name: getattr(options, name) for name in ("mlflow", "simplejpeg", "weights")}
    return run_benchmarks(options.names or NAMES, quick=options.quick, **at_hand)


def run_benchmarks(names: Sequence[str], *, quick: bool, **at_hand: Path | None) -> int:
    """Run them one after the other, writing results after each, so that one that breaks costs only itself."""
    path = TRIED if quick else RESULTS
    results = read_results(path, describe_machine())
    broken = 0
    for name in names:
        print(f"── {name} …", flush=True)
        try:
            measurement = run_benchmark(name, quick=quick, **at_hand)
        except CannotMeasure as error:
            print(f"not measured: {error}\n", flush=True)
            continue
        except Exception as error:
            print(f"broke: {type(error).__name__}: {error}\n", file=sys.stderr, flush=True)
            broken += 1
            continue
        results = results.with_measurement(name, measurement)
        write_results(path, results)
        if not quick:
            write_page(results)
        print(as_text(measurement), flush=True)
    print(f"Written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}.")
    return 1 if broken else 0


def run_benchmark(name: str, *, quick: bool, **at_hand: Path | None) -> Measurement:
    """Run one benchmark in a folder of its own."""
    load_average, started = os.getloadavg()[0], time.monotonic()
    at, commit = datetime.now(UTC).replace(microsecond=0), describe_commit()
    with tempfile.TemporaryDirectory(prefix=f"trainyard-bench-{name}-") as folder:
        case = importlib.import_module(f"bench.cases.{name}")
        measured: Measured = case.measure(Setting(quick=quick, folder=Path(folder), **at_hand))
    return Measurement(
        at=at,
        commit=commit,
        load_average=round(load_average, 2),
        took_s=round(time.monotonic() - started, 1),
        figures=tuple(measured.figures),
        notes=tuple(measured.notes),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
