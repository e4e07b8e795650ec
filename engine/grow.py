"""From a rough scribble to the object under it, with clean edges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inputs import check_mask, check_still, display_at
from .resample import enlarge, shrink

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

CUT_SIDE = 200
"""Pixels on the longer side of what is cut: more takes longer and finds the same object."""
EDGE_SIDE = 960
"""Pixels on the longer side at which a cut is drawn to the still's edges."""
ROUNDS = 2
TOUCHED = 0.1
"""Of a small pixel, from which on a scribble touches it."""
NEAR = 0.03
"""Of the longer side: what lies this close to a scribble is likely of the same object."""
THICK = 0.08
"""Of the longer side, half a scribble's width: what is thicker is a rough mask already, if it is also ..."""
BROAD = 0.075
"""... half as wide as this much of its own length."""
BAND = 0.2
"""Of a rough mask's half width: how far its edge may be off."""
SMALLEST_HOLE = 0.01
"""Of the still."""


def grow_mask(still: NDArray[Any], mask: NDArray[Any]) -> Mask:
    """Turn a rough scribble into a mask of the object it lies on.

    Parameters
    ----------
    still : (H, W, C) uint8, uint16 or float32
        As for `solve`.
    mask : (H, W) bool or number
        A few thin strokes over the object, which grow as far as it looks like them; or a roughly painted
        mask, whose edge moves to the nearest edge of the still.

    Returns
    -------
    (H, W) bool
        Without small holes, islands and frayed edges; the scribble itself where it is too small to grow.

    Raises
    ------
    EndlessLoopsError
        A subclass names what is wrong with the input.

    Notes
    -----
    GrabCut (Rother, Kolmogorov and Blake 2004) at a small size, its edge then drawn to the still's by a
    guided filter (He, Sun and Tang 2010).
    """
    import cv2

    still = check_still(still)
    scribble = check_mask(mask, still)
    size = _fitting(still, CUT_SIDE)
    touched = cv2.resize(scribble.view(np.uint8) * np.uint8(255), size[::-1], interpolation=cv2.INTER_AREA)
    shown = shown_for_edges(still)
    picture = shrink(shown, size)
    cut = _cut(picture, np.asarray(touched > 255 * TOUCHED))
    grown = draw_to_edges(shown, smoothed(cut), still.shape[:2])
    return grown if grown.any() else scribble.copy()


def shown_for_edges(still: NDArray[Any]) -> Floats:
    """Show a still at the size at which `draw_to_edges` wants it."""
    return display_at(still, _fitting(still, EDGE_SIDE))


def smoothed(mask: Mask, reach: float = 0.01) -> Mask:
    """Round off what is narrower than twice `reach`, of the longer side, and fill small holes."""
    import cv2

    radius = max(1, round(reach * max(mask.shape)))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = cv2.copyMakeBorder(mask.view(np.uint8), radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disk)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, disk)[radius:-radius, radius:-radius] > 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~opened).view(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] < SMALLEST_HOLE * mask.size
    small[0] = True  # what is not a hole
    return np.asarray(small[labels])


def draw_to_edges(shown: Floats, small: Mask, shape: tuple[int, ...]) -> Mask:
    """Enlarge a small mask to `shape`, its edge drawn to the edges nearby that are shown."""
    import cv2

    guide = np.asarray(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), np.float32)
    soft = enlarge(small.astype(np.float32), guide.shape)
    radius = max(2, round(1.5 * max(guide.shape) / max(small.shape)))

    def mean(values: NDArray[Any]) -> Floats:
        return np.asarray(cv2.boxFilter(values, -1, (2 * radius + 1, 2 * radius + 1)), np.float32)

    grey, inside = mean(guide), mean(soft)
    slope = (mean(guide * soft) - grey * inside) / (mean(guide * guide) - grey * grey + np.float32(1e-3))
    offset = np.asarray(inside - slope * grey, np.float32)
    drawn = mean(slope) * guide + mean(offset)
    return np.asarray(enlarge(drawn, shape) > 0.5)


def _fitting(still: NDArray[Any], longer: int) -> tuple[int, int]:
    """Return the size, (rows, columns), of a still that is shrunk to a longer side."""
    height, width = still.shape[:2]
    scale = min(1.0, longer / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _cut(picture: Floats, scribble: Mask) -> Mask:
    """Separate the object under a scribble from the rest of a small picture."""
    import cv2

    labels = _guess(scribble)
    known = np.isin(labels, (cv2.GC_BGD, cv2.GC_PR_BGD))
    if known.all() or not known.any():
        return scribble
    cv2.setRNGSeed(0)  # GrabCut draws its first clusters by chance
    colors, models = np.rint(picture * 255).astype(np.uint8), np.zeros((2, 1, 65))
    nowhere = (0, 0, 1, 1)  # a rectangle, which is not looked at
    cv2.grabCut(colors, labels, nowhere, models[0], models[1], ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    _, parts = cv2.connectedComponents(found.view(np.uint8))
    return found & np.isin(parts, np.unique(parts[scribble & found]))


def _guess(scribble: Mask) -> NDArray[np.uint8]:
    """Label each pixel as GrabCut wants it: surely or probably of the object or not."""
    import cv2

    longer = max(scribble.shape)
    inward = cv2.distanceTransform(np.pad(scribble, 1).view(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    outward = cv2.distanceTransform((~scribble).view(np.uint8), cv2.DIST_L2, 3)
    half_width = float(inward.max())
    labels = np.full(scribble.shape, cv2.GC_PR_BGD, np.uint8)
    if half_width > THICK * longer and half_width > BROAD * max(np.ptp(np.argwhere(scribble), axis=0)):
        band = BAND * half_width
        labels[outward > band] = cv2.GC_BGD
        labels[scribble] = cv2.GC_PR_FGD
        labels[inward > band] = cv2.GC_FGD
    else:
        labels[outward < NEAR * longer] = cv2.GC_PR_FGD
        labels[scribble] = cv2.GC_FGD
    return labels
