"""The spec of `kind: export`: a run's model written in formats that other programs read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, field_validator

from records.references import REFERENCE
from records.specs.base import BaseSpec

Format = Literal["keras", "savedmodel", "tflite", "onnx"]
Tolerance = Annotated[float, Field(ge=0.0, le=1.0)]


def _one_sentence(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        raise ValueError(
            "Expected the number of a job, or a registered model as [owner/]name[@alias or @number], such as digits@3"
        ) from error


Run = Annotated[
    Annotated[int, Field(ge=1, lt=2**31)] | Annotated[str, Field(pattern=f"^{REFERENCE}$", max_length=200)],
    WrapValidator(_one_sentence),
]
"""Whose model: a job's, or that of a version of a registered model."""


class ExportSpec(BaseSpec):
    """Write a run's model in formats that other programs read, and prove each file on real images."""

    kind: Literal["export"] = "export"
    run: Run
    """The job whose model it is, or a registered model: `digits@champion`, `digits@3`, `anna/digits`."""
    weights: Literal["best", "last"] = "best"
    """Those of the epoch that did best, or of the last one."""
    formats: Annotated[tuple[Format, ...], Field(max_length=4, json_schema_extra={"minItems": 1})] = ("onnx",)
    """`keras` is a file for Keras 3, `savedmodel` a zip for TensorFlow, `tflite` for phones, `onnx` for most others."""
    tflite_weights: Literal["float32", "float16", "int8"] = "float32"
    """What the TFLite file keeps its weights as: `float16` halves it, `int8` (dynamic range) quarters it."""
    images: Annotated[int, Field(ge=1, le=1_000)] = 64
    """Images of the run's test split that each file is proved on."""
    tolerance: Tolerance = 1e-4
    """Most that a probability may differ from the model's own; where one differs more, the job fails."""
    reduced_tolerance: Tolerance = 0.1
    """The same for a TFLite file with reduced weights."""

    @field_validator("formats")
    @classmethod
    def _each_once(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if not formats:  # not `min_length`, which also counts formats that are wrong
            raise ValueError("Expected at least one format, got none")
        if len(set(formats)) < len(formats):
            raise ValueError("Expected each format once")
        return formats
