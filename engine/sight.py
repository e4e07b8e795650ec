"""Finding a repetition on the plane where it shows best: the picture itself, or a tilted plane laid flat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .anchors import Doubles, Floats
from .errors import BadMask
from .plane import Plane
from .repetition import ANY_SLANT, HARDLY_ANY_SLANT, Repetition, Slants, find_repetition
from .resample import blurred, shrink
from .settings import Progress
from .similarity import NODE, Similarity, describe_levels, measure
from .wheel import Wheel

LONGEST_STEP = 0.6
"""Of the region's extent along the stroke: what repeats has to be there almost twice."""
DOUBTFUL, VERY_DOUBTFUL = 0.12, 0.08
"""Merit of a repetition below which planes in strong perspective are tried, and structure without color."""
TILTS = (0.5, 0.75)
"""How much nearer or further than its center a tilted plane is at the region's end: tried first, and next."""
STEEPER = 0.1
"""How much nearer a tilted plane may still be at the region's end; else a steeper one is tried."""
EVEN = 10.0
"""Working pixels; deviation of the Gaussian that color and light are evened out by."""
CLEARER = 0.01
"""By how much more merit a repetition has to have that color and light have no part in."""
NO_CONTRAST = 0.02
"""Of white; details fainter than that are not brought out."""
FAINTEST = 1 / 128
"""Of white; the steps of 8 bits repeat as well, and are left out."""
IN_PERSPECTIVE, IN_ANOTHER_COLOR = "Finding Repetitions in Perspective", "Finding Repetitions in Other Colors"
TOO_THIN = "The mask is too thin to see what repeats in it: paint a broader area."
LEAST_REGION = 64
"""Pixels of a region that are looked at, at least."""
COARSER, ROOMY = 0.5, 2000
"""Of the size that colors are looked at: structure without them is coarse. For regions of so many pixels."""
FLAT_SIDE = 240
"""Pixels on the longer side of a plane laid flat: its near end is small there."""


@dataclass(frozen=True)
class Source:
    """A part's picture, (h, w, 3) float32 as displayed, and how many of its pixels make a working pixel.

    `colorless` says that it shows structure alone, evened out in color and light, and `scale` at how much of
    its size it's looked at.
    """

    picture: Floats
    zoom: float
    colorless: bool = False
    scale: float = 1.0


@dataclass(frozen=True)
class Sight:
    """What repeats on one plane: the costs on its flat picture, its nodes and the best repetition.

    `colorless` says that it repeats in structure alone, whatever its colors.
    """

    plane: Plane | Wheel
    similarity: Similarity
    nodes: NDArray[np.bool_]
    repetition: Repetition
    colorless: bool

    def displacement(self, points: Doubles) -> Doubles:
        """Return how far the repetition moves (N, 2) points of the picture, working pixels."""
        flat = self.plane.to_flat(points)
        return self.plane.to_picture(flat + self.repetition.displacement(flat)) - points

    def slant(self, direction: Doubles) -> float:
        """Return how much nearer than its center the region is at its end, beyond what the plane says."""
        rows, columns = np.nonzero(self.nodes)
        along = np.stack([columns, rows], axis=-1) * NODE @ direction
        reach = float(np.percentile(np.abs(along - along.mean()), 95)) if along.size else 0.0
        return float(self.repetition.fall @ direction) * reach


def find_sight(source: Source, inside: NDArray[np.bool_], direction: Doubles, report: Progress) -> Sight:
    """Look at a region from the front; where hardly anything repeats, on tilted planes, and then evened out.

    Parameters
    ----------
    source : Source
    inside : (h, w) bool
        The region, working pixels.
    direction : (2,) float64
        Unit vector along the stroke, x right and y down.
    report : callable(fraction, stage)

    Returns
    -------
    Sight
        The one whose repetition has the most merit.
    """
    report(0.0, "Finding Repetitions")
    front = look(source, inside, Plane.facing(inside.shape), direction, ANY_SLANT)
    if _merit(front) >= DOUBTFUL:
        return front
    best = _tilted_if_better(source, inside, direction, front, lambda: report(0.3, IN_PERSPECTIVE))
    if _merit(best) >= VERY_DOUBTFUL:
        return best
    report(0.6, IN_ANOTHER_COLOR)
    evened = evened_out(source)
    if np.count_nonzero(inside) >= ROOMY:
        evened = replace(evened, scale=COARSER)
    try:
        front = look(evened, inside, Plane.facing(inside.shape, evened.scale), direction, ANY_SLANT)
    except BadMask:  # from further away, too little is left of what is thin
        return best
    other = _tilted_if_better(evened, inside, direction, front, lambda: report(0.8, IN_ANOTHER_COLOR))
    return other if _merit(other) > _merit(best) + CLEARER else best


def _tilted_if_better(
    source: Source, inside: NDArray[np.bool_], direction: Doubles, front: Sight, report: Callable[[], None]
) -> Sight:
    """Look at planes tilted along the stroke; returns the best of them, or the one seen from the front."""
    center, reach = _reach(inside, direction)

    def tilt(amount: float) -> Sight:
        report()
        plane = Plane.tilted(inside, center, direction * (amount / reach), round(FLAT_SIDE * source.scale))
        try:
            return look(source, inside, plane, direction, HARDLY_ANY_SLANT)
        except BadMask:  # laid flat, too little is left of what is thin
            return front

    def tilts(way: float) -> Sight:
        sight = tilt(way * TILTS[0])
        if way * sight.slant(direction) > STEEPER:
            sight = max(sight, tilt(way * TILTS[1]), key=_merit)
        return sight

    way = 1.0 if front.slant(direction) > 0 else -1.0  # what little repeats from the front tells it
    best = max(front, tilts(way), key=_merit)
    return best if _merit(best) >= DOUBTFUL else max(best, tilts(-way), key=_merit)


def _merit(sight: Sight) -> float:
    return sight.repetition.merit


def evened_out(source: Source) -> Source:
    """Show the structure of a picture alone: what repeats in another color or light looks alike then."""
    import cv2

    gray = np.asarray(cv2.cvtColor(source.picture, cv2.COLOR_RGB2GRAY), np.float32)
    # Beyond the border light goes on as it changes there: mirrored, a ramp would show an edge.
    room = min(int(3 * EVEN * source.zoom), *(side - 1 for side in gray.shape))
    wide = np.pad(gray, room, "reflect", reflect_type="odd")
    detail = gray - blurred(wide, EVEN * source.zoom)[room:-room, room:-room]
    detail -= np.clip(detail, -FAINTEST, FAINTEST)
    contrast = cv2.sqrt(blurred(detail * detail, 1.5 * EVEN * source.zoom)) + NO_CONTRAST
    evened = np.clip(0.5 + 0.2 * detail / contrast, 0, 1)
    return Source(np.repeat(evened[..., None], 3, axis=2), source.zoom, colorless=True)


def look(
    source: Source, inside: NDArray[np.bool_], plane: Plane | Wheel, direction: Doubles, slants: Slants
) -> Sight:
    """Find what repeats along the stroke on a plane."""
    picture = plane.lay_flat(source.picture, source.zoom)
    region = plane.lay_flat(inside.astype(np.float32), 1.0) > 0.5
    region &= plane.in_sight()
    grid = (-(-region.shape[0] // NODE), -(-region.shape[1] // NODE))
    nodes = shrink(region.astype(np.float32), grid) > 0.25
    if np.count_nonzero(region) < LEAST_REGION or not nodes.any():
        raise BadMask(TOO_THIN)
    rows, columns = np.nonzero(nodes)
    along = np.stack([columns, rows], axis=-1) * NODE @ direction
    longest = LONGEST_STEP * float(np.ptp(along)) if along.size else 0.0
    heading = float(np.arctan2(direction[1], direction[0]))
    similarity = measure(describe_levels(picture, region), heading, longest)
    repetition = find_repetition(similarity, nodes, slants)
    return Sight(plane, similarity, nodes, repetition, source.colorless)


def _reach(inside: NDArray[np.bool_], direction: Doubles) -> tuple[Doubles, float]:
    """Return a region's center, working pixels, and how far it reaches from there along the stroke."""
    rows, columns = np.nonzero(inside)
    center = np.array([columns.mean(), rows.mean()])
    along = (columns - center[0]) * direction[0] + (rows - center[1]) * direction[1]
    return center, float(np.percentile(np.abs(along), 95)) + 1
