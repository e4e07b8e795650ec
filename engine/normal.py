"""Least squares over a grid of anchors: what is asked for against smoothness, solved as a band."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Sparse = Any
"""A scipy sparse matrix; scipy is imported when first needed."""

NEIGHBORS = ((0, 0), (0, 1), (1, -1), (1, 0), (1, 1))
"""Anchors that come no earlier than one does and share a cell with it: so far along each axis."""


class Band:
    """The order of a grid's anchors in which their equations make the narrowest band.

    Parameters
    ----------
    shape : (rows, columns)
        Of the grid.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        # Along the shorter side first.
        self.across = shape[1] > shape[0]
        self.side = min(shape)
        self.order = np.arange(shape[0] * shape[1]).reshape(shape).ravel("F" if self.across else "C")
        self.place = np.argsort(self.order)

    def lower(self, matrix: Sparse) -> Doubles:
        """Return the lower band, (2 * side + 1, anchors), of a matrix of anchors up to two apart."""
        entries = matrix.tocoo()
        row, column = self.place[entries.row], self.place[entries.col]
        lower = row >= column
        band = np.zeros((2 * self.side + 1, len(self.place)))
        band[(row - column)[lower], column[lower]] = entries.data[lower]
        return band

    def solve(self, band: Doubles, right: Doubles) -> Doubles:
        """Solve for (anchors, n) values, in their own order; the band and what it is to be are in its order.

        Parameters
        ----------
        band : (width, anchors * m) float64
            Lower half of the matrix; overwritten.
        right : (anchors * m, n) float64
        """
        from scipy.linalg import solveh_banded

        solved = solveh_banded(band, right, lower=True, overwrite_ab=True, check_finite=False)
        return np.asarray(solved.reshape(len(self.place), -1)[self.place], np.float64)


def solve_smooth(shape: tuple[int, int], matrix: Sparse, right: Doubles) -> Doubles:
    """Solve for values at anchors.

    Parameters
    ----------
    shape : (rows, columns)
        Of the grid.
    matrix : (anchors, anchors) sparse
        Positive definite; couples anchors at most two rows and two columns apart.
    right : (anchors, n) float64

    Returns
    -------
    (anchors, n) float64
    """
    band = Band(shape)
    return band.solve(band.lower(matrix), right[band.order])


class NormalEquations:
    """Normal equations for two numbers at each anchor, from samples on a lattice over the grid.

    Parameters
    ----------
    down : (r, rows) float32
        What each row of anchors counts in each of the lattice's rows.
    along : (c, columns) float32
        The same for columns.
    smoothness : (anchors, anchors) sparse
        Couples anchors at most two rows and two columns apart.
    hold : float
        Weight of the two numbers' own squares: anchors that nothing determines stay at 0.
    """

    def __init__(self, down: Floats, along: Floats, smoothness: Sparse, hold: float) -> None:
        self.order = Band((down.shape[1], along.shape[1]))
        lower = self.order.lower(smoothness)
        lower[0] += hold
        self.band = np.zeros((2 * len(lower) - 1, 2 * lower.shape[1]), order="F")  # as LAPACK takes it
        self.band[::2] = np.repeat(lower, 2, axis=1)
        self.major, self.minor = (along, down) if self.order.across else (down, along)

    def solve(self, weights: Floats, right: Floats, beside: Doubles) -> Doubles:
        """Find the two numbers at each anchor.

        Parameters
        ----------
        weights : (3, r, c) float32
            Of the first number's square, of the product of both and of the second one's square.
        right : (2, r, c) float32
            The right-hand side that each sample asks for.
        beside : (anchors, 2) float64
            The rest of the right-hand side.

        Returns
        -------
        (anchors, 2) float64
        """
        if self.order.across:
            weights, right = weights.swapaxes(1, 2), right.swapaxes(1, 2)
        asked = self.major.T @ right @ self.minor
        total = beside[self.order.order] + asked.reshape(2, -1).T
        band = self.band.copy(order="F")
        majors, minors = _products(self.major), _products(self.minor)
        sums = [[major.T @ part for part in (weights @ minor for minor in minors)] for major in majors]
        for ahead, aside in NEIGHBORS:
            block = np.zeros((3, self.major.shape[1], self.minor.shape[1]))
            first = max(0, -aside)
            found = sums[ahead][abs(aside)]
            block[:, : found.shape[1], first : first + found.shape[2]] = found
            distance = 2 * (ahead * self.order.side + aside)
            for one, other in itertools.product((0, 1), repeat=2):
                if distance or one >= other:
                    band[distance + one - other, other::2] += block[one + other].ravel()
        return self.order.solve(band, total.ravel())


def _products(basis: Floats) -> tuple[Floats, Floats]:
    """Multiply what each anchor counts by itself and by what the next one does."""
    return np.square(basis), basis[:, :-1] * basis[:, 1:]
