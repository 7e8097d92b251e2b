"""Queues as CSV: the yard's own columns and those of a public trace."""

from __future__ import annotations

from io import StringIO

import pytest

from records.errors import InvalidRequest
from records.replay import Entry, class_load, read_trace, write_trace

GB = 10**9
COLUMNS = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"
)
ALIBABA = """
a,12000,16384,1,1000,,LS,Running,100,1100,150
b,6000,12288,1,460,,BE,Running,50,350,
c,6000,12288,2,1000,,LS,Running,60,360,60
d,6000,12288,0,0,,LS,Running,60,360,60
e,6000,12288,1,500,,LS,Failed,70,,70
"""


def read(text):
    return read_trace(StringIO(text), device_bytes=24 * GB)


def test_the_yards_own_columns_are_read_and_times_counted_from_the_first_job():
    text = "submit_s,user,memory_bytes,devices,seconds\n130,bob,,1,5\n100,ada,2000000000,1,60.5\n110,ada,1,2,5\n"
    entries, left_out = read(text)
    assert entries == [Entry(0.0, "ada", 2 * GB, 60.5), Entry(30.0, "bob", None, 5.0)]
    assert left_out == 1, "a job for two devices"


def test_a_public_trace_is_read_by_its_mapping():
    entries, left_out = read(COLUMNS + ALIBABA)
    assert entries == [Entry(0.0, "BE", int(0.46 * 24 * GB), 300.0), Entry(50.0, "LS", None, 950.0)]
    assert left_out == 3, "for two devices, for none, and one that never ended"


def test_what_is_written_is_read_again():
    entries = [Entry(0.0, "ada", 5, 1.5), Entry(2.0, "bob", None, 3.0)]
    file = StringIO()
    write_trace(entries, file)
    assert read(file.getvalue()) == (entries, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "Expected the columns submit_s, user"),
        ("", "got none"),
        ("submit_s,user,seconds\n1,ada,x\n", "Line 2: expected a number from 0 up as `seconds`, got 'x'"),
        ("submit_s,user,seconds\n-1,ada,2\n", "Line 2: expected a number from 0 up as `submit_s`"),
        ("submit_s,user,memory_bytes,seconds\n1,ada,nan,2\n", "`memory_bytes`, got 'nan'"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_line(text, words):
    with pytest.raises(InvalidRequest) as told:
        read(text)
    assert words in told.value.text


def test_a_made_up_load_follows_from_its_seed():
    assert class_load(3) == class_load(3)
    assert class_load(3) != class_load(4)
    entries = class_load(0, people=5, jobs=50)
    assert len(entries) == 50
    assert [entry.submit_s for entry in entries] == sorted(entry.submit_s for entry in entries)
    small = sum(entry.memory_bytes < 4 * GB for entry in entries)
    assert 25 < small < 50, "many small, few large"
