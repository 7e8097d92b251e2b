"""Datasets for benchmarks that run without a yard: fetched and verified by one all the same."""

from __future__ import annotations

from pathlib import Path

from bench.yard import run_yard

TINY = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}, "epochs": 1, "train_examples": 128}


def fetch_mnist(home: Path) -> Path:
    """The folder with MNIST's four plain files, in the cache of a yard that has been stopped again."""
    with run_yard(home, child_start="spawn") as yard:
        yard.run(TINY)
        return yard.cache / "datasets" / "mnist"
