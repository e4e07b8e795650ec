"""One still, one solver, all figures: a row of the report."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import EndlessLoopsError

from . import metrics
from .cases import Case

FRAMES = 40
"""How many frames of a loop are looked at for its evenness."""

Row = dict[str, Any]
Strokes = Sequence[NDArray[np.float64]]
Solve = Callable[[NDArray[np.uint8], NDArray[np.bool_], Strokes], metrics.Loop]


def engine_solve(still: NDArray[np.uint8], mask: NDArray[np.bool_], strokes: Strokes) -> metrics.Loop:
    """Solve with the engine and its default settings."""
    import engine

    return engine.solve(still, mask, strokes)


def recipe_solve(still: NDArray[np.uint8], mask: NDArray[np.bool_], strokes: Strokes) -> metrics.Loop:
    """Solve with the plain recipe, which knows one straight direction."""
    from . import recipe

    return recipe.solve(still, mask, strokes[0][[0, -1]])


SOLVERS: dict[str, Solve] = {"recipe": recipe_solve, "engine": engine_solve}


@dataclass(frozen=True)
class Refused:
    """Stand for a loop where a solver raised: nothing moves, and no figure leaves the still out."""

    still: NDArray[np.uint8]

    @property
    def forward(self) -> NDArray[np.float32]:
        """No displacement at all."""
        return np.zeros((*self.still.shape[:2], 2), np.float32)

    inverse = forward

    def frame(self, phase: float) -> NDArray[np.uint8]:
        """Give the still."""
        return self.still.copy()


def measure(case: Case, solve: Solve) -> Row:
    """Solve a case and measure everything about it that its truth allows."""
    row: Row = {"name": case.name, "half": case.half}
    begin = time.perf_counter()
    try:
        loop = solve(case.still, case.mask, case.all_strokes)
    except EndlessLoopsError as error:
        loop, row["refused"] = Refused(case.still), f"{type(error).__name__}: {error}"
    row["solve"] = time.perf_counter() - begin
    if case.kind:
        return row | _special(loop, case)
    if case.truth is not None:
        row |= metrics.endpoint_errors(loop, case)
        if case.middle is not None:
            row |= metrics.middle_errors(loop.frame(0.5), case)
        return row
    row |= _played(loop, case)
    row |= metrics.sharpness(loop.frame(0.5), case)
    row["seams"] = metrics.seams(loop, case)
    row["anchors"] = [asdict(result) for result in metrics.anchors(loop, case)]
    if case.anchors:
        row["agreement"] = metrics.agreement(loop, case)
    return row


def _special(loop: metrics.Loop, case: Case) -> Row:
    """Figures of a still that is a kind of its own."""
    errors = metrics.endpoint_errors(loop, case)
    row = {case.kind: errors["median_all"], "special": errors["median_all"], "special p90": errors["p90_all"]}
    if case.middle is not None:
        row["special middle"] = metrics.middle_errors(loop.frame(0.5), case)["interior"]
    return row | {"folded": metrics.folded(loop)}


def _played(loop: metrics.Loop, case: Case) -> Row:
    """Make every frame once, keeping two at a time: how even the loop is and what a frame costs."""
    changes, times = [], []
    before = loop.frame((FRAMES - 1) / FRAMES)
    for k in range(FRAMES):
        begin = time.perf_counter()
        frame = loop.frame(k / FRAMES)
        times.append(time.perf_counter() - begin)
        changes.append(metrics.change(before, frame, case))
        before = frame
    return {"frame": float(np.median(times)), "evenness": metrics.evenness(changes)}


class Cache:
    """Rows of the recipe, kept in a folder; another state of the code or of the still has another key.

    Parameters
    ----------
    folder : Path or None
        None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        here = Path(__file__).parent
        sources = [here / name for name in ("recipe.py", "metrics.py", "measure.py")]
        sources.append(here.parents[1] / "engine" / "descriptors.py")
        self._code = b"".join(source.read_bytes() for source in sources)

    def row(self, case: Case, solve: Solve) -> Row:
        """Return the kept row of a case, or measure and keep it."""
        if self.folder is None:
            return measure(case, solve)
        parts = (self._code, case.still.tobytes(), case.mask.tobytes(), case.stroke.tobytes())
        key = hashlib.sha256(b"".join(parts)).hexdigest()[:24]
        place = self.folder / f"{key}.json"
        if place.exists():
            return json.loads(place.read_text())
        row = measure(case, solve)
        self.folder.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(row))
        return row
