"""Strokes: checked, and broken into straight segments where they bend (4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadStroke
from .inputs import is_whole

SHARPEST_TURN = np.radians(25)
"""A stroke that turns further than this is broken into segments (4.2)."""
MOST_TURNS = 16
FARTHEST = 1e6
"""Pixels from the picture's corner; further than any picture is long."""


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
    """A straight piece of a stroke: where it lies, where it moves to and how many turns it makes.

    Parameters
    ----------
    start, end : (2,) float64
        Pixels of the still; the motion goes from the first to the second.
    turns : int
        Repetitions in one loop, negative ones against the segment.
    stroke : int
        Which stroke it is a piece of, from 0 on.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    turns: int
    stroke: int = 0

    @property
    def direction(self) -> NDArray[np.float64]:
        """The unit vector along the segment, (x, y)."""
        along = self.end - self.start
        return along / np.hypot(*along)

    def flipped(self) -> Segment:
        """Say the same motion the other way round: along the opposite direction, backward."""
        return replace(self, start=self.end, end=self.start, turns=-self.turns)


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
        For no stroke at all, fewer than two points, NaN, points over a million pixels away, no length,
        a stroke outside the picture, or turns that are no whole number from -16 to 16.
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
    if not is_whole(turns) or abs(turns) > MOST_TURNS:
        raise BadStroke(
            f"Stroke {number} makes {turns!r} turns: use a whole number from {-MOST_TURNS} to {MOST_TURNS}."
        )
    try:
        points = np.asarray(stroke, np.float64)
    except (TypeError, ValueError, OverflowError) as reason:
        raise BadStroke(f"Stroke {number} isn't a list of x, y points.") from reason
    if points.ndim != 2 or points.shape[1] != 2:
        raise BadStroke(f"Stroke {number} isn't a list of x, y points.")
    if len(points) < 2:
        raise BadStroke(f"Stroke {number} has only {len(points)} point: draw a line, not a dot.")
    if not np.isfinite(points).all():
        raise BadStroke(f"Stroke {number} has a point that isn't a number: draw it again.")
    if np.abs(points).max() > FARTHEST:
        raise BadStroke(
            f"Stroke {number} has a point far outside the picture: draw it over what should move."
        )
    if np.hypot(*(points - points[0]).T).max() < 2:
        raise BadStroke(f"Stroke {number} has no length: draw a line along what repeats.")
    height, width = shape[:2]
    if (points.max(0) < 0).any() or points[:, 0].min() > width or points[:, 1].min() > height:
        raise BadStroke(f"Stroke {number} lies outside the picture: draw it over what should move.")
    return Stroke(points, int(turns))


def straight_segments(stroke: Stroke, index: int = 0) -> list[Segment]:
    """Break a curved stroke where it turns too far, so that each piece has one direction (4.2)."""
    points = spaced_points(stroke)
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
    pieces = [
        Segment(points[a], points[b], abs(stroke.turns), index) for a, b in zip(cuts, cuts[1:], strict=False)
    ]
    return [piece for piece in pieces if np.hypot(*(piece.end - piece.start)) > 1e-6]


def spaced_points(stroke: Stroke, count: int = 65) -> NDArray[np.float64]:
    """Space points evenly along a stroke: a hand draws them unevenly."""
    points = stroke.points
    lengths = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    at = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(at, lengths, points[:, axis]) for axis in (0, 1)], axis=1)


def _as_complex(vectors: NDArray[np.float64]) -> NDArray[np.complex128]:
    return vectors[..., 0] + 1j * vectors[..., 1]


def nearest_segment(points: NDArray[np.float64], segments: Sequence[Segment]) -> NDArray[np.intp]:
    """Return the index of the segment nearest to each of (..., 2) points, pixels of the still."""
    return np.argmin([distance_to(segment, points) for segment in segments], axis=0)


def distance_to(segment: Segment, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each of (..., 2) points is from a segment, pixels of the still."""
    along = segment.end - segment.start
    share = np.clip((points - segment.start) @ along / (along @ along), 0, 1)
    away = points - (segment.start + share[..., None] * along)
    return np.hypot(away[..., 0], away[..., 1])
