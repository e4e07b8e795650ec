"""Where a solve's time goes, stage by stage: `python -m tests.benchmarks stages`."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from engine import closer, joining, loop, part_solver, region_solver, sight, solver

from . import speed
from .cases import Case

RUNS = 4
STAGES: dict[str, list[tuple[Any, str]]] = {
    "checking, dividing the mask": [
        (solver, name) for name in ("check_still", "check_mask", "check_strokes", "divide")
    ],
    "reducing": [(solver.Reduction, "of"), (solver.Reduction, "shown")],
    "a plane's picture, described": [
        (closer, "source_of"),
        (part_solver, "source_of"),
        (sight, "evened_out"),
        (sight, "describe_levels"),
    ],
    "costs of every displacement": [(sight, "measure")],
    "searching the repetition": [(sight, "find_repetition")],
    "assigning displacements": [(region_solver, "assign")],
    "registering": [(part_solver, name) for name in ("fit_field", "views_of", "refine_field")],
    "spreading the field": [(joining, "spread_fields")],
    "texture": [(loop, "continue_texture")],
    "contrast": [(loop, "measure_contrast")],
    "paths": [(loop.Path, "over")],
}
"""The functions that make up each stage, where they are looked up. None of them calls another one."""


@contextmanager
def _watched(spent: dict[str, float]) -> Iterator[None]:
    """Add up the processor time, all threads together, that each stage takes meanwhile."""

    def timed(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            begin = time.process_time()
            try:
                return work(*arguments, **named)
            finally:
                spent[stage] += time.process_time() - begin

        return run

    with ExitStack() as patches:
        for stage, functions in STAGES.items():
            for owner, name in functions:
                patches.enter_context(patch.object(owner, name, timed(stage, getattr(owner, name))))
        yield


def _stages(case: Case) -> dict[str, float]:
    """Solve a few times; seconds of each stage in the quickest run."""
    speed.solve(case)
    runs = []
    for _ in range(RUNS):
        spent: dict[str, float] = defaultdict(float)
        begin = time.process_time()
        with _watched(spent):
            speed.solve(case)
        whole = time.process_time() - begin
        runs.append({**spent, "the rest": whole - sum(spent.values()), "all": whole})
    return min(runs, key=lambda run: run["all"])


def table() -> str:
    """Write milliseconds of processor time for each stage of the shipped facade's solve, at two sizes."""
    sizes = (1, 50)
    columns = [_stages(speed.scene(speed.SIZES[size])) for size in sizes]
    names = [*STAGES, "the rest", "all"]
    width = max(map(len, names))
    head = f"{'solve, ms of processor time':<{width}}" + "".join(f"{f'{size} MP':>8}" for size in sizes)
    lines = [
        f"{name:<{width}}" + "".join(f"{1000 * column.get(name, 0.0):8.0f}" for column in columns)
        for name in names
    ]
    return "\n".join([head, "-" * len(head), *lines])
