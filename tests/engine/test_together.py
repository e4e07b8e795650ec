"""Works done at a time: results in order, one progress from one thread, and whose error it is."""

from __future__ import annotations

import threading
import time

import pytest

from engine import Cancelled
from engine.errors import BadMask
from engine.threads import limited_threads, thread_count
from engine.together import do_together


def busy(name, seconds=0.2):
    def work(progress):
        for step in range(10):
            progress(step / 10, f"{name} {step}")
            time.sleep(seconds / 10)
        progress(1.0, name)
        return name

    return work


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_results_come_in_order_and_progress_from_the_callers_thread_alone(threads):
    said = []

    def report(fraction, stage):
        assert threading.current_thread() is threading.main_thread()
        said.append((fraction, stage))

    with limited_threads(threads):
        assert do_together([busy("a", 0.3), busy("b", 0.1), busy("c", 0.2)], report) == ["a", "b", "c"]
    fractions = [fraction for fraction, _ in said]
    assert len(said) > 3 and fractions == sorted(fractions) and fractions[-1] <= 1
    assert all(stage for _, stage in said)


def test_works_know_how_many_threads_there_may_be():
    with limited_threads(2):
        assert do_together([lambda _: thread_count()] * 3, lambda *_: None) == [2, 2, 2]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_error_of_a_work_is_raised_and_stops_the_others(threads):
    reason = BadMask("too small")
    finished = []

    def failing(progress):
        time.sleep(0.1)
        raise reason

    def long(progress):
        for _ in range(100):
            progress(0.5, "long")
            time.sleep(0.02)
        finished.append(True)

    with limited_threads(threads), pytest.raises(BadMask) as raised:
        do_together([failing, long], lambda *_: None)
    assert raised.value is reason and not finished


def test_a_cancel_stops_all_and_comes_through_as_it_is():
    reason = Cancelled("Esc")

    def report(fraction, stage):
        raise reason

    begin = threading.active_count()
    with limited_threads(2), pytest.raises(Cancelled) as raised:
        do_together([busy("a", 5), busy("b", 5)], report)
    assert raised.value is reason
    assert threading.active_count() == begin
