"""Many bells, few passes of the scheduler; but never one too few."""

import threading

from worker.consumer import Passes


def test_bells_that_ring_during_a_pass_share_the_next_one(eventually):
    begun, go_on, runs = threading.Event(), threading.Event(), []

    def run():
        runs.append("pass")
        begun.set()
        assert go_on.wait(10)

    passes = Passes(run)
    first = threading.Thread(target=passes.ring)
    first.start()
    assert begun.wait(10)
    others = [threading.Thread(target=passes.ring) for _ in range(100)]
    for bell in others:
        bell.start()
    eventually(lambda: sum(bell.is_alive() for bell in others) == 1)
    assert runs == ["pass"]
    go_on.set()
    for bell in (first, *others):
        bell.join(10)
    assert runs == ["pass", "pass"]


def test_a_pass_that_fails_does_not_stop_the_next():
    answers = iter([RuntimeError("the first fails"), None])
    runs = []

    def run():
        runs.append("pass")
        if error := next(answers):
            raise error

    passes = Passes(run)
    try:
        passes.ring()
    except RuntimeError:
        passes.ring()
    assert runs == ["pass", "pass"]
