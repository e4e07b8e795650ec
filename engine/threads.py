"""How work is shared out among the processor's cores; the result never depends on how many there are."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

WORTHWHILE = 2_000_000
"""Pixels, or other numbers, in all from which on threads gain more than they lose: with less to do at each
step they mostly wait for Python's lock."""

Item = TypeVar("Item")
Result = TypeVar("Result")

OPENBLAS_NAMES = [
    f"{vendor}openblas_{{}}_num_threads{width}" for vendor in ("scipy_", "") for width in ("64_", "")
]
"""What the functions for its thread count are called, with "get" or "set" filled in."""

_limit: ContextVar[int | None] = ContextVar("limit", default=None)


def thread_count() -> int:
    """Say how many threads work: what `limited_threads` allows, or one for each core this process may use."""
    limit = _limit.get()
    if limit is not None:
        return limit
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_for(numbers: int) -> int:
    """Say how many threads are worth their while for work on so many pixels, or other numbers."""
    return thread_count() if numbers >= WORTHWHILE else 1


@contextmanager
def limited_threads(count: int | None) -> Iterator[None]:
    """Let only so many threads work meanwhile, OpenCV's own included; None leaves it at what it is.

    BLAS works on one thread in any case: what is multiplied here is small, and threads that wait for more
    keep a core busy for a tenth of a second.
    """
    import cv2

    with _blas.on_one_thread():
        if count is None:
            yield
            return
        before = cv2.getNumThreads()
        token = _limit.set(count)
        cv2.setNumThreads(count)
        try:
            yield
        finally:
            cv2.setNumThreads(before)
            _limit.reset(token)


class _Blas:
    """The copies of OpenBLAS that NumPy and SciPy bring along; other libraries are left as they are."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._users = 0
        self._before: list[int] = []

    @contextmanager
    def on_one_thread(self) -> Iterator[None]:
        """Let BLAS use one thread until the last of those who ask for that is done."""
        with self._turn:
            if not self._users:
                self._before = [get() for get, _ in self._controls]
                self._set([1] * len(self._controls))
            self._users += 1
        try:
            yield
        finally:
            with self._turn:
                self._users -= 1
                if not self._users:
                    self._set(self._before)

    def _set(self, counts: list[int]) -> None:
        for (_, put), count in zip(self._controls, counts, strict=True):
            put(count)

    @cached_property
    def _controls(self) -> list[tuple[Callable[[], int], Callable[[int], None]]]:
        """How each copy is asked for its thread count, and told."""
        import scipy

        controls: list[tuple[Callable[[], int], Callable[[int], None]]] = []
        for package in (np, scipy):
            home = Path(str(package.__file__)).parent
            beside = home.with_name(f"{package.__name__}.libs")
            for path in [*beside.glob("*openblas*"), *(home / ".dylibs").glob("*openblas*")]:
                try:
                    library = ctypes.CDLL(str(path))
                except OSError:  # it isn't what is loaded; BLAS then works as it likes
                    continue
                for name in OPENBLAS_NAMES:
                    if hasattr(library, name.format("set")):
                        controls.append((library[name.format("get")], library[name.format("set")]))
        return controls


_blas = _Blas()


def in_threads(work: Callable[[Item], None], items: Iterable[Item], threads: int | None = None) -> None:
    """Do the same for every item; NumPy and OpenCV let other threads run meanwhile.

    Parameters
    ----------
    work : callable
        May not depend on the order of the items.
    items : iterable
    threads : int, optional
        How many items are worked on at a time; `thread_count` by default.
    """
    items = list(items)
    rest = iter(items)
    others = min(threads or thread_count(), len(items)) - 1

    def work_off() -> None:
        try:
            for item in rest:
                work(item)
        finally:
            deque(rest, 0)  # whoever fails stops the others

    if others < 1:
        work_off()
        return
    with ThreadPoolExecutor(others) as pool:
        begun = [pool.submit(work_off) for _ in range(others)]
        work_off()  # this thread works too: one more that waits for the others takes Python's lock from them
    for one in begun:
        one.result()


def results_in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> Iterator[Result]:
    """Yield the result for every item; as many are made ahead of what is asked for as threads work.

    Parameters
    ----------
    work : callable
        May not depend on the order of the items.
    items : iterable
    threads : int, optional
        `thread_count` by default.
    """
    count = threads or thread_count()
    if count == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(count) as pool:
        begun: deque[Future[Result]] = deque()
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > count:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


@contextmanager
def meanwhile(work: Callable[[], Result], threads: int) -> Iterator[Callable[[], Result]]:
    """Do some work in another thread while this one goes on, or afterwards where there is only one.

    Yields
    ------
    callable
        Waits for the result.
    """
    if threads == 1:
        yield work
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work).result
