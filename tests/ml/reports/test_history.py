"""The history as a table."""

from __future__ import annotations

import csv

from ml.reports import write_history_csv


def test_epochs_come_first_and_metrics_in_order_of_appearance(tmp_path):
    rows = [
        {"train/loss": 0.5, "epoch": 1},
        {"epoch": 2, "train/loss": 0.1 + 0.2, "val/loss": None, "learning_rate": 1e-3},
    ]
    write_history_csv(tmp_path / "history.csv", rows)
    assert (tmp_path / "history.csv").read_text().splitlines() == [
        "epoch,train/loss,val/loss,learning_rate",
        "1,0.5,,",
        "2,0.30000000000000004,,0.001",
    ]


def test_reading_gives_the_same_numbers(tmp_path):
    write_history_csv(tmp_path / "history.csv", [{"epoch": 1, "train/loss": 1 / 3}])
    with (tmp_path / "history.csv").open() as file:
        assert float(next(csv.DictReader(file))["train/loss"]) == 1 / 3


def test_a_run_without_epochs_has_a_header(tmp_path):
    write_history_csv(tmp_path / "history.csv", [])
    assert (tmp_path / "history.csv").read_text() == "epoch\n"
