"""Contact sheets: a loop's frames on one picture, to be looked at."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .cases import Case
from .metrics import Loop

PHASES = 8
PANEL = 560
ARROWS = 12
"""Arrows along the longer side of the mask's bounding box."""

TIP = 8
"""Length of an arrow's tip, in the panel's pixels."""

FIELD, ANCHOR, STROKE, EDGE = (255, 200, 0), (0, 255, 0), (255, 0, 255), (255, 0, 0)


def contact_sheet(loop: Loop, case: Case) -> NDArray[np.uint8]:
    """Draw the still with its field, and 8 phases beside it, cropped to the mask.

    Yellow arrows are the forward field, green ones the measured steps (of a synthetic still its known field
    at a few places), magenta are the strokes, red is the mask's edge.

    Returns
    -------
    (H, W, 3) uint8, RGB
        Three rows of three panels: the drawn still, then the phases in order.
    """
    ys, xs = np.nonzero(case.mask)
    pad = int(0.06 * max(np.ptp(xs), np.ptp(ys)))
    top, left = max(0, ys.min() - pad), max(0, xs.min() - pad)
    box = slice(top, ys.max() + pad + 1), slice(left, xs.max() + pad + 1)
    scale = PANEL / max(case.still[box].shape[:2])

    def panel(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        return cv2.resize(picture[box], None, fx=scale, fy=scale, interpolation=how)

    drawn = _drawn(panel(case.still), loop, case, np.array([left, top]), scale)
    panels = [drawn]
    for k in range(PHASES):
        shown = panel(loop.frame(k / PHASES))
        cv2.putText(
            shown, f"{k}/{PHASES}", (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 3, cv2.LINE_AA
        )
        cv2.putText(
            shown, f"{k}/{PHASES}", (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA
        )
        panels.append(shown)
    panels = [cv2.copyMakeBorder(p, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255)) for p in panels]
    return np.vstack([np.hstack(panels[row : row + 3]) for row in (0, 3, 6)])


def _drawn(
    picture: NDArray[np.uint8], loop: Loop, case: Case, origin: NDArray[np.int64], scale: float
) -> NDArray[np.uint8]:
    def arrow(start: NDArray, step: NDArray, color: tuple[int, int, int], thickness: int) -> None:
        tail, tip = (tuple(int(c) for c in np.round((p - origin) * scale)) for p in (start, start + step))
        tip_share = TIP / max(1.0, np.hypot(tip[0] - tail[0], tip[1] - tail[1]))
        cv2.arrowedLine(picture, tail, tip, color, thickness, cv2.LINE_AA, tipLength=min(0.3, tip_share))

    contours, _ = cv2.findContours(case.mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    scaled = [np.round((contour - origin) * scale).astype(np.int32) for contour in contours]
    cv2.polylines(picture, scaled, True, EDGE, 1, cv2.LINE_AA)
    ys, xs = np.nonzero(case.mask)
    every = max(1, max(np.ptp(xs), np.ptp(ys)) // ARROWS)
    for y in range(ys.min() + every // 2, ys.max(), every):
        for x in range(xs.min() + every // 2, xs.max(), every):
            if case.mask[y, x]:
                arrow(np.array([x, y]), loop.forward[y, x], FIELD, 1)
            if case.truth is not None and case.mask[y, x] and (x // every + y // every) % 5 == 0:
                arrow(np.array([x, y]), case.truth[y, x], ANCHOR, 1)
    for anchor in case.anchors:
        arrow(anchor.at, anchor.step, ANCHOR, 2)
    for stroke in case.all_strokes:
        tail, tip = stroke[-2:]
        cv2.polylines(
            picture, [np.round((stroke - origin) * scale).astype(np.int32)], False, STROKE, 1, cv2.LINE_AA
        )
        arrow(tail, tip - tail, STROKE, 1)
    return picture
