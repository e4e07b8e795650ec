"""From a still, a mask and strokes to a loop: the order of the method's steps (paper, figure 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .anchors import Anchors, fit_field
from .area import mask_box
from .assignment import assign
from .closer import Shown
from .errors import BadMask, BadSettings
from .field import Model
from .inputs import check_mask, check_still, is_whole, mask_at
from .joining import Fields, SolvedPart, join_speeds
from .loop import Loop
from .motion import check_soft_edge
from .plane import Plane
from .reduction import Reduction
from .regions import Division, Part, Region, divide
from .registration import refine_field
from .repetition import ANY_SLANT, HARDLY_ANY_SLANT
from .settings import Progress, Settings, no_progress
from .showing import source_of, views_of
from .sight import COARSER, DOUBTFUL, LONGEST_STEP, TOO_THIN, Sight, Source, find_sight, look
from .similarity import NODE, SHORTEST
from .strokes import check_strokes, nearest_segment
from .threads import limited_threads, meanwhile, threads_for
from .together import do_together
from .wheel import Turn, Wheel

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

LENT = 0.25
"""How much a displacement is trusted that a cell borrows, and how sure it is of it."""
LEAST_CELL = 900.0
"""Working pixels of a cell that is searched at all, where there are others."""
ROOM = 6
"""Working pixels around a region that are looked at with it."""
OFF_CENTER = 0.15
"""Of a part's longer side; within it of the strokes' turning point, the mask's own middle is tried too."""
SURE_OF_CENTER = 0.6
"""Confidence from which on a turning point is taken as it is, without trying those beside it."""
USUAL = 0.9
"""Of a part's progress: the rest is for looking closer."""
CLOSER = (2, 4)
"""From how many times as close a part is looked at again in which something repeats that is too fine."""
NEARER = 1.2
"""How much closer that has to be at least: small parts aren't enlarged for ever."""
CLEAR = 0.15
"""Merit of a repetition; without one in the mask, one around it is expected to fit in twice."""


def solve(
    still: NDArray[Any],
    mask: NDArray[Any],
    strokes: Any,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Loop:
    """Turn a still into a seamless loop.

    Parameters
    ----------
    still : (H, W, C) uint8, uint16 or float32
        C = 1, 3 or 4 (RGB, RGBA), first row on top; float32 is scene-linear and may exceed 1.
    mask : (H, W) bool or number
        What moves: True, or at least half of the type's range.
    strokes : sequence of (N, 2) arrays or Stroke
        Pixel coordinates, x right and y down; the order of the points is the direction of motion.
    settings : Settings, optional
    progress : callable(fraction, stage), optional
        Called often with the fraction done; may raise `Cancelled`.

    Returns
    -------
    Loop
        With a low `confidence` when hardly anything repeats along the strokes.

    Raises
    ------
    EndlessLoopsError
        A subclass names what is wrong with the input, in a sentence for an artist.
    """
    settings = settings or Settings()
    _check_settings(settings)
    with limited_threads(settings.threads):
        return _solve(still, mask, strokes, settings, progress or no_progress)


def _solve(still: Any, mask: Any, strokes: Any, settings: Settings, report: Progress) -> Loop:
    report(0.0, "Checking")
    still = check_still(still)
    inside = check_mask(mask, still)
    drawn = check_strokes(strokes, still.shape)
    check_soft_edge(settings.soft_edge, [(0, 0, len(drawn) - 1)])
    reduced = Reduction.of(still, inside, drawn)

    def copied() -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Give the loop its own still and mask, whatever happens to these later."""
        mask = np.zeros(inside.shape, bool)  # what is outside of its box stays memory that nobody touches
        mask[reduced.box] = inside[reduced.box]
        return still.copy(), mask

    with meanwhile(copied, threads_for(inside.size)) as copies:
        return _solve_reduced(reduced, copies, settings, report)


def _solve_reduced(
    reduced: Reduction,
    copies: Callable[[], tuple[NDArray[Any], NDArray[np.bool_]]],
    settings: Settings,
    report: Progress,
) -> Loop:
    """Solve what was let through; `copies` gives the still and the mask that the loop keeps."""
    division = divide(reduced.inside, reduced.strokes, reduced.factor)
    parts = division.parts
    fields = Fields.on(division.held, parts, reduced.factor)
    works = [partial(_solve_part_if_large, reduced, part, settings) for part in parts]
    found = do_together(works, _Share(report, 0.0, 0.7))
    solved = [one for one in found if isinstance(one, SolvedPart)]
    refused = [(part, one) for part, one in zip(parts, found, strict=True) if isinstance(one, BadMask)]
    if not solved:
        raise refused[0][1]
    for index, one in enumerate(solved):
        report(0.7 + 0.1 * index / len(solved), "Spreading the Field")
        fields.spread(one)
    report(0.8, "Continuing the Texture")
    loop = _assemble(*copies(), reduced, fields, solved, division, settings, refused)
    report(1.0, "Solved")
    return loop


def _check_settings(settings: Settings) -> None:
    if not isinstance(settings, Settings):
        raise BadSettings(f"Settings must be an engine.Settings, not {settings!r}.")
    if settings.crf not in ("builtin", "pydensecrf"):
        raise BadSettings(f'There is no CRF solver called {settings.crf!r}: use "builtin" or "pydensecrf".')
    threads = settings.threads
    if threads is not None and (not is_whole(threads) or threads < 1):
        raise BadSettings(f"The number of threads must be a whole number from 1 on, not {threads!r}.")


@dataclass(frozen=True)
class _Share:
    """A progress callback that fills a share of another."""

    report: Progress
    start: float
    length: float

    def __call__(self, fraction: float, stage: str) -> None:
        self.report(self.start + self.length * fraction, stage)


def _assemble(
    still: NDArray[Any],
    inside: NDArray[np.bool_],
    reduced: Reduction,
    fields: Fields,
    solved: Sequence[SolvedPart],
    division: Division,
    settings: Settings,
    refused: Sequence[tuple[Part, BadMask]],
) -> Loop:
    """Put what was solved together, with what the loop is told about its parts."""
    moving = np.zeros_like(reduced.inside)
    sure = 0.0
    held = np.ones(moving.shape, np.float32) if division.held.any() else None
    for found in solved:
        moving[found.part.box] |= found.part.inside
        sure += found.confidence * np.count_nonzero(found.part.inside)
        if held is not None:
            fields.hold(found, division.held, held)
    warnings = [*division.warnings]
    warnings += [f"The mask {part.place} stays still. {reason}" for part, reason in refused]
    mask, box = reduced.moving(inside, moving)
    bends = fields.visible_bends(moving)
    if reduced.factor > 1:
        fields.enlarge(reduced.factor)
    return Loop.from_fields(
        still,
        mask,
        fields.forward,
        fields.inverse,
        float(sure / np.count_nonzero(moving)),
        box=box,
        bends=bends,
        speeds=reduced.speeds(join_speeds(solved, moving), moving, box),
        held=held,
        followed=[reduced.follower(found.part.follower(), inside) for found in solved],
        soft_edge=settings.soft_edge,
        warnings=warnings,
        threads=settings.threads,
    )


def _solve_part_if_large(
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
    usual, found = _solve_shown(reduced, part, first, settings, _Share(report, 0.0, USUAL))
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
        share = _Share(report, USUAL + index * length, length)
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
    return replace(best, confidence=sure, model=best.model if sure >= _confidence(DOUBTFUL) else None)


def _solve_shown(
    reduced: Reduction, part: Part, shown: Shown, settings: Settings, report: Progress
) -> tuple[SolvedPart, _Found]:
    """Find, assign and refine the displacements of a part; also says what its largest region is assigned."""
    source, size, scale = shown.source, shown.size, shown.scale
    anchors = _anchors(part, size, scale)
    solved: list[_Found] = []
    confidence, area = 0.0, np.count_nonzero(part.inside)
    for index, region in enumerate(sorted(part.regions, key=lambda region: -np.count_nonzero(region.inside))):
        share = _Share(report, 0.7 * index / len(part.regions), 0.7 / len(part.regions))
        lender = _lender(region, scale, solved)
        if lender is None:
            found = _solve_region(source, region, part.origin, size, scale, settings, share)
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
    model = found.model if alone and found.confidence >= _confidence(DOUBTFUL) else None
    return SolvedPart(part, anchors, values, scale, step / scale, confidence, model), solved[0]


def _anchors(part: Part, size: tuple[int, int], scale: float) -> Anchors:
    """Lay anchors over a part, each with the direction of the stroke it follows."""
    anchors = Anchors.over(size)
    if len(part.regions) == 1:
        return anchors
    segments = [region.segment for region in part.regions]
    nearest = nearest_segment((anchors.points + 0.5) / scale - 0.5 + part.origin, segments)
    return replace(anchors, headings=np.array([segment.direction for segment in segments])[nearest])


@dataclass(frozen=True)
class _Found:
    """What a region's nodes are assigned: where they are and how they move, in working pixels."""

    places: Doubles
    moves: Doubles
    trust: Floats
    confidence: float
    model: Model
    direction: Doubles
    colorless: bool

    @property
    def step(self) -> float:
        """Its typical length."""
        return float(np.median(np.hypot(*self.moves.T))) if len(self.moves) else 0.0

    def lent_to(self, region: Region, size: tuple[int, int]) -> _Found:
        """Let a smaller cell move as this one does, along its own stroke; refinement finds the rest."""
        rows, columns = np.nonzero(mask_at(region.inside, size)[::NODE, ::NODE])
        places = np.stack([columns, rows], axis=-1).astype(np.float64) * NODE
        turned = complex(*region.segment.direction) / complex(*self.direction)
        moves = (self.model(places) @ np.array([1, 1j])) * turned
        moves = np.stack([moves.real, moves.imag], axis=-1)
        trust = np.full(len(places), LENT, np.float32)
        return _Found(
            places, moves, trust, LENT * self.confidence, self.model, self.direction, self.colorless
        )


def _lender(region: Region, scale: float, solved: Sequence[_Found]) -> _Found | None:
    """Say which larger cell of its part a cell too small for two steps borrows from, or None."""
    if not solved:
        return None
    extent = scale * _extent(region.inside, region.segment.direction)
    sure = [found for found in solved if found.confidence >= _confidence(CLEAR) and extent < 2 * found.step]
    if not sure and np.count_nonzero(region.inside) * scale**2 < LEAST_CELL:
        sure = list(solved)
    return max(sure, key=lambda found: float(found.direction @ region.segment.direction), default=None)


def _solve_region(
    source: Source,
    region: Region,
    origin: Doubles,
    size: tuple[int, int],
    scale: float,
    settings: Settings,
    report: Progress,
) -> _Found:
    """Assign a displacement to each node of a region."""
    source, inside, corner = _cropped(source, mask_at(region.inside, size))
    direction = region.segment.direction
    if region.turn is None:
        sight = find_sight(source, inside, direction, _Share(report, 0.0, 0.85))
    else:
        center = (region.turn.center - origin + 0.5) * scale - 0.5 - corner
        sight = _find_turning(source, inside, replace(region.turn, center=center), report)
    report(0.85, "Assigning Displacements")
    assignment = assign(sight.similarity, sight.nodes, sight.repetition, settings)
    rows, columns = np.nonzero(sight.nodes)
    flat = np.stack([columns, rows], axis=-1).astype(np.float64) * NODE + (NODE - 1) / 2
    places = sight.plane.to_picture(flat)
    moves = sight.plane.to_picture(flat + assignment.displacement[sight.nodes]) - places
    moves = _bounded(moves, LONGEST_STEP * max(size))
    trust = np.square(assignment.trust[sight.nodes]) + np.float32(1e-3)
    confidence = _confidence(sight.repetition.merit)
    return _Found(
        places + corner,
        moves,
        trust,
        confidence,
        lambda at: sight.displacement(at - corner),
        direction,
        sight.colorless,
    )


def _cropped(source: Source, inside: NDArray[np.bool_]) -> tuple[Source, NDArray[np.bool_], Doubles]:
    """Cut a region's box out of its part, with some room; returns the box's first pixel (x, y) as well."""
    if not inside.any():
        raise BadMask(TOO_THIN)
    box = [
        slice(max(0, side.start - ROOM), min(size, side.stop + ROOM))
        for size, side in zip(inside.shape, mask_box(inside), strict=True)
    ]
    zoomed = tuple(slice(round(side.start * source.zoom), round(side.stop * source.zoom)) for side in box)
    corner = np.array([box[1].start, box[0].start], np.float64)
    return Source(source.picture[zoomed], source.zoom), inside[box[0], box[1]], corner


def _find_turning(source: Source, inside: NDArray[np.bool_], turn: Turn, report: Progress) -> Sight:
    """Look at what turns about a point, unrolled.

    A hand draws around a point roughly: a round mask may know it better, and where little repeats around
    either, the points beside it are tried.
    """
    right = np.array([1.0, 0.0])

    report(0.0, "Finding the Turning Point")

    def unrolled(center: Doubles) -> tuple[Sight, Doubles]:
        wheel = Wheel.around(center, inside, turn.sense)
        return look(source, inside, wheel, right, HARDLY_ANY_SLANT), center

    def merit(seen: tuple[Sight, Doubles]) -> float:
        return seen[0].repetition.merit

    rows, columns = np.nonzero(inside)
    middle = np.array([columns.min() + columns.max(), rows.min() + rows.max()]) / 2
    near = np.hypot(*(middle - turn.center)) < OFF_CENTER * max(inside.shape)
    best = max(map(unrolled, [turn.center, middle] if near else [turn.center]), key=merit)
    ways = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)]) * OFF_CENTER / 3 * max(inside.shape)
    for index, stride in enumerate(np.concatenate([ways, ways, ways / 2])):
        report(0.15 + 0.05 * index, "Finding the Turning Point")
        if _confidence(merit(best)) >= SURE_OF_CENTER:
            break
        best = max(best, unrolled(best[1] + stride), key=merit)
    return best[0]


def _check_extent(reduced: Reduction, part: Part, region: Region, found: _Found, scale: float) -> None:
    """Refuse a part that is shorter than two of the steps by which the still repeats around it."""
    direction = region.segment.direction
    extent = _extent(part.inside, direction) + 1
    step = float(np.median(np.hypot(*found.moves.T))) / scale
    if found.confidence >= _confidence(CLEAR) and 2 * step <= extent:
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


def _extent(inside: NDArray[np.bool_], direction: Doubles) -> float:
    """Measure how far a (h, w) mask reaches in a direction, in pixels: each row's ends know."""
    rows = np.flatnonzero(inside.any(1))
    first = inside[rows].argmax(1)
    last = inside.shape[1] - 1 - inside[rows, ::-1].argmax(1)
    return float(np.ptp(direction[0] * np.stack([first, last]) + direction[1] * rows))


def _bounded(moves: Doubles, longest: float) -> Doubles:
    """Shorten what reaches over the horizon of a plane."""
    lengths = np.hypot(moves[:, 0], moves[:, 1])
    return moves * np.minimum(1, longest / np.maximum(lengths, 1e-9))[:, None]


def _confidence(merit: float) -> float:
    """Scale merit to 0..1: clouds reach 0.04, noise 0.1 at times, a regular facade 0.3 and more."""
    return float(np.clip((merit - 0.04) / 0.26, 0, 1))
