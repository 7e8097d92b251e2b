"""What the tests of the intake share."""

from __future__ import annotations

import pytest

from tests.ml.intake.making import Intake


@pytest.fixture
def intake(tmp_path) -> Intake:
    """Takes sets in."""
    return Intake(tmp_path)
