"""Least squares over a grid of anchors: what is asked for against smoothness, solved as a band."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

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

    def gram(self, corners: NDArray[np.intp], shares: Doubles, weights: Doubles) -> Doubles:
        """Return the lower band, (2 * side + 1, anchors), of what points between anchors count, squared.

        Parameters
        ----------
        corners : (N, 4) int
            The anchors of each point's cell.
        shares : (N, 4) float64
            What each of them counts there.
        weights : (N,) float64
        """
        places = self.place[corners]
        apart = places[:, :, None] - places[:, None]
        products = (shares * weights[:, None])[:, :, None] * shares[:, None]
        lower, count = apart >= 0, len(self.place)
        entries = apart * count + places[:, None]
        size = (2 * self.side + 1) * count
        return (
            np.bincount(entries[lower], products[lower], size)
            .reshape(-1, count)
            .astype(np.float64, copy=False)
        )

    def times(self, band: Doubles, values: Doubles) -> Doubles:
        """Multiply a lower band's whole matrix with (anchors, n) values; both in its order."""
        from scipy.linalg.blas import dsbmv

        return np.stack([dsbmv(len(band) - 1, 1.0, band, column, lower=1) for column in values.T], axis=1)

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


class NormalEquations:
    """Normal equations for two numbers at each anchor, from samples on a lattice over the grid.

    Parameters
    ----------
    down : (r, rows) float32
        What each row of anchors counts in each of the lattice's rows.
    along : (c, columns) float32
        The same for columns.
    smoothness : (2 * side + 1, anchors) float64
        Lower band of a matrix that couples anchors at most two rows and two columns apart.
    hold : float
        Weight of the two numbers' own squares: anchors that nothing determines stay at 0.
    """

    def __init__(self, down: Floats, along: Floats, smoothness: Doubles, hold: float) -> None:
        self.order = Band((down.shape[1], along.shape[1]))
        self.smoothness = np.asfortranarray(smoothness)  # as LAPACK takes it
        self.band = np.zeros((2 * len(smoothness) - 1, 2 * smoothness.shape[1]), order="F")
        self.band[::2] = np.repeat(smoothness, 2, axis=1)
        self.band[0] += hold
        major, self.minor = (along, down) if self.order.across else (down, along)
        # What each anchor counts, times itself and times what the next one does.
        self.majors, self.minors = (
            np.concatenate([np.square(basis), basis[:, :-1] * basis[:, 1:]], axis=1)
            for basis in (major, self.minor)
        )
        self.major = major

    def solve(self, weights: Floats, right: Floats, values: Doubles) -> Doubles:
        """Find the two numbers at each anchor.

        Parameters
        ----------
        weights : (3, r, c) float32
            Of the first number's square, of the product of both and of the second one's square.
        right : (2, r, c) float32
            The right-hand side that each sample asks for.
        values : (anchors, 2) float64
            What smoothness pulls at: the numbers are added to them.

        Returns
        -------
        (anchors, 2) float64
        """
        if self.order.across:
            weights, right = weights.swapaxes(1, 2), right.swapaxes(1, 2)
        asked = self.major.T @ right @ self.minor
        total = asked.reshape(2, -1).T - self.order.times(self.smoothness, values[self.order.order])
        band = self.band.copy(order="F")
        shape = self.major.shape[1], self.minor.shape[1]
        sums = self.majors.T @ (weights @ self.minors)
        for ahead, aside in NEIGHBORS:
            block = np.zeros((3, *shape))
            first = max(0, -aside)
            down, along = (
                slice(count) if not step else slice(count, None)
                for count, step in zip(shape, (ahead, aside), strict=True)
            )
            found = sums[:, down, along]
            block[:, : found.shape[1], first : first + found.shape[2]] = found
            distance = 2 * (ahead * self.order.side + aside)
            for one, other in itertools.product((0, 1), repeat=2):
                if distance or one >= other:
                    band[distance + one - other, other::2] += block[one + other].ravel()
        return self.order.solve(band, total.ravel())
