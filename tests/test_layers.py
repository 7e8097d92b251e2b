"""The layers of the yard: who may import whom, and what must not be loaded where."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("tensorflow", "keras", "jax", "torch")
LANGUAGE = (
    "errors", "states", "specs", "events", "orders", "questions", "inputs", "intake", "library", "locks", "catalogue",
    "ladder", "placing", "references", "replay", "retries", "scopes", "thrift", "weights",
)  # fmt: skip
"""Modules of `records` that need only the standard library and pydantic."""


def modules_of(package: str) -> list[str]:
    """Every module of a package, by its files, so that a new one is tested from its first day."""
    files = sorted((ROOT / package).rglob("*.py"))
    dotted = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    # `__main__` runs a program when it is imported.
    return [name.removesuffix(".__init__") for name in dotted if not name.endswith("__main__")]


def loaded_by(modules: list[str], suspects: tuple[str, ...]) -> list[str]:
    """Which of the suspects a fresh interpreter holds after importing these modules."""
    code = f"""
import importlib, sys
for name in {modules!r}:
    importlib.import_module(name)
print(*sorted({{m.partition(".")[0] for m in sys.modules}} & set({suspects!r})))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_the_contracts_between_packages_are_kept():
    code = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_module_of_records_is_either_language_or_closed_to_ml():
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in linter["contracts"]}
    closed = set(contracts["ml sees only the language of records"]["forbidden_modules"])
    language = {"records", *(f"records.{name}" for name in LANGUAGE)}
    # What holds for a package holds for its modules.
    parts = {".".join(name.split(".")[:2]) for name in modules_of("records")}
    assert parts <= closed | language


@pytest.mark.parametrize("package", ["records", "api", "worker", "trainyard"])
def test_everything_outside_the_child_leaves_tensorflow_unloaded(package):
    modules = modules_of(package)
    assert package in modules
    assert loaded_by(modules, HEAVY) == []


def test_the_intake_loads_nothing_heavy():
    modules = modules_of("ml/intake")
    assert "ml.intake.decoder" in modules
    assert loaded_by(modules, (*HEAVY, "matplotlib", "sqlalchemy", "celery", "flask", "httpx")) == []


def test_networks_and_kinds_are_pure():
    pure = [*modules_of("ml/networks"), *modules_of("ml/estimates"), "ml.kinds"]
    assert loaded_by(pure, (*HEAVY, "numpy", "sqlalchemy", "celery", "flask")) == []


def test_asking_what_a_spec_means_stays_pure():
    """`ml.kinds` imports late; answering a whole question must not load Keras either."""
    code = """
import sys
from ml.kinds import inspect
from records.specs import parse_spec
spec = parse_spec({"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}})
print(inspect(spec).parameters, *({"tensorflow", "keras", "numpy"} & {m.partition(".")[0] for m in sys.modules}))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    parameters, *loaded = run.stdout.split()
    assert int(parameters) > 10_000
    assert loaded == []


def test_the_language_of_records_needs_only_pydantic():
    heavy = ("sqlalchemy", "celery", "redis", "flask", "numpy", "alembic")
    assert loaded_by([f"records.{name}" for name in LANGUAGE], heavy) == []


def test_the_watch_for_loaded_packages_sees_one_that_is_loaded():
    assert loaded_by(["json", "sqlalchemy.orm"], ("sqlalchemy", "celery")) == ["sqlalchemy"]
