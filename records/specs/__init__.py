"""What people ask for: one frozen class a job kind, joined by `kind`.

The same class is the HTTP body, the JSON column, the argument of the recipe in `ml`, and the published JSON Schema.
Adding a kind adds its class to `SPECS` and its recipe to `ml.kinds`.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from records.errors import FieldProblem, InvalidSpec, NotJson, near_matches, shorten
from records.specs.base import BaseSpec, Strict
from records.specs.convolutionalise import ConvolutionaliseSpec
from records.specs.earlier import EarlierRun
from records.specs.evaluate import EvaluateSpec
from records.specs.export import ExportSpec
from records.specs.finetune import FinetuneSpec
from records.specs.network import LayerSpec, NetworkSpec
from records.specs.noop import NoopSpec
from records.specs.predict import PredictSpec
from records.specs.segment import SegmentSpec
from records.specs.style_transfer import StyleTransferSpec
from records.specs.train import TrainSpec

__all__ = [
    "SPECS",
    "TEST_KINDS",
    "BaseSpec",
    "ConvolutionaliseSpec",
    "EarlierRun",
    "EvaluateSpec",
    "ExportSpec",
    "FinetuneSpec",
    "LayerSpec",
    "NetworkSpec",
    "NoopSpec",
    "PredictSpec",
    "SegmentSpec",
    "Spec",
    "StyleTransferSpec",
    "TrainSpec",
    "parse_as",
    "parse_spec",
]

Spec = (
    TrainSpec
    | FinetuneSpec
    | SegmentSpec
    | ConvolutionaliseSpec
    | PredictSpec
    | EvaluateSpec
    | ExportSpec
    | StyleTransferSpec
    | NoopSpec
)
S = TypeVar("S", bound=Strict)
SPECS: dict[str, type[Spec]] = {
    "train": TrainSpec,
    "finetune": FinetuneSpec,
    "segment": SegmentSpec,
    "convolutionalise": ConvolutionaliseSpec,
    "predict": PredictSpec,
    "evaluate": EvaluateSpec,
    "export": ExportSpec,
    "style_transfer": StyleTransferSpec,
    "noop": NoopSpec,
}
TEST_KINDS = frozenset({"noop"})
"""Kinds that exist only under test settings."""


def parse_spec(body: Any, *, test_kinds: bool = False) -> Spec:
    """The spec that a JSON value describes.

    Args:
        body: a decoded JSON value, or JSON text as bytes.
        test_kinds: whether the kinds made for tests are known.

    Raises:
        NotJson: the bytes are not JSON, or not a JSON object.
        InvalidSpec: a field is unknown, of the wrong type or out of range; every problem is listed by path.
    """
    if isinstance(body, bytes):
        body = _decode(body)
    if not isinstance(body, dict):
        raise NotJson(f"Expected a JSON object with a spec, got {type(body).__name__}.")
    known = sorted(kind for kind in SPECS if test_kinds or kind not in TEST_KINDS)
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in known:
        came = "nothing" if kind is None else shorten(repr(kind))
        raise InvalidSpec([FieldProblem("kind", f"Expected a job kind, got {came}. {near_matches(str(kind), known)}")])
    return parse_as(SPECS[kind], body)


def parse_as(cls: type[S], body: Any) -> S:
    """The value of a class of ours that a JSON object describes, checked as strictly as a spec.

    Raises:
        NotJson: it is no JSON object.
        InvalidSpec: a field is unknown, of the wrong type or out of range; every problem is listed by path.
    """
    if not isinstance(body, dict):
        raise NotJson(f"Expected a JSON object, got {type(body).__name__}.")
    try:
        return TypeAdapter(cls).validate_json(json.dumps(body), strict=True)
    except ValidationError as error:
        raise InvalidSpec([_problem(e) for e in error.errors(include_url=False)]) from error


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"The body is not JSON: {shorten(error)}.") from error


def _problem(error: Any) -> FieldProblem:
    """One pydantic error as ours: where, what was wrong, what came."""
    path = ".".join(str(part) for part in error["loc"])
    text = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        text = "Unknown field. Remove it or check its spelling"
    elif error["type"] != "missing" and not isinstance(error["input"], dict | list):
        text = f"{text}, got {shorten(json.dumps(error['input'], default=str))}"
    return FieldProblem(shorten(path, 200), f"{text}.")
