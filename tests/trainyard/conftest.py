"""One running yard for all tests of the client and the command line of a test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.trainyard.yard_process import YardProcess, run_yard
from trainyard.client import Client


@pytest.fixture(scope="session")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YardProcess]:
    """A yard with a worker, where noop jobs run."""
    with run_yard(tmp_path_factory.mktemp("yard")) as running:
        yield running


@pytest.fixture
def client(yard: YardProcess) -> Iterator[Client]:
    """A client for it, as the administrator."""
    with yard.client() as connected:
        yield connected
