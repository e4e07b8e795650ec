"""The band's solution beside that of the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest

from engine.anchors import Anchors
from engine.normal import Band, NormalEquations

from . import whole


def lattice(anchors, size, spacing):
    """Places on rows and columns all over a box, and what each anchor counts there."""
    y, x = (np.arange(0.3, side, spacing) for side in size)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return anchors.lattice(y, x), points, (len(y), len(x))


@pytest.mark.parametrize("size", [(40, 90), (90, 40), (60, 60)])
def test_the_band_gives_what_the_whole_matrix_gives(size):
    anchors = Anchors.over(size)
    rng = np.random.default_rng(0)
    (down, along), points, shape = lattice(anchors, size, 1.7)
    slopes = rng.normal(size=(2, len(points)))
    error = rng.normal(size=len(points))
    weights = np.stack([slopes[0] ** 2, slopes[0] * slopes[1], slopes[1] ** 2]).astype(np.float32)
    right = (slopes * error).astype(np.float32)
    values = rng.normal(size=(len(anchors.points), 2))
    stiff = 0.3 * anchors.bending

    system = NormalEquations(down, along, stiff, 1e-4)
    found = system.solve(weights.reshape(3, *shape), right.reshape(2, *shape), values)

    basis = whole.basis(anchors, points)
    both = np.hstack([basis * slopes[0][:, None], basis * slopes[1][:, None]])
    smooth = np.kron(np.eye(2), whole.matrix(anchors.shape, stiff))
    matrix = both.T @ both + smooth + 1e-4 * np.eye(both.shape[1])
    expected = np.linalg.solve(matrix, both.T @ error - smooth @ values.T.ravel()).reshape(2, -1).T
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("size", [(40, 90), (90, 40)])
def test_values_alone_are_found_as_from_the_whole_matrix(size):
    anchors = Anchors.over(size)
    rng = np.random.default_rng(0)
    points, weights = rng.uniform(0, size[::-1], (3000, 2)), rng.uniform(0, 1, 3000)
    order = Band(anchors.shape)
    band = order.gram(*anchors.basis(points), weights) + 0.3 * anchors.bending
    basis = whole.basis(anchors, points)
    matrix = basis.T @ (weights[:, None] * basis) + 0.3 * bending(anchors)
    np.testing.assert_allclose(whole.matrix(anchors.shape, band), matrix, atol=1e-10)
    right = rng.normal(size=(len(anchors.points), 3))
    np.testing.assert_allclose(
        order.times(band, right[order.order]), (matrix @ right)[order.order], atol=1e-9
    )
    expected = np.linalg.solve(matrix, right)
    found = order.solve(band, right[order.order])
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())


def bending(anchors):
    """The sum of squared second differences as a whole matrix."""
    rows, columns = anchors.shape
    once, twice = (lambda n: np.diff(np.eye(n), axis=0)), (lambda n: np.diff(np.eye(n), 2, axis=0))
    kinds = (
        (np.kron(np.eye(rows), twice(columns)), 1),
        (np.kron(twice(rows), np.eye(columns)), 1),
        (np.kron(once(rows), once(columns)), 2),
    )
    return sum(weight * kind.T @ kind for kind, weight in kinds)


def test_anchors_that_nothing_determines_stay_at_zero():
    anchors = Anchors.over((40, 60))
    point = np.array([[10.0, 10.0]])
    down, along = anchors.lattice(point[:, 1], point[:, 0])
    system = NormalEquations(down, along, 0 * anchors.bending, 1e-3)
    weights, right = np.array([1, 0, 1], np.float32), np.array([4, 2], np.float32)
    found = system.solve(weights[:, None, None], right[:, None, None], np.zeros((len(anchors.points), 2)))
    touched = np.abs(found).sum(1) > 0
    assert set(np.flatnonzero(touched)) <= set(anchors.basis(point)[0].ravel())
    # The few anchors around the sample reach what it asks for.
    np.testing.assert_allclose(whole.basis(anchors, point) @ found, [[4, 2]], rtol=0.01)
