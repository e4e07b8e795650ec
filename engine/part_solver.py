"""One connected part of the mask, solved: what repeats in each of its regions, and the field of them all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .anchors import Anchors, fit_field
from .closer import Shown
from .errors import BadMask
from .joining import SolvedPart
from .plane import Plane
from .reduction import Reduction
from .region_solver import CLEAR, Found, confidence_of, extent_along, lender_of, solve_region
from .regions import Part, Region
from .registration import refine_field
from .repetition import ANY_SLANT
from .settings import Progress, Settings, Share
from .showing import source_of, views_of
from .sight import COARSER, DOUBTFUL, look
from .similarity import SHORTEST
from .strokes import nearest_segment

USUAL = 0.9
"""Of a part's progress: the rest is for looking closer."""
CLOSER = (2, 4)
"""From how many times as close a part is looked at again in which something repeats that is too fine."""
NEARER = 1.2
"""How much closer that has to be at least: small parts aren't enlarged for ever."""


def solve_part_if_large(
    reduced: Reduction, part: Part, settings: Settings, report: Progress
) -> SolvedPart | BadMask:
    """Solve a part, or return why it stays still while others move: it's too small."""
    try:
        return _solve_part(reduced, part, settings, report)
    except BadMask as reason:
        return reason


def _solve_part(reduced: Reduction, part: Part, settings: Settings, report: Progress) -> SolvedPart:
    """Solve one connected part: from closer, if what repeats is too fine to be seen as it's shown first."""
    region = max(part.regions, key=lambda region: np.count_nonzero(region.inside))
    pixels = reduced.shown(part.box)
    first = shown = Shown.of(reduced, pixels, part, region)
    usual, found = _solve_shown(reduced, part, first, settings, Share(report, 0.0, USUAL))
    if region.turn is not None:
        return usual
    _check_extent(reduced, part, region, found, first.scale)
    best = usual
    for index, nearness in enumerate(CLOSER):
        if not shown.misses_finer(best):
            break
        closer = Shown.of(reduced, pixels, part, region, nearness)
        if closer.scale < NEARER * shown.scale:
            break
        length = (1 - USUAL) / len(CLOSER)
        share = Share(report, USUAL + index * length, length)
        again, _ = _solve_shown(reduced, part, closer, settings, share)
        shown, best = closer, again if closer.prefers(again, best) else best
    return usual if shown is first else _settled(first, shown, usual, best)


def _settled(first: Shown, last: Shown, usual: SolvedPart, best: SolvedPart) -> SolvedPart:
    """Choose between what the usual look found and closer ones, and say how sure that is."""
    if first.means_coarse(usual, best):
        return usual
    sure = max(0.0, last.agreement(best))
    if sure >= best.confidence:
        return best
    return replace(best, confidence=sure, model=best.model if sure >= confidence_of(DOUBTFUL) else None)


def _solve_shown(
    reduced: Reduction, part: Part, shown: Shown, settings: Settings, report: Progress
) -> tuple[SolvedPart, Found]:
    """Find, assign and refine the displacements of a part; also says what its largest region is assigned."""
    source, size, scale = shown.source, shown.size, shown.scale
    anchors = _anchors(part, size, scale)
    solved: list[Found] = []
    confidence, area = 0.0, np.count_nonzero(part.inside)
    for index, region in enumerate(sorted(part.regions, key=lambda region: -np.count_nonzero(region.inside))):
        share = Share(report, 0.7 * index / len(part.regions), 0.7 / len(part.regions))
        lender = lender_of(region, scale, solved)
        if lender is None:
            found = solve_region(source, region, part.origin, size, scale, settings, share)
        else:
            found = lender.lent_to(region, size)
        solved.append(found)
        confidence += found.confidence * np.count_nonzero(region.inside) / area
    points, moves, trusts = (
        np.concatenate(kind)
        for kind in zip(*((found.places, found.moves, found.trust) for found in solved), strict=True)
    )
    values = fit_field(anchors, points, moves, trusts)
    report(0.75, "Refining the Field")
    step = max(float(np.median(np.hypot(*values.T))), 4.0)
    colorless = any(found.colorless for found in solved)
    for view in views_of(reduced, shown.pixels, part, scale, step, colorless):
        values = refine_field(anchors, values, view)
        report(0.85, "Refining the Field")
    alone = len(part.regions) == 1
    model = found.model if alone and found.confidence >= confidence_of(DOUBTFUL) else None
    return SolvedPart(part, anchors, values, scale, step / scale, confidence, model), solved[0]


def _anchors(part: Part, size: tuple[int, int], scale: float) -> Anchors:
    """Lay anchors over a part, each with the direction of the stroke it follows."""
    anchors = Anchors.over(size)
    if len(part.regions) == 1:
        return anchors
    segments = [region.segment for region in part.regions]
    nearest = nearest_segment((anchors.points + 0.5) / scale - 0.5 + part.origin, segments)
    return replace(anchors, headings=np.array([segment.direction for segment in segments])[nearest])


def _check_extent(reduced: Reduction, part: Part, region: Region, found: Found, scale: float) -> None:
    """Refuse a part that is shorter than two of the steps by which the still repeats around it."""
    direction = region.segment.direction
    extent = extent_along(part.inside, direction) + 1
    step = float(np.median(np.hypot(*found.moves.T))) / scale
    if found.confidence >= confidence_of(CLEAR) and 2 * step <= extent:
        return
    box = tuple(
        slice(max(0, 2 * span.start - span.stop), min(side, 2 * span.stop - span.start))
        for span, side in zip(part.box, reduced.inside.shape, strict=True)
    )
    sides = np.array([[span.stop - span.start for span in spans[::-1]] for spans in (part.box, box)])
    here, beyond = sides @ np.abs(direction)
    if beyond < 2 * here:  # too little around it to say more than the mask does
        return
    area = (box[0], box[1])
    around, size, scale = source_of(reduced, reduced.shown(area), area)
    # Only steps of half the extent or more matter here: unless that is little, they show from further away.
    far = Plane.facing(size, COARSER if extent * scale > 8 * SHORTEST else 1.0)
    repetition = look(around, np.ones(size, bool), far, direction, ANY_SLANT).repetition
    step = repetition.step / (scale * far.scale)
    if repetition.merit >= CLEAR and 2 * step > extent:
        raise BadMask(
            f"The mask is {extent * part.pixel:.0f} pixels long along the stroke, and what repeats there "
            f"does so every {step * part.pixel:.0f}: paint two repetitions or more, "
            f"{np.ceil(2.5 * step * part.pixel):.0f} pixels."
        )
