"""The mask's connected parts, the strokes that move each, and which pixels follow which (4.1, 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .area import mask_box
from .errors import BadMask, BadStroke
from .strokes import Segment, Stroke, distance_to, nearest_segment, spaced_points, straight_segments
from .wheel import Turn, find_turn

TOO_SMALL = "The mask is too small to hold two repetitions: paint a larger area."
SMALLEST_PART = 24
"""Pixels; a part of the mask that is smaller a side can't hold two repetitions."""
OWN_SHARE = 0.25
"""Of a stroke's length: with so much of it over a part, the stroke is one of the part's own."""
OPPOSITE = -0.8
"""Cosine between the motions on either side of a border, from which on they are opposite."""

Mask = NDArray[np.bool_]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Region:
    """Pixels that follow one segment, as (h, w) bool arrays within their part's box.

    Parameters
    ----------
    inside : (h, w) bool
        The segment's Voronoi cell.
    segment : Segment
        The first one, where all strokes go around a point.
    strokes : tuple of int
        The strokes that move the region.
    turn : Turn, optional
        What the region turns about, where they do.
    """

    inside: Mask
    segment: Segment
    strokes: tuple[int, ...]
    turn: Turn | None = None


@dataclass(frozen=True)
class Part:
    """A connected part of what moves: its box in the still, its pixels and its regions.

    One of its pixels is `pixel` of those that an artist knows, where the still was reduced.
    """

    box: tuple[slice, slice]
    inside: Mask
    regions: tuple[Region, ...]
    pixel: int = 1

    @property
    def origin(self) -> Doubles:
        """The box's first pixel, (x, y)."""
        return np.array([self.box[1].start, self.box[0].start], np.float64)

    @property
    def place(self) -> str:
        """Where the part is, for a sentence: its middle in pixels."""
        rows, columns = self.box
        x, y = ((side.start + side.stop) * self.pixel // 2 for side in (columns, rows))
        return f"around {x}, {y}"

    def grown(self, margin: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the box with a margin around it, as far as the still goes."""
        by = int(np.ceil(margin))
        rows, columns = (
            slice(max(0, side.start - by), min(size, side.stop + by))
            for side, size in zip(self.box, shape, strict=False)
        )
        return rows, columns

    def follower(self) -> tuple[int, int, int]:
        """Return one of its pixels (x, y) and the stroke that moves most of it."""
        areas: dict[int, int] = {}
        for region in self.regions:
            areas[region.segment.stroke] = areas.get(region.segment.stroke, 0) + int(
                np.count_nonzero(region.inside)
            )
        row, column = divmod(int(self.inside.argmax()), self.inside.shape[1])
        return (
            column + self.box[1].start,
            row + self.box[0].start,
            max(areas, key=lambda stroke: areas[stroke]),
        )


@dataclass(frozen=True)
class Division:
    """A mask divided among the strokes.

    Parameters
    ----------
    parts : tuple of Part
        What moves.
    held : (H, W) bool
        Pixels of the mask that strokes without turns hold still.
    warnings : tuple of str
        Sentences about strokes that don't do what they were drawn for.
    """

    parts: tuple[Part, ...]
    held: Mask
    warnings: tuple[str, ...]


def divide(mask: Mask, strokes: Sequence[Stroke], pixel: int = 1) -> Division:
    """Divide the mask into connected parts, and each part into one region a segment.

    Parameters
    ----------
    mask : (H, W) bool
    strokes : sequence of Stroke
        As `check_strokes` returns them.
    pixel : int
        Of so many of those that an artist knows is one.

    Returns
    -------
    Division
        Parts too small to hold two repetitions are left out; they stay still, and so do pixels whose
        nearest stroke makes no turn. A part without a stroke of its own follows the nearest one.

    Raises
    ------
    BadMask
        When no part is large enough.
    BadStroke
        When no stroke moves anything.
    """
    if not any(stroke.turns for stroke in strokes):
        raise BadStroke("Every stroke makes 0 turns, which holds the picture still: let one of them move.")
    if not mask.any():
        raise BadMask(TOO_SMALL)
    area = mask_box(mask)
    labels, boxes = _components(mask[area])
    over = _lengths_over(labels, len(boxes) + 1, _origin(area), strokes)
    held = np.zeros_like(mask)
    parts: list[Part] = []
    used: set[int] = set()
    for label, within in enumerate(boxes, 1):
        if not _holds_two(within, pixel):
            continue
        inside = labels[within] == label
        box = _moved(within, area)
        own = _strokes_of(label, over) or [_nearest_stroke(inside, box, strokes, over)]
        used.update(own)
        found, still = _split(inside, box, own, strokes, pixel)
        held[box] |= still
        parts += found
    if not parts and not held.any():
        raise BadMask(TOO_SMALL)
    if not parts:
        holding = [str(index + 1) for index in sorted(used) if not strokes[index].turns]
        named = f"Stroke {holding[0]} holds" if len(holding) == 1 else f"Strokes {', '.join(holding)} hold"
        raise BadStroke(
            f"{named} the whole mask still, with 0 turns: draw strokes that move it further away from there."
        )
    return Division(tuple(parts), held, tuple(_doubts(strokes, over, used, parts, pixel)))


def _components(inside: Mask) -> tuple[NDArray[np.int32], list[tuple[slice, slice]]]:
    """Find what is connected in a mask cut to its box: each pixel's number, from 1 on, and their boxes."""
    import cv2

    pixels = inside.view(np.uint8)
    count, labels = cv2.connectedComponents(pixels, connectivity=8)
    if count == 2:  # most masks are one part, and its box is known: measuring it takes longer than finding it
        boxes = [(slice(0, inside.shape[0]), slice(0, inside.shape[1]))]
    else:
        _, labels, stats, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
        boxes = [_box(each) for each in stats[1:]]
    return np.asarray(labels, np.int32), boxes


def _box(stats: NDArray[np.int32]) -> tuple[slice, slice]:
    x, y, width, height = (int(value) for value in stats[:4])
    return slice(y, y + height), slice(x, x + width)


def _moved(box: tuple[slice, slice], area: tuple[slice, slice]) -> tuple[slice, slice]:
    """Say where in the still a box within an area is."""
    rows, columns = (
        slice(side.start + first.start, side.stop + first.start)
        for side, first in zip(box, area, strict=True)
    )
    return rows, columns


def _holds_two(box: tuple[slice, slice], pixel: int) -> bool:
    sides = [pixel * (side.stop - side.start) for side in box]
    return max(sides) >= SMALLEST_PART and min(sides) >= SMALLEST_PART // 3


def _lengths_over(
    labels: NDArray[np.int32], count: int, origin: Doubles, strokes: Sequence[Stroke]
) -> Doubles:
    """Say how much of each stroke's length lies over each part, (strokes, parts); part 0 is the outside.

    Labels are of the box that holds all parts, and the origin is its first pixel, (x, y).
    """
    shares = np.zeros((len(strokes), count))
    height, width = labels.shape
    for row, stroke in zip(shares, strokes, strict=True):
        places = np.floor(spaced_points(stroke, 257) - origin).astype(int)
        on_box = ((places >= 0) & (places < [width, height])).all(1)
        columns, rows = places[on_box].T
        row += np.bincount(labels[rows, columns], minlength=count) / len(places)
    shares[:, 0] = 0
    return shares


def _strokes_of(label: int, over: Doubles) -> list[int]:
    """Which strokes are a part's own: much of their length lies over it, or more than over any other."""
    most = over.max(1)
    own = (over[:, label] > 0) & ((over[:, label] >= OWN_SHARE) | (over[:, label] == most))
    return [int(index) for index in np.flatnonzero(own)]


def _nearest_stroke(inside: Mask, box: tuple[slice, slice], strokes: Sequence[Stroke], over: Doubles) -> int:
    """Which stroke a part without one follows; one that holds another part still isn't asked."""
    rows, columns = np.nonzero(inside)
    few = slice(None, None, max(1, rows.size // 500))
    places = np.stack([columns[few] + box[1].start, rows[few] + box[0].start], -1).astype(np.float64)

    def distance(index: int) -> float:
        if not strokes[index].turns and over[index].any():
            return np.inf
        return min(float(distance_to(s, places).min()) for s in straight_segments(strokes[index]))

    return min(range(len(strokes)), key=distance)


def _split(
    inside: Mask, box: tuple[slice, slice], own: list[int], strokes: Sequence[Stroke], pixel: int
) -> tuple[list[Part], Mask]:
    """Divide a connected part among its strokes; returns what moves, and what is held still."""
    import cv2

    # Where two strokes are equally near, the one that holds still comes first.
    order = sorted(own, key=lambda index: (strokes[index].turns != 0, index))
    segments = [segment for index in order for segment in straight_segments(strokes[index], index)]
    turns = np.array([segment.turns for segment in segments])
    if turns.all():
        return [Part(box, inside, _regions(inside, box, segments), pixel)], np.zeros_like(inside)
    still = inside & (turns[_owners(inside.shape, _origin(box), segments)] == 0)
    moving = [segment for segment in segments if segment.turns]
    _, labels, stats, _ = cv2.connectedComponentsWithStats((inside & ~still).view(np.uint8), connectivity=8)
    parts = []
    for label, row in enumerate(stats[1:], 1):
        within = _box(row)
        if not _holds_two(within, pixel):
            continue
        piece = np.ascontiguousarray(labels[within] == label)
        place = _moved(within, box)
        parts.append(Part(place, piece, _regions(piece, place, moving), pixel))
    return parts, still


def _origin(box: tuple[slice, slice]) -> Doubles:
    return np.array([box[1].start, box[0].start], np.float64)


def _regions(inside: Mask, box: tuple[slice, slice], segments: Sequence[Segment]) -> tuple[Region, ...]:
    """Give each pixel of a part to the nearest segment: Voronoi cells of the segments (4.2)."""
    if len(segments) == 1:
        return (Region(inside, segments[0], (segments[0].stroke,)),)
    turn = find_turn(segments) if len({segment.turns for segment in segments}) == 1 else None
    if turn is not None:
        return (Region(inside, segments[0], tuple(sorted({s.stroke for s in segments})), turn),)
    owner = _owners(inside.shape, _origin(box), segments)
    segments = _aligned(segments, owner, inside)
    regions = []
    for index, segment in enumerate(segments):
        cell = inside & (owner == index)
        if cell.any():
            regions.append(Region(cell, segment, (segment.stroke,)))
    return tuple(regions)


def _owners(shape: tuple[int, ...], origin: Doubles, segments: Sequence[Segment]) -> NDArray[np.intp]:
    """Say for each pixel of a box which segment is nearest."""
    height, width = shape
    cell = max(1, max(height, width) // 512)  # the border between cells needs no finer grid
    grid = np.stack(np.meshgrid(np.arange(0, width, cell), np.arange(0, height, cell)), axis=-1) + (
        origin + cell / 2
    )
    nearest = nearest_segment(grid, segments)
    return np.repeat(np.repeat(nearest, cell, axis=0), cell, axis=1)[:height, :width]


def _aligned(segments: Sequence[Segment], owner: NDArray[np.intp], inside: Mask) -> list[Segment]:
    """Say strokes the other way round where they move against their neighbors.

    Two lanes in opposite directions then share one smooth field, which they follow forward and backward;
    a field that turned around between them would tear, and fold where they meet head on.
    """
    strokes = sorted({segment.stroke for segment in segments})
    agreement = np.zeros((len(strokes), len(strokes)))
    borders = np.zeros_like(agreement)
    row = np.array([strokes.index(segment.stroke) for segment in segments])
    directions = np.array([segment.direction for segment in segments])
    pairs = (
        (owner[:, 1:], owner[:, :-1], inside[:, 1:] & inside[:, :-1]),
        (owner[1:], owner[:-1], inside[1:] & inside[:-1]),
    )
    for one, other, both in pairs:
        met = both & (row[one] != row[other])
        one, other = one[met], other[met]
        cosine = (directions[one] * directions[other]).sum(1)
        np.add.at(agreement, (row[one], row[other]), cosine)
        np.add.at(borders, (row[one], row[other]), 1)
    agreement, borders = agreement + agreement.T, borders + borders.T
    signs = np.zeros(len(strokes), int)
    areas = np.bincount(row[owner[inside]], minlength=len(strokes))
    for first in np.argsort(-areas, kind="stable"):
        if signs[first]:
            continue
        signs[first] = 1
        reached = [first]
        while reached:
            here = reached.pop()
            for there in np.flatnonzero((borders[here] > 0) & (signs == 0)):
                if abs(agreement[here, there]) > -OPPOSITE * borders[here, there]:
                    signs[there] = signs[here] * int(np.sign(agreement[here, there]))
                    reached.append(there)
    return [segment if signs[r] >= 0 else segment.flipped() for segment, r in zip(segments, row, strict=True)]


def _doubts(
    strokes: Sequence[Stroke], over: Doubles, used: set[int], parts: Sequence[Part], pixel: int
) -> list[str]:
    """Say which strokes don't do what they were drawn for."""
    moved = {stroke for part in parts for region in part.regions for stroke in region.strokes}
    doubts = []
    for index, stroke in enumerate(strokes):
        name = f"Stroke {index + 1}"
        if not over[index].any():
            follows = "what is nearest follows it" if index in used else "nothing follows it"
            doubts.append(f"{name} lies outside of what is masked: {follows}.")
        elif stroke.turns and index not in moved:
            nearer = _nearest_other(index, strokes)
            why = "is nearer to" if strokes[nearer].turns else "holds"
            doubts.append(f"{name} moves nothing: stroke {nearer + 1} {why} everything around it.")
    for first, one in enumerate(strokes):
        for second, other in enumerate(strokes[first + 1 :], first + 1):
            place = _clash(one, other) if {first, second} <= moved else None
            if place is not None:
                doubts.append(
                    f"Strokes {first + 1} and {second + 1} go opposite ways around {place[0] * pixel:.0f}, "
                    f"{place[1] * pixel:.0f}: one side dissolves into the other there. Remove one of them."
                )
    return doubts


def _nearest_other(index: int, strokes: Sequence[Stroke]) -> int:
    """Which stroke is nearest to most of another one."""
    points = spaced_points(strokes[index])
    others = [other for other in range(len(strokes)) if other != index]
    away = [
        np.min([distance_to(segment, points) for segment in straight_segments(strokes[other])], axis=0)
        for other in others
    ]
    return others[int(np.bincount(np.argmin(away, axis=0)).argmax())]


def _clash(one: Stroke, other: Stroke) -> Doubles | None:
    """Where two strokes cross in opposite directions, or None."""
    for a in straight_segments(one):
        for b in straight_segments(other):
            if a.direction @ b.direction < OPPOSITE:
                along, across = a.end - a.start, b.end - b.start
                samples = b.start + np.linspace(0, 1, 33)[:, None] * across
                away = distance_to(a, samples)
                close = 0.06 * min(np.hypot(*along), np.hypot(*across))
                if away.min() <= close:
                    return samples[int(away.argmin())]
    return None
