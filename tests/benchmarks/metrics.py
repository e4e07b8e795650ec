"""The figures: what is measured on a loop, the engine's or any with the same names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .cases import Case

MARGIN = 7
"""Pixels by which the mask is eroded before anything is measured inside it."""

SEAM_PHASES = (0.0, 0.21, 0.5, 0.83)


class Loop(Protocol):
    """What is measured: the part of `engine.Loop` that the figures need."""

    forward: NDArray[np.float32]
    inverse: NDArray[np.float32]

    def frame(self, phase: float) -> NDArray: ...


@dataclass(frozen=True)
class AnchorResult:
    """How the field compares with one measured repetition.

    Parameters
    ----------
    error : float
        The field's error in steps; for stripes only the component along the step counts.
    factor : float
        The field's length in steps: 1 is right, 2 a multiple.
    held : bool
        Whether the error is within 12 % of the step, or within the measurement's own tolerance.
    """

    error: float
    factor: float
    held: bool


def eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Take `MARGIN` pixels off the mask, but not along the picture's border: there the loop is judged too."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MARGIN + 1, 2 * MARGIN + 1))
    return cv2.erode(mask.astype(np.uint8), kernel) > 0


def grey(picture: NDArray) -> NDArray[np.float32]:
    """Brightness of (H, W, 3) uint8 RGB, 0 to 255."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)


def anchors(loop: Loop, case: Case) -> list[AnchorResult]:
    """Compare the field at each anchor (median of a square 4 % of the picture wide) with its step."""
    field = loop.forward
    reach = max(1, int(0.02 * max(field.shape[:2])))
    results = []
    for anchor in case.anchors:
        x, y = (int(c) for c in anchor.at)
        around = field[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].reshape(-1, 2)
        moving = around[(around != 0).any(1)]
        found = np.median(moving, 0) if len(moving) else np.zeros(2)
        step = float(np.linalg.norm(anchor.step))
        off = found - anchor.step
        error = abs(off @ anchor.step) / step if case.stripes else float(np.linalg.norm(off))
        held = bool(error <= max(0.12 * step, anchor.tolerance))
        results.append(AnchorResult(error / step, float(np.linalg.norm(found)) / step, held))
    return results


def endpoint_errors(loop: Loop, case: Case) -> dict[str, float]:
    """Compare the field with the known one of a synthetic still, in true local steps.

    Returns
    -------
    dict
        ``median`` and ``p90`` over the eroded mask's pixels whose true next repetition lies inside the mask;
        ``median_all`` and ``p90_all`` over the whole eroded mask, where a match can only be a continuation.
    """
    inside = eroded(case.mask)
    ys, xs = np.nonzero(inside)
    true, found = case.truth[inside], loop.forward[inside]
    errors = np.linalg.norm(found - true, axis=1) / np.linalg.norm(true, axis=1)
    height, width = inside.shape
    x, y = np.round(xs + true[:, 0]).astype(int), np.round(ys + true[:, 1]).astype(int)
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    within[within] = case.mask[y[within], x[within]]
    visible = errors[within]
    return {
        "median": float(np.median(visible)),
        "p90": float(np.percentile(visible, 90)),
        "median_all": float(np.median(errors)),
        "p90_all": float(np.percentile(errors, 90)),
    }


def sharpness(middle: NDArray, case: Case) -> dict[str, float]:
    """Compare mid-loop gradients with the still's inside the eroded mask: mean squares, mean sizes."""
    inside = eroded(case.mask)

    def squares(picture: NDArray) -> NDArray[np.float32]:
        brightness = grey(picture)
        x, y = cv2.Sobel(brightness, cv2.CV_32F, 1, 0), cv2.Sobel(brightness, cv2.CV_32F, 0, 1)
        return (x**2 + y**2)[inside]

    frame, still = squares(middle), squares(case.still)
    return {
        "energy": float(frame.mean(dtype=float) / still.mean(dtype=float)),
        "amplitude": float(np.sqrt(frame).mean(dtype=float) / np.sqrt(still).mean(dtype=float)),
    }


def agreement(loop: Loop, case: Case) -> float:
    """Correlate the two warped stills at mid-loop: -1 to 1, and 0 where nothing moves.

    Their common part is the fine band: brightness minus a Gaussian of a quarter of the median step.
    """
    inside = eroded(case.mask)
    step = float(np.median(np.linalg.norm(loop.forward[case.mask], axis=1)))
    if step == 0:
        return 0.0
    brightness = grey(case.still)
    grid = np.stack(np.mgrid[0 : inside.shape[0], 0 : inside.shape[1]][::-1], -1).astype(np.float32)

    def fine_band(field: NDArray[np.float32]) -> NDArray[np.float32]:
        warped = cv2.remap(
            brightness, grid + field / 2, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        return (warped - cv2.GaussianBlur(warped, (0, 0), step / 4))[inside].astype(float)

    a, b = fine_band(loop.inverse), fine_band(loop.forward)
    return float(np.corrcoef(a, b)[0, 1])


def change(before: NDArray, after: NDArray, case: Case) -> float:
    """Sum the absolute difference of two frames inside the mask's bounding box."""
    ys, xs = np.nonzero(case.mask)
    box = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    return cv2.norm(np.ascontiguousarray(before[box]), np.ascontiguousarray(after[box]), cv2.NORM_L1)


def evenness(changes: list[float]) -> float:
    """Compare the largest change between neighboring frames with the median one; a loop at rest is even."""
    return float(np.max(changes) / np.median(changes)) if np.any(changes) else 1.0


def seams(loop: Loop, case: Case) -> list[str]:
    """Check that phase 0 is the still and that nothing outside the mask ever changes, bit for bit."""
    faults = []
    for phase in SEAM_PHASES:
        frame = loop.frame(phase)
        if frame.dtype != case.still.dtype or frame.shape != case.still.shape:
            faults.append(f"frame({phase}) has another shape or type")
        elif phase == 0 and not np.array_equal(frame, case.still):
            faults.append("frame(0) is not the still")
        elif not np.array_equal(frame[~case.mask], case.still[~case.mask]):
            faults.append(f"frame({phase}) changes the outside")
    return faults


def folded(loop: Loop) -> float:
    """Say for how much of the eroded mask pixels pass each other: the fields can't be inverted there."""
    shares = []
    for field in (loop.forward, loop.inverse):
        inside = eroded(np.any(field != 0, axis=2))
        down, across = (np.gradient(field, axis=axis) for axis in (0, 1))
        area = (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0]
        shares.append(float((area[inside] <= 0).mean()) if inside.any() else 0.0)
    return max(shares)


def middle_errors(middle: NDArray, case: Case) -> dict[str, float]:
    """Compare the mid-loop frame with the known one, in deviations of the still inside the mask.

    Returns
    -------
    dict
        ``rim``: mean absolute error within 2 `MARGIN` pixels of the mask's edge, where color bleeds in;
        ``interior``: the same further in, where the frame can only be blurred or ghosted.
    """
    contrast = case.still[case.mask].std()
    error = cv2.absdiff(middle, case.middle).mean(-1) / contrast
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (4 * MARGIN + 1, 4 * MARGIN + 1))
    interior = (
        cv2.erode(case.mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    )
    rim = case.mask & ~interior
    return {"rim": float(error[rim].mean()), "interior": float(error[interior].mean())}
