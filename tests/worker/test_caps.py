"""A child that takes more memory than it was lent dies of it, alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from worker.caps import Cap, addresses_of, held_bytes

MB = 10**6
LENT = 300 * MB
SIT = """
import sys
held = bytearray(int(sys.argv[1]))
held[::4096] = b"x" * len(held[::4096])
print(flush=True)
input()
"""


@pytest.fixture
def sitter():
    """`sitter(size)`: a process that holds so much until it is ended."""
    started = []

    def start(size):
        command = [sys.executable, "-c", SIT, str(size)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_what_a_process_holds_is_seen_and_compared_with_what_it_was_lent(sitter):
    process = sitter(200 * MB)
    assert 200 * MB < held_bytes(Path(f"/proc/{process.pid}/status")) < 260 * MB
    assert Cap(process.pid, memory_bytes=100 * MB, threads=1).is_exceeded()
    within = Cap(process.pid, memory_bytes=LENT, threads=1)
    assert not within.is_exceeded()
    assert within.most_bytes > 200 * MB


def test_a_process_that_is_gone_holds_nothing(sitter):
    process = sitter(0)
    process.kill()
    process.wait()
    assert held_bytes(Path(f"/proc/{process.pid}/status")) == 0
    assert not Cap(process.pid, memory_bytes=LENT, threads=1).is_exceeded()


def test_a_crash_is_explained_by_the_last_words_or_by_what_was_held(sitter):
    process = sitter(100 * MB)
    cap = Cap(process.pid, memory_bytes=LENT, threads=1)
    cap.is_exceeded()
    assert not cap.explains_crash(["Segmentation fault"])
    assert cap.explains_crash(["terminate called after throwing an instance of 'std::bad_alloc'"])
    assert cap.explains_crash(["[low_level_alloc.cc : 599] RAW: mmap error: 12"])
    full = Cap(process.pid, memory_bytes=120 * MB, threads=1)
    full.is_exceeded()
    assert full.explains_crash([])


@pytest.mark.parametrize(
    ("fill_bytes", "words"),
    [(10 * LENT, "more memory than the 0.3 GB of cpu:0"), (LENT + 100 * MB, "was lent 300 MB of cpu:0")],
    ids=["refused by the kernel", "seen by the worker"],
)
def test_a_child_beyond_its_cap_dies_of_it_and_its_neighbour_goes_on(yard, start_worker, fill_bytes, words):
    start_worker(devices="cpu:0=2GB/2")
    neighbour = yard.submit(steps=60, step_s=0.05, memory_bytes=LENT)
    yard.under_way(neighbour)
    assert fill_bytes < addresses_of(LENT, 1) or fill_bytes > 2 * addresses_of(LENT, 1)
    greedy = yard.submit(steps=200, step_s=0.05, memory_bytes=LENT, fill_bytes=fill_bytes, max_retries=0)
    job = yard.finished(greedy)
    assert (job.status, job.reason_code) == ("failed", "out_of_memory")
    assert words in job.reason_text
    assert yard.finished(neighbour).status == "succeeded"
    assert [attempt.status for attempt in yard.attempts(neighbour)] == ["succeeded"]


def test_the_next_try_is_lent_more_and_goes_through(yard, start_worker):
    start_worker(devices="cpu:0=2GB/2")
    job_id = yard.submit(steps=20, step_s=0.05, memory_bytes=LENT, fill_bytes=LENT + 100 * MB)
    assert yard.finished(job_id).status == "succeeded"
    assert [attempt.memory_bytes for attempt in yard.attempts(job_id)] == [LENT, 2 * LENT]
