"""Tiles joined to rectangles that are worked on at once: fewer, larger steps where that is quicker."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from .area import Area

TOGETHER = 32
"""Tiles, at most: what is found for more doesn't stay in the processor's cache."""
PIECE = 4
"""Tiles that could be worked on in the time that a rectangle takes beside what its tiles take."""
FURTHER = 0.6
"""Of the time that a tile's first way takes, for each further one."""

Run = tuple[int, int, int]
"""Tiles of a row: the first one, the one behind the last, and the ways that lead from them, as bits."""


def rectangles(tiles: list[list[int]]) -> Iterator[tuple[Area, list[int]]]:
    """Cover the tiles from which ways lead anywhere.

    Parameters
    ----------
    tiles : rows of columns of int
        The ways that lead from each, as bits.

    Yields
    ------
    area : rows and columns of tiles
    ways : list of int
        All that lead from any of them.
    """
    begun: dict[Run, int] = {}
    for row, line in enumerate([*tiles, []]):
        runs = _runs(line)
        for run, first in [*begun.items()]:
            left, right, ways = run
            if run not in runs or (row + 1 - first) * (right - left) > TOGETHER:
                del begun[run]
                yield (
                    (slice(first, row), slice(left, right)),
                    [way for way in range(ways.bit_length()) if ways >> way & 1],
                )
        for run in runs:
            begun.setdefault(run, row)


def _runs(line: list[int]) -> list[Run]:
    """Join neighbors from which the same ways lead, and others where one after the other takes longer."""
    runs: list[Run] = []
    column = 0
    for ways, same in groupby(line):
        start, column = column, column + sum(1 for _ in same)
        if not ways:
            continue
        for first in range(start, column, TOGETHER):
            run = first, min(first + TOGETHER, column), ways
            while runs and (joined := _joined(runs[-1], run)):
                runs.pop()
                run = joined
            runs.append(run)
    return runs


def _joined(one: Run, other: Run) -> Run | None:
    joined = one[0], other[1], one[2] | other[2]
    fits = joined[1] - joined[0] <= TOGETHER
    return joined if fits and _time(joined) <= _time(one) + _time(other) else None


def _time(run: Run) -> float:
    """Say how long a run takes: 1 for a tile from which one way leads."""
    first, stop, ways = run
    return PIECE + (stop - first) * (1 + FURTHER * (ways.bit_count() - 1))
