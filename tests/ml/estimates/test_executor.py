"""The order in which threads take tasks up, against runs worked out by hand, and what must hold for every graph."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ml.estimates.executor import Executor, Task


def task(*readers: int, work_s: float = 1.0, cheap: bool = False) -> Task:
    return Task(work_s, cheap, readers)


def starts(*tasks: Task, threads: int = 1) -> list[int]:
    return [turn - 1 for turn in Executor(tasks, threads=threads).run() if turn > 0]


def test_a_chain_is_run_link_by_link():
    assert Executor([task(1), task(2), task()]).run() == [1, -1, 2, -2, 3, -3]


def test_one_thread_goes_on_with_one_of_what_became_ready_and_takes_from_its_pile_what_came_last():
    """After 0, one of 1, 2 and 3 is kept; what 1 makes ready, 4, comes before what lies on the pile."""
    order = starts(task(1, 2, 3), task(4), task(), task(), task())
    assert order.index(4) == order.index(1) + 1
    assert order[0] == 0


def test_what_is_cheap_is_done_before_anything_else_and_never_handed_over():
    order = starts(task(1, 2), task(), task(cheap=True))
    assert order == [0, 2, 1]


def test_a_second_thread_takes_the_oldest_of_the_pile():
    """0 makes 1, 2 and 3 ready: the first thread keeps one, the other takes what has lain longest."""
    events = Executor([task(1, 2, 3), task(), task(), task()], threads=2).run()
    together = max(sum(1 if turn > 0 else -1 for turn in events[:end]) for end in range(len(events) + 1))
    assert together == 2


def test_the_other_thread_runs_ahead_while_one_is_busy_with_a_long_task():
    """As along the chain of gradients: 1 is long, 2 → 3 → 4 short."""
    tasks = [task(1, 2, work_s=1e-3), task(work_s=1.0), task(3, work_s=1e-3), task(4, work_s=1e-3), task(work_s=1e-3)]
    events = Executor(tasks, threads=2).run()
    assert events.index(-5) < events.index(-2)


def test_equal_seeds_give_equal_orders_and_seeds_matter():
    tasks = [task(*range(1, 9)), *[task() for _ in range(8)]]
    executor = Executor(tasks, threads=2)
    assert executor.run(Random(1)) == executor.run(Random(1))
    assert len({tuple(executor.run(Random(seed))) for seed in range(20)}) > 1


@st.composite
def graphs(draw) -> list[Task]:
    """Tasks that wait only for earlier ones."""
    count = draw(st.integers(1, 25))
    return [
        task(
            *draw(st.lists(st.integers(number + 1, count - 1), max_size=4) if number + 1 < count else st.just([])),
            work_s=draw(st.floats(1e-6, 1.0)),
            cheap=draw(st.booleans()),
        )
        for number in range(count)
    ]


@given(graphs(), st.integers(1, 4), st.integers(0, 5))
def test_every_task_runs_once_and_after_all_that_it_waits_for(tasks, threads, seed):
    events = Executor(tasks, threads=threads).run(Random(seed))
    assert sorted(events) == sorted(sign * number for number in range(1, len(tasks) + 1) for sign in (1, -1))
    at = {turn: place for place, turn in enumerate(events)}
    for number, one in enumerate(tasks, 1):
        assert at[number] < at[-number]
        assert all(at[-number] < at[reader + 1] for reader in one.readers)
