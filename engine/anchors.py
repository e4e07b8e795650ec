"""The sparse grid of anchors that a displacement field lives on, and how smooth it is (3.1.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .normal import Band

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

ANCHORS = 26
"""Along the longer side of a part."""
LEAST_ANCHORS = 4
"""Along it, where they are thinned."""
SHARP_TURN = np.radians(50)
"""Between strokes beside each other: from there on the field may turn at once."""
LOOSE = 0.01
"""Of the usual stiffness, for where it does."""
STIFFNESS = 3.0
"""Weight of the field's second differences against what the CRF assigned."""

DIFFERENCES = (
    ((((0, 0), 1.0), ((1, 0), -2.0), ((2, 0), 1.0)), 1.0),
    ((((0, 0), 1.0), ((0, 1), -2.0), ((0, 2), 1.0)), 1.0),
    ((((0, 0), 1.0), ((0, 1), -1.0), ((1, 0), -1.0), ((1, 1), 1.0)), 2.0),
)
"""Second differences: where anchors are along the longer and the shorter side, what they count; a weight."""


@dataclass(frozen=True)
class Anchors:
    """A grid of anchors over a part, in working pixels.

    Parameters
    ----------
    origin : (2,) float64
        The first anchor, (x, y).
    spacing : float
    shape : (rows, columns)
    headings : (anchors, 2) float64, optional
        Unit vectors along the strokes that anchors follow; where they part, the field may turn at once.
    """

    origin: Doubles
    spacing: float
    shape: tuple[int, int]
    headings: Doubles | None = None

    @classmethod
    def over(cls, size: tuple[int, int]) -> Anchors:
        """Lay anchors over a (rows, columns) box of working pixels."""
        spacing = max(size) / (ANCHORS - 1)
        shape = (int(np.ceil(size[0] / spacing)) + 1, int(np.ceil(size[1] / spacing)) + 1)
        overhang = (np.array(shape[::-1]) - 1) * spacing - np.array(size[::-1], np.float64)
        return cls(-overhang / 2 - 0.5, spacing, shape)

    def thinned(self, factor: float) -> Anchors:
        """Lay anchors over the same area, about so many times as far apart; these ones if that isn't more."""
        steps = np.array(self.shape) - 1
        count = max(LEAST_ANCHORS - 1, round(steps.max() / factor))
        if count >= steps.max():
            return self
        stretch = float(steps.max()) / count
        fewer = np.ceil(steps / stretch - 1e-9)
        overhang = (fewer * stretch - steps)[::-1] * self.spacing
        shape = (int(fewer[0]) + 1, int(fewer[1]) + 1)
        thin = Anchors(self.origin - overhang / 2, self.spacing * stretch, shape)
        if self.headings is None:
            return thin
        column, row = np.rint((thin.points - self.origin) / self.spacing).astype(int).T
        nearest = row.clip(0, steps[0]) * self.shape[1] + column.clip(0, steps[1])
        return replace(thin, headings=self.headings[nearest])

    def between(self, others: Anchors, values: Doubles) -> Doubles:
        """Interpolate (others, 2) values of other anchors at these ones, (anchors, 2)."""
        (left, top), (rows, columns) = self.origin, self.shape
        y, x = top + self.spacing * np.arange(rows), left + self.spacing * np.arange(columns)
        down, along = others.lattice(y, x)
        return np.asarray((down @ values.T.reshape(2, *others.shape) @ along.T).reshape(2, -1).T)

    @property
    def points(self) -> Doubles:
        """Where the anchors are, (rows * columns, 2)."""
        rows, columns = self.shape
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
        return self.origin + grid.reshape(-1, 2) * self.spacing

    def basis(self, points: NDArray[Any]) -> tuple[NDArray[np.intp], Doubles]:
        """Interpolate anchor values at (N, 2) points, bilinearly.

        Returns
        -------
        corners : (N, 4) int
            The anchors of each point's cell.
        shares : (N, 4) float64
            What each of them counts there.
        """
        rows, columns = self.shape
        place = (points - self.origin) / self.spacing
        x = np.clip(place[:, 0], 0, columns - 1.000001)
        y = np.clip(place[:, 1], 0, rows - 1.000001)
        left, top = x.astype(np.intp), y.astype(np.intp)
        right, below = x - left, y - top
        shares = np.stack(
            [(1 - right) * (1 - below), right * (1 - below), (1 - right) * below, right * below], axis=1
        )
        return (top * columns + left)[:, None] + np.array([0, 1, columns, columns + 1]), shares

    def lattice(self, y: Doubles, x: Doubles) -> tuple[Floats, Floats]:
        """Return what each row of anchors counts at (r,) heights, and each column at (c,) widths.

        Returns
        -------
        down : (r, rows) float32
        along : (c, columns) float32
            Where a height meets a width, an anchor counts the product of both.
        """

        def shares(place: Doubles, count: int) -> Floats:
            away = np.clip(place, 0, count - 1)[:, None] - np.arange(count)
            return np.maximum(0, 1 - np.abs(away)).astype(np.float32)

        (left, top), (rows, columns) = self.origin, self.shape
        return shares((y - top) / self.spacing, rows), shares((x - left) / self.spacing, columns)

    @cached_property
    def bending(self) -> Doubles:
        """Return the lower band of K, so that c' K c is the sum of squared second differences.

        It's weak between anchors that follow strokes in different directions.
        """
        order = Band(self.shape)
        length, side = max(self.shape), order.side
        band = np.zeros((2 * side + 1, length, side))
        for taps, weight in DIFFERENCES:
            (far, aside), _ = taps[-1]
            free = (slice(length - far), slice(side - aside))  # the anchors a difference may begin at
            weights = np.full((length - far, side - aside), weight)
            if self.headings is not None:
                headings = self.headings[order.order].reshape(length, side, 2)
                together = (headings[free] * headings[far:, aside:]).sum(-1) > np.cos(SHARP_TURN)
                weights[~together] *= LOOSE**2
            for (ahead, beside), tap in taps:
                place = slice(ahead, length - far + ahead), slice(beside, side - aside + beside)
                for (later, farther), other in taps:
                    apart = (later - ahead) * side + farther - beside
                    if apart >= 0:
                        band[(apart, *place)] += tap * other * weights
        return band.reshape(len(band), -1)


def fit_field(anchors: Anchors, points: Doubles, displacements: Floats, trust: Floats) -> Doubles:
    """Fit anchors to scattered displacements, as smooth as their trust allows.

    Parameters
    ----------
    points : (N, 2) float64
        Working pixels.
    displacements : (N, 2) float32
    trust : (N,) float32
        Weights.

    Returns
    -------
    (anchors, 2) float64
    """
    weights = trust.astype(np.float64) * (len(anchors.points) / max(float(trust.sum()), 1e-9))
    corners, shares = anchors.basis(points)
    order = Band(anchors.shape)
    band = order.gram(corners, shares, weights) + STIFFNESS * anchors.bending
    band[0] += 1e-9  # anchors that nothing determines
    asked = (shares * weights[:, None])[..., None] * displacements[:, None]
    places = order.place[corners].ravel()
    right = [np.bincount(places, part.ravel(), band.shape[1]) for part in asked.transpose(2, 0, 1)]
    return order.solve(band, np.stack(right, axis=1))
