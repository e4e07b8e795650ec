"""A picture that turns about a point, unrolled: there a rotation is a straight step like any other (4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .strokes import Segment

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

LEAST_BEND = np.radians(12)
"""By how much strokes have to bend to either side to tell a point about which they turn."""
OFF_CIRCLE = np.radians(20)
"""How far off a circle's tangents, root mean square, strokes may be drawn."""
HUB = 0.08
"""Of the largest radius; what lies further in has no pixels to compare, and hardly moves."""
OVERLAP = 0.5
"""Of a full circle, shown again beyond its end, so that what repeats across the cut is seen."""
FLAT_SIDE = 420
"""Pixels along the unrolled picture."""


@dataclass(frozen=True)
class Turn:
    """A point about which strokes go, (x, y) pixels; sense 1 is from x to y, clockwise on a screen."""

    center: Doubles
    sense: int


def find_turn(segments: Sequence[Segment]) -> Turn | None:
    """Find the point about which strokes turn, pixels of the still.

    Returns
    -------
    Turn or None
        None where they don't go around anything, or not all the same way.
    """
    if len(segments) < 3 and len({segment.stroke for segment in segments}) == len(segments):
        return None
    shares = np.linspace(0, 1, 5)[:, None]
    points = np.concatenate([s.start + shares * (s.end - s.start) for s in segments])
    directions = np.repeat([segment.direction for segment in segments], len(shares), axis=0)
    weights = np.repeat([np.hypot(*(s.end - s.start)) for s in segments], len(shares))
    across, along = np.linalg.svd(directions * weights[:, None], compute_uv=False)[::-1]
    if across < np.tan(LEAST_BEND) * along:
        return None
    # A stroke along a circle is at right angles to the radius: d . (p - c) = 0.
    right = (directions * points).sum(1) * weights
    center = np.linalg.lstsq(directions * weights[:, None], right, rcond=None)[0]
    away = points - center
    radius = np.maximum(np.hypot(*away.T), 1e-6)
    outward = np.arcsin(np.clip((away * directions).sum(1) / radius, -1, 1))
    sense = np.sign(away[:, 0] * directions[:, 1] - away[:, 1] * directions[:, 0])
    off = np.sqrt(np.average(outward**2, weights=weights))
    return Turn(center, int(sense[0])) if off < OFF_CIRCLE and (sense == sense[0]).all() else None


@dataclass(frozen=True)
class Wheel:
    """Maps pixels of an unrolled picture to working pixels and back, as `Plane` does.

    Parameters
    ----------
    center : (2,) float64
        Working pixels.
    sense : {1, -1}
        1 where the motion goes from x to y, which is clockwise on the screen.
    first : float
        Angle of the unrolled picture's left edge, radians, in the sense of the motion.
    inner : float
        Radius of its upper edge, working pixels.
    scale : float
        Its pixels in a working pixel of radius, and in an arc at the middle radius.
    middle : float
        That radius.
    size : (rows, columns)
        Of the unrolled picture.
    shape : (rows, columns)
        Of the picture it is unrolled from, working pixels.
    """

    center: Doubles
    sense: int
    first: float
    inner: float
    scale: float
    middle: float
    size: tuple[int, int]
    shape: tuple[int, ...]

    @classmethod
    def around(cls, center: Doubles, inside: NDArray[np.bool_], sense: int) -> Wheel:
        """Unroll what is inside, working pixels, so that its motion goes to the right."""
        rows, columns = np.nonzero(inside)
        away = np.stack([columns, rows], -1) - center
        radius = np.hypot(*away.T)
        outer = float(radius.max()) + 1
        inner = max(float(radius.min()) - 1, HUB * outer)
        angles = np.sort(sense * np.arctan2(away[:, 1], away[:, 0]))
        gaps = np.diff(np.r_[angles, angles[0] + 2 * np.pi])
        widest = int(gaps.argmax())
        first = float(angles[(widest + 1) % angles.size])
        span = 2 * np.pi - float(gaps[widest])
        if gaps[widest] < 0.1:  # all around
            span = 2 * np.pi * (1 + OVERLAP)
        middle = float(np.median(radius))
        scale = min(FLAT_SIDE / (span * middle), 1.5)
        size = (max(16, int((outer - inner) * scale) + 1), max(16, int(span * middle * scale) + 1))
        return cls(center, sense, first, inner, scale, middle, size, inside.shape)

    @property
    def fall(self) -> Doubles:
        """How the nearness changes: it doesn't, a wheel faces the viewer."""
        return np.zeros(2)

    def to_picture(self, points: Doubles) -> Doubles:
        """Return the working pixels of (..., 2) unrolled pixels."""
        angle = self.sense * (self.first + points[..., 0] / (self.scale * self.middle))
        radius = np.maximum(self.inner + points[..., 1] / self.scale, 0)
        return self.center + radius[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)

    def to_flat(self, points: Doubles) -> Doubles:
        """Return the unrolled pixels of (..., 2) working pixels."""
        away = points - self.center
        angle = self.sense * np.arctan2(away[..., 1], away[..., 0]) - self.first
        along = np.mod(angle, 2 * np.pi) * self.scale * self.middle
        return np.stack([along, (np.hypot(away[..., 0], away[..., 1]) - self.inner) * self.scale], -1)

    def lay_flat(self, picture: Floats, zoom: float) -> Floats:
        """Resample a picture that has `zoom` pixels in a working pixel to the unrolled one's pixels."""
        import cv2

        place = ((self._places() + 0.5) * zoom - 0.5).astype(np.float32)
        flat = cv2.remap(picture, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        return np.asarray(flat, np.float32)

    def in_sight(self) -> NDArray[np.bool_]:
        """Which unrolled pixels lie on the picture."""
        place = self._places() + 0.5
        return np.asarray(((place >= 0) & (place < np.array(self.shape[::-1]))).all(-1))

    def _places(self) -> Doubles:
        columns, rows = np.meshgrid(np.arange(self.size[1]), np.arange(self.size[0]))
        return self.to_picture(np.stack([columns, rows], -1).astype(np.float64))
