"""Facts that become columns of the attempt."""

from __future__ import annotations

import pytest

from worker.recorder import measured_columns


def test_measured_peaks_become_columns_of_the_attempt():
    facts = {"peak_device_bytes": 7, "peak_resident_bytes": 9, "seed": 1}
    assert measured_columns(facts) == {"peak_bytes": 7, "resident_bytes": 9}


@pytest.mark.parametrize("value", [None, "7", 7.5, True, -1, 2**63])
def test_what_is_no_size_stays_out_of_the_columns(value):
    assert measured_columns({"peak_device_bytes": value}) == {}
