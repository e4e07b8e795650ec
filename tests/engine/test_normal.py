"""The band's solution beside that of the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest

from engine.anchors import Anchors
from engine.normal import NormalEquations


@pytest.mark.parametrize("size", [(40, 90), (90, 40), (60, 60)])
def test_the_band_gives_what_the_whole_matrix_gives(size):
    anchors = Anchors.over(size)
    rng = np.random.default_rng(0)
    points = rng.uniform(0, size[::-1], (3000, 2))
    slopes = rng.normal(size=(3000, 2))
    error = rng.normal(size=3000)
    weights = np.stack([slopes[:, 0] ** 2, slopes[:, 0] * slopes[:, 1], slopes[:, 1] ** 2], axis=1)
    right = slopes * error[:, None]
    beside = rng.normal(size=(len(anchors.points), 2))
    stiff = 0.3 * anchors.bending

    found = NormalEquations(anchors.shape, stiff, 1e-4).solve(anchors.samples(points), weights, right, beside)

    basis = anchors.basis(points).toarray()
    both = np.hstack([basis * slopes[:, :1], basis * slopes[:, 1:]])
    whole = both.T @ both + np.kron(np.eye(2), stiff.toarray()) + 1e-4 * np.eye(both.shape[1])
    expected = np.linalg.solve(whole, both.T @ error + beside.T.ravel()).reshape(2, -1).T
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())


def test_anchors_that_nothing_determines_stay_at_zero():
    anchors = Anchors.over((40, 60))
    points = np.array([[10.0, 10.0]])
    system = NormalEquations(anchors.shape, 0 * anchors.bending, 1e-3)
    found = system.solve(
        anchors.samples(points),
        np.array([[1.0, 0, 1]]),
        np.array([[4.0, 2]]),
        np.zeros((len(anchors.points), 2)),
    )
    touched = np.abs(found).sum(1) > 0
    assert set(np.flatnonzero(touched)) <= set(anchors.samples(points).corners[0])
    # The few anchors around the sample reach what it asks for.
    np.testing.assert_allclose(anchors.basis(points) @ found, [[4, 2]], rtol=0.01)
