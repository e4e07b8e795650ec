"""The band's solution beside that of the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest

from engine.anchors import Anchors
from engine.normal import NormalEquations, solve_smooth


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
    beside = rng.normal(size=(len(anchors.points), 2))
    stiff = 0.3 * anchors.bending

    system = NormalEquations(down, along, stiff, 1e-4)
    found = system.solve(weights.reshape(3, *shape), right.reshape(2, *shape), beside)

    basis = anchors.basis(points).toarray()
    both = np.hstack([basis * slopes[0][:, None], basis * slopes[1][:, None]])
    whole = both.T @ both + np.kron(np.eye(2), stiff.toarray()) + 1e-4 * np.eye(both.shape[1])
    expected = np.linalg.solve(whole, both.T @ error + beside.T.ravel()).reshape(2, -1).T
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("size", [(40, 90), (90, 40)])
def test_values_alone_are_found_as_from_the_whole_matrix(size):
    anchors = Anchors.over(size)
    rng = np.random.default_rng(0)
    basis = anchors.basis(rng.uniform(0, size[::-1], (3000, 2)))
    matrix = basis.T @ basis + 0.3 * anchors.bending
    right = rng.normal(size=(len(anchors.points), 3))
    expected = np.linalg.solve(matrix.toarray(), right)
    found = solve_smooth(anchors.shape, matrix, right)
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())


def test_anchors_that_nothing_determines_stay_at_zero():
    anchors = Anchors.over((40, 60))
    point = np.array([[10.0, 10.0]])
    down, along = anchors.lattice(point[:, 1], point[:, 0])
    system = NormalEquations(down, along, 0 * anchors.bending, 1e-3)
    weights, right = np.array([1, 0, 1], np.float32), np.array([4, 2], np.float32)
    found = system.solve(weights[:, None, None], right[:, None, None], np.zeros((len(anchors.points), 2)))
    touched = np.abs(found).sum(1) > 0
    assert set(np.flatnonzero(touched)) <= set(anchors.basis(point).indices)
    # The few anchors around the sample reach what it asks for.
    np.testing.assert_allclose(anchors.basis(point) @ found, [[4, 2]], rtol=0.01)
