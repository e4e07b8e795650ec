"""What could move, and which way: directions along which a masked still repeats (paper, 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .closer import shows_finer
from .errors import BadMask, BadSettings, NoRepetition
from .inputs import check_mask, check_still, display_at, is_whole, mask_at
from .lags import ANGLES, LENGTHS, SHORTEST, Windows, measure_windows

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

WORKING_SIDE = 256
"""Pixels on the longer side of what is looked at."""
MOST_ENLARGED = 2.5
CLOSER = (2, 4)
"""From how many times as close the middle of a mask is looked at in which something repeats very finely."""
LEAST_SEEN = 0.3
"""Of that, which has to lie in the mask."""
THINNED_SIDE = 1024
"""Pixels on the longer side of a mask, about, when its parts are told apart."""
SMALLEST_PART = 24
"""Pixels of the still; a part of the mask that is smaller a side shows no repetition."""
SCALES = (1.0, 1.0, 0.25)
"""Weight of the windows of each scale, finest first: in perspective the whole hardly fits itself anywhere."""
LONGER = 0.45
"""Doubt for each e-fold of length: of a step and its multiples, the step is meant."""
BLUR = 2.0
"""Angles, each of 4 degrees, over which votes for the best direction are blurred; half as many for others."""
HUMP = np.radians(16.5)
"""A direction is the middle of the votes that lie this close to the best angle."""
APART = np.radians(20)
"""Directions closer than this are the same one."""
SLOPE = 0.5
"""What a vote counts that lies on the slope of a hump."""
FEWEST_VOTES = 1e-3
"""A picture of noise gets ten times as many."""


@dataclass(frozen=True)
class Direction:
    """A direction along which a still repeats.

    Parameters
    ----------
    vector : (2,) float64
        Unit vector, x right and y down: it points right or, if it is rather upright, up. Its opposite is
        as good.
    votes : float
        How clearly the still repeats along it, and along no better one: 0 not at all, 1 very clearly.
    stroke : (2, 2) float64
        A line along it through the middle of the mask, in pixels of the still: a stroke for `solve`.
    """

    vector: Doubles
    votes: float
    stroke: Doubles


def suggest_directions(still: NDArray[Any], mask: NDArray[Any], count: int = 3) -> list[Direction]:
    """Find the directions along which what is masked repeats.

    Parameters
    ----------
    still : (H, W, C) uint8, uint16 or float32
        As for `solve`.
    mask : (H, W) bool or number
        As for `solve`; its largest part decides.
    count : int
        How many directions at most.

    Returns
    -------
    list of Direction
        One to `count`, best first; no two are closer than 20 degrees, and opposite ones are one.

    Raises
    ------
    EndlessLoopsError
        `NoRepetition` where nothing in the mask looks like anything else in it, as in a flat sky;
        another subclass names what is wrong with the input.

    Notes
    -----
    Section 4.4 of the paper lets corner points vote for the direction to their best buddy. Here windows at
    three scales vote for every direction at once, each as clearly as it repeats along it.

    Examples
    --------
    >>> best = engine.suggest_directions(still, mask)[0]  # doctest: +SKIP
    >>> loop = engine.solve(still, mask, [best.stroke])  # doctest: +SKIP
    """
    if not is_whole(count) or count < 1:
        raise BadSettings(f"Ask for one direction or more, not {count!r}.")
    still = check_still(still)
    inside, (rows, columns) = _largest_part(check_mask(mask, still))
    pixels = still[rows, columns]
    height, width = pixels.shape[:2]
    scale = min(WORKING_SIDE / max(height, width), MOST_ENLARGED)
    size = (max(16, round(height * scale)), max(16, round(width * scale)))
    region = mask_at(inside, size)
    windows = measure_windows(*_shown(pixels, inside, region, scale), len(SCALES))
    if not windows:
        raise BadMask("The mask is too thin to show a repetition: paint a larger area.")
    chosen = _choose(*_votes(windows), count)
    if not chosen:
        raise NoRepetition(
            "Nothing in the mask looks like anything else in it: "
            "paint over things that repeat, or draw a direction."
        )
    ratio = np.array([width / size[1], height / size[0]])
    strokes = [
        (_line(region, angle) + 0.5) * ratio - 0.5 + (columns.start, rows.start) for angle, _ in chosen
    ]
    return [
        Direction(_unit(stroke[1] - stroke[0]), votes, stroke)
        for stroke, (_, votes) in zip(strokes, chosen, strict=True)
    ]


def _shown(pixels: NDArray[Any], inside: Mask, region: Mask, scale: float) -> tuple[Floats, Mask]:
    """Show a part as large as its region, or a piece of it from closer, if what repeats is too fine else.

    Returns
    -------
    picture : (h, w, 3) float32
    inside : (h, w) bool
    """
    import cv2

    size = (region.shape[0], region.shape[1])
    picture = display_at(pixels, size)
    for nearness in CLOSER:
        if scale * nearness > MOST_ENLARGED:
            break
        piece, within = (_middle(array, nearness) for array in (pixels, inside))
        closer, there = display_at(piece, size), mask_at(within, size)
        gray = np.asarray(cv2.cvtColor(closer, cv2.COLOR_RGB2GRAY), np.float32)
        if there.mean() < LEAST_SEEN or not shows_finer(gray, there, ANGLES, 2 * SHORTEST):
            break
        picture, region = closer, there
    return picture, region


def _middle(array: NDArray[Any], nearness: int) -> NDArray[Any]:
    """Cut the middle out of a (h, w) or (h, w, C) array: so many times less along each side."""
    rows, columns = (
        slice((side - -(-side // nearness)) // 2, (side + -(-side // nearness)) // 2)
        for side in array.shape[:2]
    )
    return array[rows, columns]


def _largest_part(mask: Mask) -> tuple[Mask, tuple[slice, slice]]:
    """Return the largest connected part of a mask, thinned out if large, and its rows and columns."""
    import cv2

    step = max(1, max(mask.shape) // THINNED_SIDE)
    thin = np.ascontiguousarray(mask[::step, ::step])
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thin.view(np.uint8), connectivity=8)
    label = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if len(stats) > 1 else 0
    left, top, width, height = (int(value) for value in stats[label, :4])
    if (
        label == 0
        or min(width, height) * step < SMALLEST_PART // 3
        or max(width, height) * step < SMALLEST_PART
    ):
        raise BadMask("The mask is too small to hold two repetitions: paint a larger area.")
    rows = slice(top * step, min((top + height) * step, mask.shape[0]))
    columns = slice(left * step, min((left + width) * step, mask.shape[1]))
    return labels[top : top + height, left : left + width] == label, (rows, columns)


def _votes(windows: list[Windows]) -> tuple[Floats, Floats]:
    """Let every window vote for every angle, (A,): for the best direction, and for the next ones.

    Stripes repeat about as well at a slant as straight across, where most changes. What else repeats shows in
    narrow peaks, which lie at slightly different angles in different windows.
    """
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d

    best, others = np.zeros((2, len(ANGLES)), np.float32)
    likely = np.exp(-LONGER * np.log(LENGTHS / SHORTEST))
    for weight, scale in zip(SCALES, windows, strict=False):
        votes = (scale.depth * likely).max(2)
        share = np.float32(weight / sum(SCALES)) * scale.area / scale.area.sum()
        best += share @ (votes * scale.contrast)
        others += share @ maximum_filter1d(votes, 3, axis=1, mode="wrap")
    return (
        np.asarray(gaussian_filter1d(best, BLUR, mode="wrap"), np.float32),
        np.asarray(gaussian_filter1d(others, BLUR / 2, mode="wrap"), np.float32),
    )


def _choose(best: Floats, others: Floats, count: int) -> list[tuple[float, float]]:
    """Choose angles, radians, and their votes: the best one, then the best of what it leaves, and so on."""
    chosen: list[tuple[float, float]] = []
    votes, keep, limit = best, np.ones_like(best), np.inf
    while len(chosen) < count:
        is_top = (votes >= np.roll(votes, 1)) & (votes >= np.roll(votes, -1))
        left = keep * votes * np.where(is_top, 1, SLOPE)
        top = int(left.argmax())
        if left[top] <= FEWEST_VOTES:
            break
        away = _between(ANGLES, ANGLES[top])
        weight = np.square(np.where((np.abs(away) < HUMP) & (left > 0), votes, 0))
        angle = float(ANGLES[top] + weight @ away / weight.sum())
        limit = min(limit, float(left[top]))
        chosen.append((angle, limit))
        away = np.abs(_between(ANGLES, angle))
        keep = np.where(away < APART, 0, keep * np.sin(away))  # the other side of a lattice lies across
        votes = others
    return chosen


def _between(angles: Floats, angle: float) -> Floats:
    """From `angle` to `angles` the shorter way, where opposite ones are the same: -90 to 90 degrees."""
    return (angles - angle + np.pi / 2) % np.pi - np.pi / 2


def _line(region: Mask, angle: float) -> Doubles:
    """Draw a line (2, 2) at an angle through the middle of a region, as long as it stays inside."""
    import cv2

    # The middle: the deep point that is nearest to the center of mass, which may lie outside.
    depth = cv2.distanceTransform(np.pad(region, 1).view(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    rows, columns = np.nonzero(depth >= 0.5 * depth.max())
    deep = np.stack([columns, rows], axis=-1).astype(np.float64)
    center = deep[np.hypot(*(deep - np.argwhere(region).mean(0)[::-1]).T).argmin()]
    vector = np.array([np.cos(angle), np.sin(angle)])
    if abs(vector[1]) > abs(vector[0]):
        vector *= -np.sign(vector[1])
    else:
        vector *= np.sign(vector[0])
    return np.stack([center + 0.9 * _reach(region, center, way) * way for way in (-vector, vector)])


def _reach(region: Mask, center: Doubles, way: Doubles) -> float:
    """How far one can go from the center before leaving the region, pixels; 1 at least."""
    places = np.rint(center + np.arange(1, sum(region.shape))[:, None] * way).astype(int)
    columns, rows = places[((places >= 0) & (places < region.shape[::-1])).all(1)].T
    within = region[rows, columns]
    return float(max(1, len(within) if within.all() else np.argmin(within)))


def _unit(vector: Doubles) -> Doubles:
    return vector / np.hypot(*vector)
