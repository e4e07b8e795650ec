"""Several pieces of one job done at a time, with one progress that only their caller's thread reports."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from .errors import Cancelled
from .settings import Progress
from .threads import thread_count

Result = TypeVar("Result")

BEAT = 0.05
"""Seconds between two reports."""


def do_together(works: Sequence[Callable[[Progress], Result]], report: Progress) -> list[Result]:
    """Do all works, as many at a time as there are threads, and return their results in order.

    Parameters
    ----------
    works : sequence of callable(progress)
        Each is given a progress of its own, 0 to 1.
    report : callable(fraction, stage)
        What all of them have done together; called from this thread alone. When it raises, the
        works are stopped at their next report.
    """
    gauge = _Gauge(len(works), report)
    count = min(thread_count(), len(works))
    if count <= 1:
        return [work(gauge.reporting(index)) for index, work in enumerate(works)]
    with ThreadPoolExecutor(count) as pool:
        futures = [
            pool.submit(copy_context().run, work, gauge.noting(index)) for index, work in enumerate(works)
        ]
        try:
            while True:
                done, pending = wait(futures, BEAT, FIRST_EXCEPTION)
                if not pending or any(future.exception() for future in done):
                    break
                gauge.report_all()
        finally:
            gauge.is_stopped.set()
    failed = [future for future in futures if future.done() and future.exception()]
    # Whoever failed first stopped the others: theirs are Cancelled, and not the reason.
    for future in sorted(failed, key=lambda future: isinstance(future.exception(), Cancelled)):
        future.result()
    return [future.result() for future in futures]


class _Gauge:
    """The fractions of several works, and the stage of the one that reported last."""

    def __init__(self, count: int, report: Progress) -> None:
        self._fractions = [0.0] * count
        self._stage = ""
        self._report = report
        self.is_stopped = threading.Event()

    def noting(self, index: int) -> Progress:
        """Return a progress that another thread may call."""

        def note(fraction: float, stage: str) -> None:
            if self.is_stopped.is_set():
                raise Cancelled("Another part of the mask can't be solved, or the solve was cancelled.")
            self._fractions[index], self._stage = fraction, stage

        return note

    def reporting(self, index: int) -> Progress:
        """Return a progress that reports at once."""

        def note(fraction: float, stage: str) -> None:
            self._fractions[index], self._stage = fraction, stage
            self.report_all()

        return note

    def report_all(self) -> None:
        """Report what all have done."""
        if self._stage:
            self._report(sum(self._fractions) / len(self._fractions), self._stage)
