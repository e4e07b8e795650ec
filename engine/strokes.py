"""Strokes: from drawn points to straight segments, and from segments to regions of the mask (4.1, 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadMask, BadStroke

SHARPEST_TURN = np.radians(25)
"""A stroke that turns further than this is broken into segments (4.2)."""
MOST_TURNS = 16
SMALLEST_PART = 24
"""Pixels; a part of the mask that is smaller a side can't hold two repetitions."""


@dataclass(frozen=True)
class Stroke:
    """A drawn line along which the picture moves.

    Parameters
    ----------
    points : (N, 2) array, N >= 2
        Pixel coordinates (x right, y down); their order is the direction of motion.
    turns : int
        Repetitions moved in one loop; 0 holds the stroke's region still, negative ones go back.
    """

    points: Any
    turns: int = 1


@dataclass(frozen=True)
class Segment:
    """A straight piece of a stroke: where it lies, where it moves to and how many turns it makes."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    turns: int

    @property
    def direction(self) -> NDArray[np.float64]:
        """The unit vector along the segment, (x, y)."""
        along = self.end - self.start
        return along / np.hypot(*along)


@dataclass(frozen=True)
class Region:
    """Pixels that follow one segment, as a (h, w) bool array within their part's box."""

    inside: NDArray[np.bool_]
    segment: Segment


@dataclass(frozen=True)
class Part:
    """A connected part of the mask: its box in the still, its pixels and its regions."""

    box: tuple[slice, slice]
    inside: NDArray[np.bool_]
    regions: tuple[Region, ...]

    @property
    def origin(self) -> NDArray[np.float64]:
        """The box's first pixel, (x, y)."""
        return np.array([self.box[1].start, self.box[0].start], np.float64)


def check_strokes(strokes: Any, shape: tuple[int, ...]) -> list[Stroke]:
    """Return the strokes with float64 points, or say what is wrong with one.

    Parameters
    ----------
    strokes : sequence of (N, 2) arrays or Stroke
    shape : (height, width, ...)
        The still's shape.

    Raises
    ------
    BadStroke
        For no stroke at all, fewer than two points, NaN, no length, a stroke outside the picture
        or an odd number of turns.
    """
    if isinstance(strokes, Stroke):
        strokes = [strokes]
    if not isinstance(strokes, Iterable):
        raise BadStroke("Strokes must be a list of lines of points: draw at least one stroke.")
    checked = [_check_stroke(stroke, number, shape) for number, stroke in enumerate(strokes, 1)]
    if not checked:
        raise BadStroke("There is no stroke: draw at least one along what repeats.")
    return checked


def _check_stroke(stroke: Any, number: int, shape: tuple[int, ...]) -> Stroke:
    turns = 1
    if isinstance(stroke, Stroke):
        stroke, turns = stroke.points, stroke.turns
    if isinstance(turns, bool) or not isinstance(turns, int | np.integer) or abs(turns) > MOST_TURNS:
        raise BadStroke(
            f"Stroke {number} makes {turns!r} turns: use a whole number from {-MOST_TURNS} to {MOST_TURNS}."
        )
    try:
        points = np.asarray(stroke, np.float64)
    except (TypeError, ValueError) as reason:
        raise BadStroke(f"Stroke {number} isn't a list of x, y points.") from reason
    if points.ndim != 2 or points.shape[1] != 2:
        raise BadStroke(f"Stroke {number} isn't a list of x, y points.")
    if len(points) < 2:
        raise BadStroke(f"Stroke {number} has only {len(points)} point: draw a line, not a dot.")
    if not np.isfinite(points).all():
        raise BadStroke(f"Stroke {number} has a point that isn't a number: draw it again.")
    if np.hypot(*(points - points[0]).T).max() < 2:
        raise BadStroke(f"Stroke {number} has no length: draw a line along what repeats.")
    height, width = shape[:2]
    if (points.max(0) < 0).any() or points[:, 0].min() > width or points[:, 1].min() > height:
        raise BadStroke(f"Stroke {number} lies outside the picture: draw it over what should move.")
    return Stroke(points, int(turns))


def split_mask(mask: NDArray[np.bool_], strokes: Sequence[Stroke]) -> list[Part]:
    """Split the mask into connected parts, and each part into one region a segment.

    Parameters
    ----------
    mask : (H, W) bool
    strokes : sequence of Stroke
        As `check_strokes` returns them.

    Returns
    -------
    list of Part
        Parts too small to hold two repetitions are left out; they stay still, and so do pixels
        whose nearest stroke makes no turn.

    Raises
    ------
    BadMask
        When no part is large enough.
    BadStroke
        When no stroke moves anything.
    """
    import cv2

    segments = [segment for stroke in strokes for segment in straight_segments(stroke)]
    turns = np.array([segment.turns for segment in segments])
    if not turns.all():
        mask = mask & (turns[_owners(mask.shape, np.zeros(2), segments)] > 0)
        segments = [segment for segment in segments if segment.turns]
        if not mask.any():
            raise BadStroke("Every stroke near the mask makes 0 turns: let at least one of them move.")
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    parts = []
    for label, (x, y, width, height, _) in enumerate(stats[1:], 1):
        if max(width, height) < SMALLEST_PART or min(width, height) < SMALLEST_PART // 3:
            continue
        box = (slice(int(y), int(y + height)), slice(int(x), int(x + width)))
        inside = labels[box] == label
        parts.append(Part(box, inside, _regions(inside, np.array([x, y], np.float64), segments)))
    if not parts:
        raise BadMask("The mask is too small to hold two repetitions: paint a larger area.")
    return parts


def straight_segments(stroke: Stroke) -> list[Segment]:
    """Break a curved stroke where it turns too far, so that each piece has one direction (4.2)."""
    points = _resampled(stroke.points)
    if stroke.turns < 0:
        points = points[::-1]
    cuts = [0, len(points) - 1]
    stack = [(0, len(points) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 4:
            continue
        chord = points[last] - points[first]
        steps = points[first + 2 : last + 1 : 2] - points[first : last - 1 : 2]
        angles = np.abs(np.angle(_as_complex(steps) / _as_complex(chord)[None])) if chord.any() else np.pi
        if np.percentile(angles, 90) > SHARPEST_TURN:
            middle = (first + last) // 2
            cuts.append(middle)
            stack += [(first, middle), (middle, last)]
    cuts.sort()
    pieces = [Segment(points[a], points[b], abs(stroke.turns)) for a, b in zip(cuts, cuts[1:], strict=False)]
    return [piece for piece in pieces if np.hypot(*(piece.end - piece.start)) > 1e-6]


def _resampled(points: NDArray[np.float64], count: int = 65) -> NDArray[np.float64]:
    """Space points evenly along the stroke: a hand draws them unevenly."""
    lengths = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    at = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(at, lengths, points[:, axis]) for axis in (0, 1)], axis=1)


def _as_complex(vectors: NDArray[np.float64]) -> NDArray[np.complex128]:
    return vectors[..., 0] + 1j * vectors[..., 1]


def _regions(
    inside: NDArray[np.bool_], origin: NDArray[np.float64], segments: Sequence[Segment]
) -> tuple[Region, ...]:
    """Give each pixel of a part to the nearest segment: Voronoi cells of the segments (4.2)."""
    if len(segments) == 1:
        return (Region(inside, segments[0]),)
    owner = _owners(inside.shape, origin, segments)
    regions = []
    for index, segment in enumerate(segments):
        cells = inside & (owner == index)
        if cells.any():
            regions.append(Region(cells, segment))
    return tuple(regions)


def _owners(
    shape: tuple[int, ...], origin: NDArray[np.float64], segments: Sequence[Segment]
) -> NDArray[np.intp]:
    """Say for each pixel of a box which segment is nearest."""
    height, width = shape
    cell = max(1, max(height, width) // 512)  # the border between cells needs no finer grid
    grid = np.stack(np.meshgrid(np.arange(0, width, cell), np.arange(0, height, cell)), axis=-1) + (
        origin + cell / 2
    )
    nearest = nearest_segment(grid, segments)
    return np.repeat(np.repeat(nearest, cell, axis=0), cell, axis=1)[:height, :width]


def nearest_segment(points: NDArray[np.float64], segments: Sequence[Segment]) -> NDArray[np.intp]:
    """Return the index of the segment nearest to each of (..., 2) points, pixels of the still."""
    return np.argmin([_distance(points, segment) for segment in segments], axis=0)


def _distance(points: NDArray[np.float64], segment: Segment) -> NDArray[np.float64]:
    along = segment.end - segment.start
    share = np.clip((points - segment.start) @ along / (along @ along), 0, 1)
    away = points - (segment.start + share[..., None] * along)
    return np.hypot(away[..., 0], away[..., 1])
