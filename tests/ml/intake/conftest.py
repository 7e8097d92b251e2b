"""What the tests of the intake share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml.intake.spool import Spool
from tests.ml.intake.making import Intake


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    """Takes sets in."""
    return Intake(tmp_path)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """An empty one."""
    with Spool(tmp_path) as spool:
        yield spool
