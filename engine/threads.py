"""How work is shared out among the processor's cores; the result never depends on how many there are."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_limit: ContextVar[int | None] = ContextVar("limit", default=None)


def thread_count() -> int:
    """Say how many threads work: what `limited_threads` allows, or one for each core this process may use."""
    limit = _limit.get()
    if limit is not None:
        return limit
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def limited_threads(count: int | None) -> Iterator[None]:
    """Let only so many threads work meanwhile, OpenCV's own included; None leaves it at what it is."""
    if count is None:
        yield
        return
    import cv2

    before = cv2.getNumThreads()
    token = _limit.set(count)
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
        _limit.reset(token)


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
    count = threads or thread_count()
    if count == 1:
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(count) as pool:
        for _ in pool.map(work, items):
            pass


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
