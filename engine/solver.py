"""From a still, a mask and strokes to a loop: the order of the method's steps (paper, figure 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edges import check_soft_edge
from .errors import BadMask, BadSettings
from .inputs import check_mask, check_still, is_whole
from .joining import Fields, SolvedPart, join_speeds
from .loop import Loop
from .part_solver import solve_part_if_large
from .reduction import Reduction
from .regions import Division, Part, divide
from .settings import Progress, Settings, Share, no_progress
from .strokes import check_strokes
from .threads import limited_threads, meanwhile, threads_for
from .together import do_together


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
    works = [partial(solve_part_if_large, reduced, part, settings) for part in parts]
    found = do_together(works, Share(report, 0.0, 0.7))
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
