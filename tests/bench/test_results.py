"""The kept figures have the form that readers rely on, and the page shows exactly them."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from bench.__main__ import NAMES
from bench.machine import describe_machine
from bench.report import PAGE, as_text, page_with_tables
from bench.results import RESULTS, Aim, Measurement, Results, read_results, write_results
from bench.statistics import figure


@pytest.fixture(scope="module")
def machine():
    return describe_machine()


@pytest.fixture
def measurement():
    return Measurement(
        at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        commit="0123456789",
        load_average=0.5,
        took_s=61.2,
        figures=(
            figure("spawn : preload", "×", [3.0, 4.0, 4.5], Aim(relation="at least", value=3.5)),
            figure("batches of 1,000", "points/s", [12_340.0], Aim(relation="at least", value=75_000)),
        ),
        notes=("PostgreSQL was not measured.",),
    )


def test_results_are_read_as_they_were_written(tmp_path, machine, measurement):
    results = Results(machine=machine, benchmarks={}).with_measurement("start", measurement)
    write_results(tmp_path / "new" / "results.json", results)
    assert read_results(tmp_path / "new" / "results.json", machine) == results


def test_measuring_one_benchmark_again_keeps_the_others(tmp_path, machine, measurement):
    results = Results(machine=machine, benchmarks={"start": measurement, "place": measurement})
    again = results.with_measurement("place", measurement.model_copy(update={"took_s": 2.0}))
    assert again.benchmarks["start"] == measurement
    assert again.benchmarks["place"].took_s == 2.0


def test_figures_of_another_machine_are_dropped(tmp_path, machine, measurement):
    path = tmp_path / "results.json"
    write_results(path, Results(machine=machine, benchmarks={"start": measurement}))
    other = machine.model_copy(update={"cores": machine.cores + 1})
    assert read_results(path, other).benchmarks == {}


def test_a_field_that_nobody_knows_is_refused(machine):
    body = {"machine": machine.model_dump(), "benchmarks": {}, "surprise": 1}
    with pytest.raises(ValidationError, match="surprise"):
        Results.model_validate_json(json.dumps(body))


def test_a_table_shows_figure_range_aim_and_verdict(machine, measurement):
    page = "before\n<!-- figures: start -->\nold\n<!-- end -->\nafter\n"
    shown = page_with_tables(page, Results(machine=machine, benchmarks={"start": measurement}))
    assert "| spawn : preload | 4 × | 3 – 4.5 | 3 | at least 3.5 | met |" in shown
    assert "| batches of 1,000 | 12,340 points/s |  | 1 | at least 75,000 | missed |" in shown
    assert "PostgreSQL was not measured." in shown
    assert "old" not in shown
    assert shown.startswith("before\n")
    assert shown.endswith("<!-- end -->\nafter\n")


def test_a_benchmark_without_results_is_shown_as_not_measured(machine):
    page = "<!-- figures: noop -->\n<!-- end -->"
    assert "Not measured yet" in page_with_tables(page, Results(machine=machine, benchmarks={}))


def test_the_terminal_shows_a_line_for_each_figure(measurement):
    lines = as_text(measurement).splitlines()
    assert [line.split("  ")[0] for line in lines[:2]] == ["spawn : preload", "batches of 1,000"]


def test_the_page_has_a_table_for_every_benchmark():
    page = PAGE.read_text()
    assert [name for name in NAMES if f"<!-- figures: {name} -->" not in page] == []


def test_the_page_is_in_step_with_the_kept_results():
    page = PAGE.read_text()
    assert page == page_with_tables(page, Results.model_validate_json(RESULTS.read_bytes())), (
        "run `python -m bench.report`"
    )
