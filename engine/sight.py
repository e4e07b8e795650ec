"""Finding a repetition on the plane where it shows best: the picture itself, or a tilted plane laid flat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anchors import Doubles, Floats
from .plane import Plane
from .repetition import ANY_SLANT, HARDLY_ANY_SLANT, Repetition, Slants, find_repetition
from .resample import shrink
from .settings import Progress
from .similarity import NODE, Similarity, describe_levels, measure
from .wheel import Wheel

LONGEST_STEP = 0.6
"""Of the region's extent along the stroke: what repeats has to be there almost twice."""
DOUBTFUL = 0.12
"""Merit of a repetition below which planes in strong perspective are tried."""
TILTS = (0.5, 0.75)
"""How much nearer or further than its center a tilted plane is at the region's end: tried first, and next."""
PROMISING = 0.03
"""By how much a tilted plane's merit has to be better for a steeper one to be tried."""
FLAT_SIDE = 320
"""Pixels on the longer side of a plane laid flat: its near end is small there."""


@dataclass(frozen=True)
class Source:
    """A part's picture, (h, w, 3) float32 as displayed, and how many of its pixels make a working pixel."""

    picture: Floats
    zoom: float


@dataclass(frozen=True)
class Sight:
    """What repeats on one plane: the costs on its flat picture, its nodes and the best repetition."""

    plane: Plane | Wheel
    similarity: Similarity
    nodes: NDArray[np.bool_]
    repetition: Repetition

    def displacement(self, points: Doubles) -> Doubles:
        """Return how far the repetition moves (N, 2) points of the picture, working pixels."""
        flat = self.plane.to_flat(points)
        return self.plane.to_picture(flat + self.repetition.displacement(flat)) - points


def find_sight(source: Source, inside: NDArray[np.bool_], direction: Doubles, report: Progress) -> Sight:
    """Look at a region from the front and, where hardly anything repeats, on tilted planes.

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
    best = look(source, inside, Plane.facing(inside.shape), direction, ANY_SLANT)
    if best.repetition.merit >= DOUBTFUL:
        return best
    front = best.repetition.merit

    def tilt(towards: float, amount: float, done: float) -> None:
        nonlocal best
        report(done, "Finding Repetitions in Perspective")
        plane = _tilted(inside, direction, towards * amount)
        sight = look(source, inside, plane, direction, HARDLY_ANY_SLANT)
        if sight.repetition.merit > best.repetition.merit:
            best = sight

    tilt(-1, TILTS[0], 0.4)
    tilt(1, TILTS[0], 0.6)
    if best.repetition.merit > front + PROMISING:
        tilt(float(np.sign(best.plane.fall @ direction)), TILTS[1], 0.8)
    return best


def look(
    source: Source, inside: NDArray[np.bool_], plane: Plane | Wheel, direction: Doubles, slants: Slants
) -> Sight:
    """Find what repeats along the stroke on a plane."""
    picture = plane.lay_flat(source.picture, source.zoom)
    region = plane.lay_flat(inside.astype(np.float32), 1.0) > 0.5
    region &= plane.in_sight()
    grid = (-(-region.shape[0] // NODE), -(-region.shape[1] // NODE))
    nodes = shrink(region.astype(np.float32), grid) > 0.25
    rows, columns = np.nonzero(nodes)
    along = np.stack([columns, rows], axis=-1) * NODE @ direction
    longest = LONGEST_STEP * float(np.ptp(along)) if along.size else 0.0
    heading = float(np.arctan2(direction[1], direction[0]))
    similarity = measure(describe_levels(picture, region), heading, longest)
    return Sight(plane, similarity, nodes, find_repetition(similarity, nodes, slants))


def _tilted(inside: NDArray[np.bool_], direction: Doubles, tilt: float) -> Plane:
    """Lay the plane flat that is this much nearer at the region's end along the stroke."""
    rows, columns = np.nonzero(inside)
    points = np.stack([columns, rows], axis=-1)
    center = points.mean(0)
    reach = float(np.percentile(np.abs((points - center) @ direction), 95)) + 1
    return Plane.tilted(inside, center, direction * (tilt / reach), FLAT_SIDE)
