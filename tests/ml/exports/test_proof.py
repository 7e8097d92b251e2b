"""How far a file is from its model, and when that is too far."""

from __future__ import annotations

import numpy as np
import pytest

from ml.exports.proof import prove
from records.errors import ExportDiffers

OWN = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4]], np.float32)


def test_the_largest_difference_and_the_agreement_of_the_likeliest_class() -> None:
    proof = prove(OWN, np.array([[0.69, 0.2, 0.11], [0.1, 0.4, 0.5]], np.float32))
    assert proof.largest_difference == pytest.approx(0.1)
    assert (proof.agreement, proof.images) == (0.5, 2)
    proof.check("model.onnx", 0.11)
    with pytest.raises(ExportDiffers, match=r"model\.onnx .* within 0\.05, .* up to 0\.1, .* 50\.0%"):
        proof.check("model.onnx", 0.05)


def test_equal_probabilities_are_within_any_tolerance() -> None:
    prove(OWN, OWN.copy()).check("model.onnx", 0.0)


def test_what_is_no_number_is_never_within_a_tolerance() -> None:
    broken = OWN.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ExportDiffers):
        prove(OWN, broken).check("model.onnx", 1.0)


def test_another_shape_is_no_answer() -> None:
    with pytest.raises(ExportDiffers, match=r"shape \(2, 3\)"):
        prove(OWN, OWN[:, :2])
