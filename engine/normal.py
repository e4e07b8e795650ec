"""Least squares over a grid of anchors: samples between them against smoothness, solved as a band."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Sparse = Any
"""A scipy sparse matrix; scipy is imported when first needed."""

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Of a cell between four anchors: (row, column) of each, in the order that shares are kept in."""
PAIRS = tuple(itertools.combinations_with_replacement(range(4), 2))


@dataclass(frozen=True)
class Samples:
    """Places between anchors.

    Parameters
    ----------
    corners : (N, 4) int32
        Numbers of the anchors around each: left and right above, left and right below.
    shares : (N, 4) float64
        What each of the four counts there; they sum to 1.
    """

    corners: NDArray[np.int32]
    shares: Doubles

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Samples:
        return Samples(self.corners[chosen], self.shares[chosen])


class NormalEquations:
    """Normal equations for two numbers at each anchor.

    Parameters
    ----------
    shape : (rows, columns)
        Of the grid.
    smoothness : (anchors, anchors) sparse
        Couples anchors at most two rows and two columns apart.
    hold : float
        Weight of the two numbers' own squares: anchors that nothing determines stay at 0.
    """

    def __init__(self, shape: tuple[int, int], smoothness: Sparse, hold: float) -> None:
        # Along the shorter side first: the band is then as narrow as can be.
        self.across = shape[1] > shape[0]
        self.side = min(shape)
        self.order = np.arange(shape[0] * shape[1]).reshape(shape).ravel("F" if self.across else "C")
        self.place = place = np.argsort(self.order)
        entries = smoothness.tocoo()
        row, column = place[entries.row], place[entries.col]
        lower = row >= column
        self.band = np.zeros((4 * self.side + 2, 2 * len(place)))
        for axis in (0, 1):
            np.add.at(self.band, (2 * (row - column)[lower], 2 * column[lower] + axis), entries.data[lower])
        self.band[0] += hold

    def solve(self, samples: Samples, weights: Doubles, right: Doubles, beside: Doubles) -> Doubles:
        """Find the two numbers at each anchor.

        Parameters
        ----------
        samples : Samples
        weights : (N, 3) float64
            Of the first number's square, of the product of both and of the second one's square.
        right : (N, 2) float64
            The right-hand side that each sample asks for.
        beside : (anchors, 2) float64
            The rest of the right-hand side.

        Returns
        -------
        (anchors, 2) float64
        """
        from scipy.linalg import solveh_banded

        count = len(self.place)
        first, second = (np.array(corner) for corner in zip(*PAIRS, strict=True))
        products = samples.shares[:, first] * samples.shares[:, second]
        blocks = self._sum(samples.corners[:, 0], products[:, :, None] * weights[:, None])
        asked = self._sum(samples.corners[:, 0], samples.shares[:, :, None] * right[:, None])
        away = [
            row + column * self.side if self.across else row * self.side + column for row, column in CORNERS
        ]
        band, total = self.band.copy(), beside[self.order]
        for pair, block in zip(PAIRS, blocks.transpose(1, 2, 0), strict=True):
            near, far = sorted(away[corner] for corner in pair)
            for one, other in itertools.product((0, 1), repeat=2):
                if near < far or one >= other:
                    target = band[2 * (far - near) + one - other, 2 * near + other :: 2]
                    target += block[one + other, : len(target)]
        for corner, start in enumerate(away):
            total[start:] += asked[: count - start, corner]
        solved = solveh_banded(band, total.ravel(), lower=True, overwrite_ab=True, check_finite=False)
        return np.asarray(solved.reshape(-1, 2)[self.place], np.float64)

    def _sum(self, cell: NDArray[np.int32], values: Doubles) -> Doubles:
        """Add up (N, ...) values cell by cell, in the band's order of anchors."""
        from scipy.sparse import csc_matrix

        count = len(values)
        where = csc_matrix(
            (np.ones(count), self.place[cell], np.arange(count + 1)), shape=(len(self.place), count)
        )
        return np.asarray(where @ values.reshape(count, -1), np.float64).reshape(-1, *values.shape[1:])
