"""Matrices over anchors written out whole, beside the engine's bands and cells."""

from __future__ import annotations

import numpy as np

from engine.normal import Band


def basis(anchors, points):
    """What each anchor counts at (N, 2) points, (N, anchors)."""
    corners, shares = anchors.basis(points)
    whole = np.zeros((len(points), len(anchors.points)))
    np.put_along_axis(whole, corners, shares, axis=1)
    return whole


def matrix(shape, lower):
    """The symmetric matrix of a grid's anchors whose lower band this is, in their own order."""
    order = Band(shape)
    whole = np.zeros((lower.shape[1], lower.shape[1]))
    for apart, entries in enumerate(lower):
        places = np.arange(lower.shape[1] - apart)
        whole[places + apart, places] = whole[places, places + apart] = entries[: len(places)]
    return whole[np.ix_(order.place, order.place)]
