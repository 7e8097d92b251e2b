"""The recipes for MNIST are specs that a yard takes, and the page's table is the one that was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.ablation import KEPT, PAGE, VARIANTS, VIEWS, Ablation, page_with_table
from ml.kinds import inspect
from records.specs import TrainSpec, parse_as, parse_spec

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MEASURED = Ablation.model_validate_json(KEPT.read_bytes())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_example_is_taken(path: Path) -> None:
    assert inspect(parse_spec(path.read_bytes())).parameters > 0


@pytest.mark.parametrize(("name", "parameters"), [("mnist-best", 1_126_280), ("mnist-two-cores", 73_114)])
def test_the_recipes_choose_by_a_validation_part_that_the_spec_fixes(name: str, parameters: int) -> None:
    spec = parse_spec((EXAMPLES / f"{name}.json").read_bytes())
    assert isinstance(spec, TrainSpec)
    found = inspect(spec)
    assert found.parameters == parameters
    assert found.cost is not None
    assert (found.cost.images, found.cost.plan.averaged, found.cost.plan.augmented) == (54_000, True, True)
    assert spec.split_seed == 0
    assert spec.early_stopping is not None
    assert spec.early_stopping.metric == "val/accuracy"


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_the_three_voters_of_the_page_can_be_sent(kernel: int) -> None:
    body = json.loads((EXAMPLES / "mnist-best.json").read_text())
    body["network"]["options"]["kernel"] = kernel
    assert inspect(parse_spec(body | {"seed": kernel})).parameters > 1_000_000


def test_the_table_is_in_step_with_what_was_measured() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_table(page), "run `python -m bench.ablation --table`"


def test_the_table_has_whole_rounds_of_seeds_and_no_other() -> None:
    assert MEASURED.whole_seeds
    table = PAGE.read_text(encoding="utf-8").split("<!-- ablation")[1]
    for variant in (*VARIANTS, VIEWS):
        assert f"| {variant} | {len(MEASURED.whole_seeds)} |" in table


def test_each_variant_is_a_spec() -> None:
    for changes in VARIANTS.values():
        spec = {"kind": "train", "dataset": "mnist", "network": {"name": "plain_cnn"}, **changes}
        assert inspect(parse_as(TrainSpec, spec)).parameters > 0
