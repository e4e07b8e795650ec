"""What could move: regions of a still that repeat (section 7 of the paper)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadSettings, NoRepetition
from .grow import draw_to_edges, shown_for_edges, smoothed
from .inputs import check_still, display_at, is_whole
from .lags import ANGLES, ASIDE, LENGTHS, SHORTEST, Windows, measure_windows
from .resample import enlarge, shrink

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

WORKING_SIDE = 256
"""Pixels on the longer side of what is looked at."""
PLAIN = 0.005
"""Deviation of a picture without anything in it."""
LONGER = 0.3
"""Doubt for each e-fold of a lag's length."""
LAGS = 3
"""Lags of a window that are followed up."""
LEAST_DEPTH = 0.1
MARGIN = 16
"""Pixels around a window in which its lags are tried, too."""
FLAT = 0.05
"""Of the picture's variance: what differs less is alike by accident."""
THRESHOLDS = (0.1, 0.25, 0.45, 0.7)
"""Of a map's strongest repetition: where it is cut into regions."""
LOOKS = (3, 5, 8)
"""Into how many kinds of surface a picture is sorted."""
SMALLEST = 0.015
"""Of the picture; smaller regions aren't worth a suggestion."""
IDLE = 0.1
"""Of the strongest repetition: a region gains by what repeats more, and loses by what repeats less."""
SAME = 0.6
"""Intersection over union from which on two masks are one suggestion."""


def suggest_masks(still: NDArray[Any], count: int = 5) -> list[Mask]:
    """Find regions of a still that repeat, as masks to choose from.

    Parameters
    ----------
    still : (H, W, C) uint8, uint16 or float32
        As for `solve`.
    count : int
        How many masks at most.

    Returns
    -------
    list of (H, W) bool
        One to `count`, best first: what repeats takes turns with what looks like one thing and repeats.

    Raises
    ------
    EndlessLoopsError
        `NoRepetition` for a picture without anything in it; another subclass names what is wrong with the
        input.
    """
    if not is_whole(count) or count < 1:
        raise BadSettings(f"Ask for one mask or more, not {count!r}.")
    still = check_still(still)
    height, width = still.shape[:2]
    scale = WORKING_SIDE / max(height, width)
    size = (max(16, round(height * scale)), max(16, round(width * scale)))
    picture = display_at(still, size)
    if picture.std((0, 1)).max() < PLAIN:
        raise NoRepetition("Nothing stands out in this still: paint the mask.")
    windows = measure_windows(picture, np.ones(size, bool))
    maps = [enlarge(_strength(scale), size) for scale in windows]
    strength = np.max(maps, axis=0)
    repeating = [region for values in (strength, *maps) for region in _regions_above(values)]
    alike = _regions_alike(picture, windows[min(1, len(windows) - 1)].planes, strength)
    chosen = _take_turns(_ranked(repeating, strength), _ranked(alike, strength), count)
    shown = shown_for_edges(still)
    return [draw_to_edges(shown, mask, (height, width)) for mask in chosen]


def _strength(windows: Windows) -> Floats:
    """How clearly each pixel of a scale repeats at one of the lags around it: (h, w), 0 to 1."""
    from scipy.ndimage import maximum_filter

    shape = windows.planes.shape[1:]
    strength = np.zeros(shape, np.float32)
    likely = np.exp(-LONGER * np.log(LENGTHS / SHORTEST))
    for box, depth in zip(windows.boxes, windows.depth * likely, strict=True):
        around = np.pad(depth, ((4, 4), (0, 0)), mode="wrap")
        is_peak = (depth >= maximum_filter(around, (9, 5))[4:-4]) & (depth > LEAST_DEPTH)
        peaks = np.argwhere(is_peak)
        best = peaks[np.argsort(-depth[is_peak], kind="stable")[:LAGS]]
        rows, columns = (
            slice(max(0, span.start - MARGIN), min(side, span.stop + MARGIN))
            for span, side in zip(box, shape, strict=True)
        )
        for angle, length in best:
            local = _local_depth(windows.planes[:, rows, columns], ANGLES[angle], LENGTHS[length])
            np.maximum(strength[rows, columns], local, out=strength[rows, columns])
    return strength


def _local_depth(planes: Floats, angle: float, length: float) -> Floats:
    """How much better each pixel's surroundings fit at a lag than at a little shorter and longer ones."""
    import cv2

    lag = length * np.array([np.cos(angle), np.sin(angle)])
    sigma = max(2.5, 0.4 * length)
    costs = []
    for stretch in (*ASIDE, 1.0):
        cost, known = _differences(planes, *np.rint(stretch * lag).astype(int))
        support = cv2.GaussianBlur(known, (0, 0), sigma)
        costs.append(cv2.GaussianBlur(cost, (0, 0), sigma) / np.maximum(support, 0.05) + FLAT)
    depth = np.maximum(1 - costs[2] / np.minimum(costs[0], costs[1]), 0)
    return np.asarray(depth * np.minimum(support * 2, 1), np.float32)


def _differences(planes: Floats, dx: int, dy: int) -> tuple[Floats, Floats]:
    """Sum what each pixel differs from those a lag away, on both sides, and how many of those there are."""
    height, width = planes.shape[1:]
    total, known = np.zeros((2, height, width), np.float32)
    rows, columns = max(0, height - abs(dy)), max(0, width - abs(dx))
    here = (slice(max(0, -dy), max(0, -dy) + rows), slice(max(0, -dx), max(0, -dx) + columns))
    there = (slice(max(0, dy), max(0, dy) + rows), slice(max(0, dx), max(0, dx) + columns))
    difference = planes[:, *here] - planes[:, *there]
    squared = np.einsum("chw,chw->hw", difference, difference)
    for place in (here, there):
        total[place] += squared
        known[place] += 1
    return total, known


def _regions_above(values: Floats) -> list[Mask]:
    """Cut a map at several heights; each piece is a region, and so is its convex hull."""
    import cv2

    top = float(np.percentile(values, 99))
    if top < LEAST_DEPTH / 2:
        return []
    pieces = [piece for share in THRESHOLDS for piece in _pieces(values > share * top)]
    hulls = []
    for piece in pieces:
        outline = np.concatenate(
            cv2.findContours(piece.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        )
        hulls.append(cv2.fillConvexPoly(np.zeros(values.shape, np.uint8), cv2.convexHull(outline), 1) > 0)
    return [*pieces, *hulls]


def _regions_alike(picture: Floats, planes: Floats, strength: Floats) -> list[Mask]:
    """Sort pixels by color, texture, repetition and place into kinds of surface: each piece is a region."""
    import cv2

    shape = (planes.shape[1], planes.shape[2])
    small = shrink(picture, shape)
    color = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2Lab), (0, 0), 1.5)
    smooth = np.stack([cv2.GaussianBlur(plane, (0, 0), 4) for plane in planes], axis=-1)
    detail = cv2.GaussianBlur(np.square(planes.transpose(1, 2, 0) - smooth), (0, 0), 4)
    texture = np.log(np.sqrt(detail) + 0.05 * np.sqrt(detail).mean() + 1e-6)
    repeats = cv2.GaussianBlur(shrink(strength, shape), (0, 0), 2)[..., None]
    place = np.moveaxis(np.mgrid[: shape[0], : shape[1]], 0, -1) / max(shape)
    kinds = [_evened(color), _evened(texture), 0.7 * _evened(repeats), 1.2 * place]
    features = np.concatenate(kinds, axis=-1).reshape(shape[0] * shape[1], -1).astype(np.float32)
    found = []
    for count in LOOKS:
        cv2.setRNGSeed(0)
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 20, 1e-3)
        _, labels, _ = cv2.kmeans(features, count, None, stop, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
        for kind in range(count):
            is_kind = (labels.reshape(shape) == kind).astype(np.float32)
            found += _pieces(enlarge(is_kind, strength.shape) > 0.5)
    return found


def _evened(values: NDArray[Any]) -> Floats:
    """Center (h, w, C) values and scale them to a variance of 1 in all."""
    values = values - values.mean((0, 1))
    return np.asarray(values / np.sqrt(max(float(np.square(values).sum(2).mean()), 1e-2)), np.float32)


def _pieces(mask: Mask) -> list[Mask]:
    """Return the connected pieces of a mask, rounded off and without holes, that are large enough."""
    import cv2

    outlines, _ = cv2.findContours(
        smoothed(mask, 0.016).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    filled = [cv2.fillPoly(np.zeros(mask.shape, np.uint8), [outline], 1) > 0 for outline in outlines]
    return [piece for piece in filled if piece.sum() >= SMALLEST * mask.size]


def _ranked(regions: list[Mask], strength: Floats) -> list[Mask]:
    """Sort regions by how much repeats in them, less what is idle."""
    gain = strength - IDLE * np.percentile(strength, 98)
    return sorted(regions, key=lambda region: -float(gain[region].sum()))


def _take_turns(first: list[Mask], second: list[Mask], count: int) -> list[Mask]:
    """Take masks from either list in turn, best first, that differ from those taken before."""
    chosen: list[Mask] = []
    left = [list(first), list(second)]
    while any(left) and len(chosen) < count:
        for regions in left:
            while regions and len(chosen) < count:
                region = regions.pop(0)
                if all(_overlap(region, other) < SAME for other in chosen):
                    chosen.append(region)
                    break
    return chosen


def _overlap(one: Mask, other: Mask) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))
