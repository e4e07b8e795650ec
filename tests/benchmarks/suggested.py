"""How good suggestions are, and how long they take: `python -m tests.benchmarks suggestions`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import engine
from engine.descriptors import WHOLE, describe
from engine.errors import EndlessLoopsError

from .cases import Case, photographs
from .speed import SIZES, Line, scene

CLOSE = 15
"""Degrees."""
OVERLAP = 0.5
RECIPE_SIDE = 300
CORNERS = 500
SCRIBBLE = 0.03
"""Of the longer side: how thick a scribble is painted."""
BOXES = ((0, 1, 0, 1), (0.15, 0.85, 0.15, 0.85), (0.5, 1, 0, 1), (0, 0.5, 0, 1), (0.3, 1, 0.2, 0.8))
"""Plain masks, in heights and widths of the still: what doesn't look at it would suggest."""

Mask = NDArray[np.bool_]


def lines(stills: Path, repeats: int) -> Iterator[Line]:
    """Measure suggestions on the annotated photographs, and their times on a picture of 12 megapixels."""
    cases = list(photographs(stills)) if (stills / "annotations.json").is_file() else []
    if cases:
        yield from of_directions([case for case in cases if case.anchors])
        yield from of_masks(cases)
    yield from of_times(repeats)


def of_directions(cases: list[Case]) -> Iterator[Line]:
    """Compare suggested directions with the annotated ones; section 4.4 as it is written stands beside."""
    ours = {case.name: rank(_engine_angles(case), case) for case in cases}
    theirs = [rank(recipe_angles(case), case) for case in cases]
    for what, best, goal in (
        ("first direction", 1, f">= {round(0.65 * len(cases))}"),
        ("one of three", 3, f">= {round(0.85 * len(cases))}"),
    ):
        held = [ours[case.name] < best for case in cases if case.half == "held"]
        yield Line(
            f"photographs: {what} within {CLOSE} degrees",
            goal,
            f"{sum(rank < best for rank in ours.values())} of {len(cases)}",
            f"the held half {sum(held)} of {len(held)}; the paper's 4.4 {sum(r < best for r in theirs)}",
        )


def of_masks(cases: list[Case]) -> Iterator[Line]:
    """Compare suggested masks, and what grows from a scribble along the stroke, with the annotated ones."""
    best = [max((overlap(mask, case.mask) for mask in _engine_masks(case)), default=0.0) for case in cases]
    plain = [max(overlap(box, case.mask) for box in boxes(case.mask.shape)) for case in cases]
    yield Line(
        f"photographs: best of five masks overlaps by {OVERLAP}",
        f">= {-(-len(cases) // 2)}",
        f"{sum(value >= OVERLAP for value in best)} of {len(cases)}",
        f"mean {np.mean(best):.2f}; five plain boxes {sum(value >= OVERLAP for value in plain)}, "
        f"mean {np.mean(plain):.2f}",
    )
    grown = [overlap(engine.grow_mask(case.still, scribble(case)), case.mask) for case in cases]
    yield Line(
        f"photographs: a scribble's object overlaps by {OVERLAP}",
        "",
        f"{sum(value >= OVERLAP for value in grown)} of {len(cases)}",
        f"mean {np.mean(grown):.2f}; the scribble itself "
        f"{np.mean([overlap(scribble(case), case.mask) for case in cases]):.2f}",
    )


def of_times(repeats: int) -> Iterator[Line]:
    """Time each suggestion on the shipped facade at 12 megapixels."""
    case = scene(SIZES[12])
    line = scribble(case)
    jobs: dict[str, tuple[str, Callable[[], Any]]] = {
        "directions": ("<= 1", lambda: engine.suggest_directions(case.still, case.mask)),
        "masks": ("<= 1", lambda: engine.suggest_masks(case.still)),
        "growing a scribble": ("<= 0.5", lambda: engine.grow_mask(case.still, line)),
    }
    for what, (goal, job) in jobs.items():
        job()
        times = []
        for _ in range(repeats):
            begin = time.perf_counter()
            job()
            times.append(time.perf_counter() - begin)
        yield Line(f"12 MP: {what}, s", goal, f"{statistics.median(times):.2f}", f"least {min(times):.2f}")


def recipe_angles(case: Case) -> list[float]:
    """Suggest directions as the paper's section 4.4 says: best buddies among corners vote, degrees."""
    rows, columns = np.nonzero(case.mask)
    box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    scale = RECIPE_SIDE / max(case.mask[box].shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(case.still[box], None, fx=scale, fy=scale, interpolation=way)
    mask = cv2.resize(case.mask[box].astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    corners = cv2.goodFeaturesToTrack(
        cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), CORNERS, 0.01, 4, mask=mask, blockSize=3
    )
    if corners is None or len(corners) < 2:
        return []
    places = corners[:, 0]
    looks = describe(picture.astype(np.float32) / 255, WHOLE)[
        places[:, 1].astype(int), places[:, 0].astype(int)
    ]
    distance = np.square(looks[:, None] - looks[None]).sum(2)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argmin(1)
    buddies = np.flatnonzero(nearest[nearest] == np.arange(len(nearest)))
    offsets = places[nearest[buddies]] - places[buddies]
    angles = np.degrees(np.arctan2(offsets[:, 1], offsets[:, 0])) % 180
    found = []
    while len(found) < 3 and len(angles):
        votes = [np.sum(apart(angles, angle) < CLOSE / 2) for angle in range(180)]
        found.append(float(np.argmax(votes)))
        angles = angles[apart(angles, found[-1]) >= CLOSE]
    return found


def apart(one: Any, other: Any) -> Any:
    """Degrees between directions; opposite ones are the same."""
    return np.abs((np.asarray(one) - other + 90) % 180 - 90)


def overlap(one: Mask, other: Mask) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def boxes(shape: tuple[int, ...]) -> Iterator[Mask]:
    """Give the plain masks at a size."""
    for top, bottom, left, right in BOXES:
        mask = np.zeros(shape, bool)
        mask[int(top * shape[0]) : int(bottom * shape[0]), int(left * shape[1]) : int(right * shape[1])] = (
            True
        )
        yield mask


def scribble(case: Case) -> Mask:
    """Paint along the stroke, within the mask."""
    drawn = np.zeros(case.mask.shape, np.uint8)
    thickness = max(2, round(SCRIBBLE * max(drawn.shape)))
    cv2.polylines(drawn, [np.rint(case.stroke).astype(np.int32)], False, 1, thickness)
    return (drawn > 0) & case.mask


def _engine_angles(case: Case) -> list[float]:
    try:
        found = engine.suggest_directions(case.still, case.mask)
    except EndlessLoopsError:
        return []
    return [float(np.degrees(np.arctan2(*direction.vector[::-1]))) for direction in found]


def _engine_masks(case: Case) -> list[Mask]:
    try:
        return engine.suggest_masks(case.still)
    except EndlessLoopsError:
        return []


def rank(angles: list[float], case: Case) -> int:
    """Which of the angles is the annotated one, counted from 0; 99 when none is."""
    step = np.mean([anchor.step for anchor in case.anchors], axis=0)
    close = apart(angles, np.degrees(np.arctan2(step[1], step[0]))) <= CLOSE
    return int(np.argmax(close)) if np.any(close) else 99
