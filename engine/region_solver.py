"""One region of a part: what repeats along its stroke, and how each of its nodes is moved by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .area import mask_box
from .assignment import assign
from .errors import BadMask
from .field import Model
from .inputs import mask_at
from .regions import Region
from .repetition import HARDLY_ANY_SLANT
from .settings import Progress, Settings, Share
from .sight import LONGEST_STEP, TOO_THIN, Sight, Source, find_sight, look
from .similarity import NODE
from .wheel import Turn, Wheel

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

LENT = 0.25
"""How much a displacement is trusted that a cell borrows, and how sure it is of it."""
LEAST_CELL = 900.0
"""Working pixels of a cell that is searched at all, where there are others."""
ROOM = 6
"""Working pixels around a region that are looked at with it."""
OFF_CENTER = 0.15
"""Of a part's longer side; within it of the strokes' turning point, the mask's own middle is tried too."""
SURE_OF_CENTER = 0.6
"""Confidence from which on a turning point is taken as it is, without trying those beside it."""
CLEAR = 0.15
"""Merit of a repetition; without one in the mask, one around it is expected to fit in twice."""


@dataclass(frozen=True)
class Found:
    """What a region's nodes are assigned: where they are and how they move, in working pixels."""

    places: Doubles
    moves: Doubles
    trust: Floats
    confidence: float
    model: Model
    direction: Doubles
    colorless: bool

    @property
    def step(self) -> float:
        """Its typical length."""
        return float(np.median(np.hypot(*self.moves.T))) if len(self.moves) else 0.0

    def lent_to(self, region: Region, size: tuple[int, int]) -> Found:
        """Let a smaller cell move as this one does, along its own stroke; refinement finds the rest."""
        rows, columns = np.nonzero(mask_at(region.inside, size)[::NODE, ::NODE])
        places = np.stack([columns, rows], axis=-1).astype(np.float64) * NODE
        turned = complex(*region.segment.direction) / complex(*self.direction)
        moves = (self.model(places) @ np.array([1, 1j])) * turned
        moves = np.stack([moves.real, moves.imag], axis=-1)
        trust = np.full(len(places), LENT, np.float32)
        return Found(places, moves, trust, LENT * self.confidence, self.model, self.direction, self.colorless)


def solve_region(
    source: Source,
    region: Region,
    origin: Doubles,
    size: tuple[int, int],
    scale: float,
    settings: Settings,
    report: Progress,
) -> Found:
    """Assign a displacement to each node of a region."""
    source, inside, corner = _cropped(source, mask_at(region.inside, size))
    direction = region.segment.direction
    if region.turn is None:
        sight = find_sight(source, inside, direction, Share(report, 0.0, 0.85))
    else:
        center = (region.turn.center - origin + 0.5) * scale - 0.5 - corner
        sight = _find_turning(source, inside, replace(region.turn, center=center), report)
    report(0.85, "Assigning Displacements")
    assignment = assign(sight.similarity, sight.nodes, sight.repetition, settings)
    rows, columns = np.nonzero(sight.nodes)
    flat = np.stack([columns, rows], axis=-1).astype(np.float64) * NODE + (NODE - 1) / 2
    places = sight.plane.to_picture(flat)
    moves = sight.plane.to_picture(flat + assignment.displacement[sight.nodes]) - places
    moves = _bounded(moves, LONGEST_STEP * max(size))
    trust = np.square(assignment.trust[sight.nodes]) + np.float32(1e-3)
    confidence = confidence_of(sight.repetition.merit)
    return Found(
        places + corner,
        moves,
        trust,
        confidence,
        lambda at: sight.displacement(at - corner),
        direction,
        sight.colorless,
    )


def lender_of(region: Region, scale: float, solved: Sequence[Found]) -> Found | None:
    """Say which larger cell of its part a cell too small for two steps borrows from, or None."""
    if not solved:
        return None
    extent = scale * extent_along(region.inside, region.segment.direction)
    sure = [found for found in solved if found.confidence >= confidence_of(CLEAR) and extent < 2 * found.step]
    if not sure and np.count_nonzero(region.inside) * scale**2 < LEAST_CELL:
        sure = list(solved)
    return max(sure, key=lambda found: float(found.direction @ region.segment.direction), default=None)


def extent_along(inside: NDArray[np.bool_], direction: Doubles) -> float:
    """Measure how far a (h, w) mask reaches in a direction, in pixels: each row's ends know."""
    rows = np.flatnonzero(inside.any(1))
    first = inside[rows].argmax(1)
    last = inside.shape[1] - 1 - inside[rows, ::-1].argmax(1)
    return float(np.ptp(direction[0] * np.stack([first, last]) + direction[1] * rows))


def confidence_of(merit: float) -> float:
    """Scale merit to 0..1: clouds reach 0.04, noise 0.1 at times, a regular facade 0.3 and more."""
    return float(np.clip((merit - 0.04) / 0.26, 0, 1))


def _cropped(source: Source, inside: NDArray[np.bool_]) -> tuple[Source, NDArray[np.bool_], Doubles]:
    """Cut a region's box out of its part, with some room; returns the box's first pixel (x, y) as well."""
    if not inside.any():
        raise BadMask(TOO_THIN)
    box = [
        slice(max(0, side.start - ROOM), min(size, side.stop + ROOM))
        for size, side in zip(inside.shape, mask_box(inside), strict=True)
    ]
    zoomed = tuple(slice(round(side.start * source.zoom), round(side.stop * source.zoom)) for side in box)
    corner = np.array([box[1].start, box[0].start], np.float64)
    return Source(source.picture[zoomed], source.zoom), inside[box[0], box[1]], corner


def _find_turning(source: Source, inside: NDArray[np.bool_], turn: Turn, report: Progress) -> Sight:
    """Look at what turns about a point, unrolled.

    A hand draws around a point roughly: a round mask may know it better, and where little repeats around
    either, the points beside it are tried.
    """
    right = np.array([1.0, 0.0])

    report(0.0, "Finding the Turning Point")

    def unrolled(center: Doubles) -> tuple[Sight, Doubles]:
        wheel = Wheel.around(center, inside, turn.sense)
        return look(source, inside, wheel, right, HARDLY_ANY_SLANT), center

    def merit(seen: tuple[Sight, Doubles]) -> float:
        return seen[0].repetition.merit

    rows, columns = np.nonzero(inside)
    middle = np.array([columns.min() + columns.max(), rows.min() + rows.max()]) / 2
    near = np.hypot(*(middle - turn.center)) < OFF_CENTER * max(inside.shape)
    best = max(map(unrolled, [turn.center, middle] if near else [turn.center]), key=merit)
    ways = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)]) * OFF_CENTER / 3 * max(inside.shape)
    for index, stride in enumerate(np.concatenate([ways, ways, ways / 2])):
        report(0.15 + 0.05 * index, "Finding the Turning Point")
        if confidence_of(merit(best)) >= SURE_OF_CENTER:
            break
        best = max(best, unrolled(best[1] + stride), key=merit)
    return best[0]


def _bounded(moves: Doubles, longest: float) -> Doubles:
    """Shorten what reaches over the horizon of a plane."""
    lengths = np.hypot(moves[:, 0], moves[:, 1])
    return moves * np.minimum(1, longest / np.maximum(lengths, 1e-9))[:, None]
