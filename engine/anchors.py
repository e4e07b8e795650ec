"""The sparse grid of anchors that a displacement field lives on, and how smooth it is (3.1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .normal import Sparse, solve_smooth

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

ANCHORS = 26
"""Along the longer side of a part."""
SHARP_TURN = np.radians(50)
"""Between strokes beside each other: from there on the field may turn at once."""
LOOSE = 0.01
"""Of the usual stiffness, for where it does."""
STIFFNESS = 3.0
"""Weight of the field's second differences against what the CRF assigned."""


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

    @property
    def points(self) -> Doubles:
        """Where the anchors are, (rows * columns, 2)."""
        rows, columns = self.shape
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
        return self.origin + grid.reshape(-1, 2) * self.spacing

    def basis(self, points: NDArray[Any]) -> Sparse:
        """Return the sparse matrix that interpolates anchor values at (N, 2) points, bilinearly."""
        from scipy.sparse import csr_matrix

        rows, columns = self.shape
        place = (points - self.origin) / self.spacing
        x = np.clip(place[:, 0], 0, columns - 1.000001)
        y = np.clip(place[:, 1], 0, rows - 1.000001)
        left, top = x.astype(np.int32), y.astype(np.int32)
        right, below = x - left, y - top
        shares = np.stack(
            [(1 - right) * (1 - below), right * (1 - below), (1 - right) * below, right * below], axis=1
        )
        corners = (top * columns + left)[:, None] + np.array([0, 1, columns, columns + 1], np.int32)
        ends = np.arange(0, 4 * len(points) + 1, 4)
        return csr_matrix((shares.ravel(), corners.ravel(), ends), shape=(len(points), rows * columns))

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
    def bending(self) -> Sparse:
        """Return the sparse matrix K so that c' K c is the sum of squared second differences."""
        from scipy.sparse import diags, eye, kron

        def difference(count: int, order: int) -> Sparse:
            taps = {1: [-1.0, 1.0], 2: [1.0, -2.0, 1.0]}[order]
            return diags(taps, range(order + 1), shape=(count - order, count))

        rows, columns = self.shape
        # In blocks, as small products come by default, zeros would be stored between distant anchors.
        xx = self._loosened(kron(eye(rows), difference(columns, 2), "csr"))
        yy = self._loosened(kron(difference(rows, 2), eye(columns), "csr"))
        xy = self._loosened(kron(difference(rows, 1), difference(columns, 1), "csr"))
        return (xx.T @ xx + yy.T @ yy + 2 * xy.T @ xy).tocsr()

    def _loosened(self, differences: Sparse) -> Sparse:
        """Weaken the differences between anchors that follow strokes in different directions."""
        from scipy.sparse import diags

        if self.headings is None:
            return differences
        rows = differences.tocsr()
        first, last = rows.indices[rows.indptr[:-1]], rows.indices[rows.indptr[1:] - 1]
        together = (self.headings[first] * self.headings[last]).sum(1) > np.cos(SHARP_TURN)
        return diags(np.where(together, 1.0, LOOSE)) @ rows


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
    from scipy.sparse import diags, eye

    weights = trust.astype(np.float64) * (len(anchors.points) / max(float(trust.sum()), 1e-9))
    basis = anchors.basis(points)
    asked = basis.T @ diags(weights)
    held = 1e-9 * eye(basis.shape[1])  # anchors that nothing determines
    return solve_smooth(
        anchors.shape, asked @ basis + STIFFNESS * anchors.bending + held, asked @ displacements
    )
