"""The submit form: what it sends, what it says of mistakes, and the JSON beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.api.pages.conftest import RunningYard, Visit

pytestmark = pytest.mark.browser


def spec_of(page: Page) -> Any:
    """The spec that the form stands for."""
    page.get_by_role("tab", name="JSON").click()
    spec = json.loads(page.locator("#json").input_value())
    page.get_by_role("tab", name="Form").click()
    return spec


def test_the_form_says_what_differs_from_the_defaults(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    page = open_window(full_yard).log_in().go("/submit")
    page.get_by_label("Epochs").fill("7")
    page.get_by_label("Network", exact=True).select_option("dense")
    page.locator("#dense-network-options-hidden").fill("300, 100")
    page.get_by_label("Optimizer").select_option("sgd")
    page.get_by_label("Nesterov").check()
    page.get_by_text("More options").click()
    page.get_by_label("Augmentation").check()
    page.get_by_label("Shift").fill("0.1")
    page.get_by_label("Class weights").fill("balanced")
    assert spec_of(page) == {
        "kind": "train",
        "name": "",
        "dataset": "mnist",
        "network": {"name": "dense", "options": {"hidden": [300, 100]}},
        "epochs": 7,
        "batch_size": 128,
        "seed": 0,
        "learning_rate": 0.001,
        "optimizer": {"name": "sgd", "nesterov": True},
        "schedule": {"name": "cosine"},
        "augmentation": {"shift": 0.1},
        "class_weights": "balanced",
    }


def test_an_average_of_the_weights_is_sent_when_one_is_chosen_and_else_left_out(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    page = open_window(full_yard).log_in().go("/submit")
    page.get_by_text("More options").click()
    averaging = page.get_by_label("Averaging")
    expect(averaging).to_have_value("")
    assert "averaging" not in spec_of(page)
    averaging.select_option("ema")
    page.locator("#ema-averaging-decay").fill("0.99")
    assert spec_of(page)["averaging"] == {"name": "ema", "decay": 0.99}
    averaging.select_option("swa")
    assert spec_of(page)["averaging"] == {"name": "swa"}
    averaging.select_option("")
    assert "averaging" not in spec_of(page)


def test_a_clone_begins_with_all_that_the_job_had(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/submit?from=1")
    spec = spec_of(page)
    assert spec["network"] == {"name": "lenet5", "options": {"activation": "tanh"}}
    assert spec["schedule"] == {"name": "one_cycle"}
    assert spec["augmentation"] == {"shift": 0.07}
    assert spec["learning_rate"] == 0.002


def test_problems_stand_at_their_fields(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/submit")
    page.get_by_label("Epochs").fill("0")
    page.get_by_label("Learning rate").fill("fast")
    page.locator("#cosine-schedule-warmup_fraction").fill("2")
    page.locator("#lenet5-network-options-dropout").fill("0.99")
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator("#epochs-error")).to_contain_text("greater than or equal to 1, got 0")
    expect(page.locator("#learning_rate-error")).to_contain_text('got "fast"')
    expect(page.locator("#cosine-schedule-warmup_fraction-error")).to_contain_text("0.9")
    expect(page.locator("#problems")).to_have_text("3 fields need another value.")
    expect(page.get_by_label("Epochs")).to_be_focused()
    page.get_by_label("Epochs").fill("1")
    expect(page.locator("#epochs-error")).to_be_hidden()
    page.get_by_label("Learning rate").fill("0.01")
    page.locator("#cosine-schedule-warmup_fraction").fill("0.1")
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator("#lenet5-network-options-dropout-error")).to_contain_text("0.9")


def test_edited_json_is_taken_over_or_sent_as_it_is(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/submit")
    page.get_by_role("tab", name="JSON").click()
    page.locator("#json").fill('{"kind": "train", "dataset": ')
    page.get_by_role("tab", name="Form").click()
    expect(page.locator("#problems")).to_contain_text("This is not JSON")
    spec = {"kind": "train", "dataset": "fashion_mnist", "network": {"name": "dense"}, "epochs": 2, "sedd": 1}
    page.locator("#json").fill(json.dumps(spec))
    page.get_by_role("tab", name="Form").click()
    expect(page.locator("#problems")).to_contain_text("The form has no field for sedd")
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator("#problems")).to_contain_text("sedd: Unknown field")
    page.locator("#json").fill(json.dumps({k: v for k, v in spec.items() if k != "sedd"}))
    page.get_by_role("tab", name="Form").click()
    expect(page.get_by_label("Dataset")).to_have_value("fashion_mnist")
    expect(page.get_by_label("Epochs")).to_have_value("2")
    page.get_by_role("button", name="Submit job").click()
    page.wait_for_url(re.compile(r"/jobs/\d+$"))
    expect(page.locator("h1")).to_contain_text("dense on fashion_mnist · 2 epochs")


def test_the_form_works_with_the_keyboard_alone(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/submit")
    page.get_by_role("tab", name="Form").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="JSON")).to_be_focused()
    expect(page.locator("#json")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.get_by_label("Name", exact=True).fill("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/jobs/\d+$"))


def test_layers_of_ones_own_are_submitted_as_json_and_cloned_as_json(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    layers = [{"type": "Flatten"}, {"type": "Dense", "units": 11}]
    spec: dict[str, Any] = {"kind": "train", "dataset": "mnist", "network": {"layers": layers}}
    page = open_window(full_yard).log_in().go("/submit")
    page.get_by_role("tab", name="JSON").click()
    page.locator("#json").fill(json.dumps(spec))
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator("#problems")).to_contain_text("network.layers.1.units: Expected 10 numbers")
    layers[1]["units"] = 10
    page.locator("#json").fill(json.dumps(spec))
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator("main")).to_contain_text("own network of 2 layers")
    page.goto(full_yard.url + "/submit?from=" + page.url.rsplit("/", 1)[1])
    expect(page.locator("#json")).to_be_visible()
    assert json.loads(page.locator("#json").input_value())["network"] == {"layers": layers}


def test_a_finetuning_is_filled_in_and_its_parts_that_are_on_can_be_switched_off(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    page = open_window(full_yard).log_in().go("/submit?kind=finetune")
    page.get_by_label("Epochs", exact=True).fill("3")
    page.get_by_text("More options").click()
    spec = spec_of(page)
    assert spec["base"] == {"pretrained": "efficientnet_lite0"}
    assert spec["augmentation"] == {"flip": "horizontal", "crop": {"scale": [0.35, 1]}}
    assert spec["early_stopping"] == {"metric": "val/accuracy"}
    assert (spec["epochs"], spec["schedule"]) == (3, {"name": "cosine", "warmup_fraction": 0.1})
    page.locator("#base-pretrained").fill("")
    page.locator("#base-job").fill("12")
    page.locator("#augmentation-crop").uncheck()
    page.locator("#early_stopping").uncheck()
    spec = spec_of(page)
    assert spec["base"] == {"job": 12}
    assert spec["augmentation"] == {"flip": "horizontal", "crop": None}
    assert spec["early_stopping"] is None
    page.get_by_label("Augmentation", exact=True).uncheck()
    assert spec_of(page)["augmentation"] is None


def test_a_finetuning_as_json_comes_back_as_it_was(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/submit?kind=finetune")
    page.get_by_role("tab", name="JSON").click()
    given = {"base": {"job": 7}, "augmentation": None, "schedule": {"name": "cosine"}, "dataset": "mnist"}
    page.locator("#json").fill(json.dumps({"kind": "finetune", **given}))
    page.get_by_role("tab", name="Form").click()
    spec = spec_of(page)
    assert {name: spec[name] for name in given} == given
    assert spec["early_stopping"] == {"metric": "val/accuracy"}
