"""A loop carried onto another picture of the plane that it lies on (paper, 4.3).

The other picture becomes a still of its own: its pixels, with their own light and grain, move along the
loop's paths, which the plane's homography carries into place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .alignment import Homography
from .area import Area, mask_box
from .loop import Loop
from .motion import Path, Speeds

Floats = NDArray[np.float32]

LEAST_MASK = 64
"""Pixels; when less of the moved mask is in a picture, nothing is left to move."""
MARGIN = 8
"""Pixels around what is pulled into the mask that its look-ups need, and that paths grow between samples."""
SPARSE = 8
"""Pixels between the paths that tell how far they reach."""


def carried_frame(loop: Loop, picture: NDArray[Any], homography: Homography, phase: float) -> NDArray[Any]:
    """Render a frame of a loop on another picture of its plane.

    Parameters
    ----------
    loop : Loop
    picture : (H, W, C) array
        Of the still's type.
    homography : (3, 3) float64
        Maps the still's pixels to the picture's.
    phase : float, 0 to 1

    Returns
    -------
    (H, W, C) array
        The picture itself, bit for bit, outside the moved mask and at phase 0.
    """
    frame = picture.copy()
    mask = _warped_mask(loop, homography, picture.shape)
    usable = mask if picture.dtype.kind != "f" else mask & np.isfinite(picture).all(2)
    if phase == 0 or usable.sum() < LEAST_MASK:
        return frame
    window = mask_box(mask)
    sparse = _carried_paths(loop, homography, window, SPARSE)
    reach = int(max(np.abs(path.move).max() for path in sparse)) + MARGIN
    window = _grown(window, reach, mask.shape)
    inside = mask[window]
    zoom = _zoom(loop, homography)
    cell = _carried_cell(loop, zoom, window)
    back, ahead = _carried_paths(loop, homography, window, cell)
    here = Loop.from_fields(
        picture[window],
        inside,
        ahead.move,
        back.move,
        loop.confidence,
        bends=None if ahead.bend is None or back.bend is None else (ahead.bend, back.bend),
        speeds=_carried_speeds(loop, homography, window, mask_box(inside)),
        held=_carried_cover(loop, homography, window, cell),
        followed=_carried_parts(loop, homography, window, inside),
        soft_edge=[width * zoom for width in loop.soft_edge],
    )
    frame[window] = here.frame(phase)
    return frame


def _warped_mask(loop: Loop, homography: Homography, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    import cv2

    moved = cv2.warpPerspective(
        loop.mask.astype(np.float32), homography, shape[1::-1], flags=cv2.INTER_LINEAR
    )
    return np.asarray(moved >= 0.5)


def _grown(window: Area, reach: int, shape: tuple[int, ...]) -> Area:
    rows, columns = (
        slice(max(0, side.start - reach), min(size, side.stop + reach))
        for side, size in zip(window, shape, strict=True)
    )
    return rows, columns


def _origins(loop: Loop, homography: Homography, window: Area, cell: int = 1) -> Floats:
    """Say which pixels (x, y) of the still the middles of a window's cells show, (h, w, 2)."""
    import cv2

    rows, columns = (
        np.arange(max(1, (side.stop - side.start) // cell), dtype=np.float32) * cell
        + (side.start + (cell - 1) / 2)
        for side in window
    )
    here = np.stack(np.meshgrid(columns, rows), axis=-1)
    place = np.asarray(cv2.perspectiveTransform(here, np.linalg.inv(homography)), np.float32)
    # Far beyond the mask, where a horizon may be, things go on as they are nearest to there.
    for axis, side in enumerate(loop.box[::-1]):
        beyond = side.stop - side.start
        np.clip(place[..., axis], side.start - beyond, side.stop + beyond, out=place[..., axis])
    return place


def _looked_up(
    loop: Loop, values: NDArray[Any], place: Floats, cell: int = 1, start: tuple[int, int] = (0, 0)
) -> Floats:
    """Look up what is known of cells over the box of the loop's mask; beyond, they go on as at its border."""
    import cv2

    rows, columns = loop.box
    first = np.array([columns.start + start[1], rows.start + start[0]], np.float32)
    place = (place - first + 0.5) / np.float32(cell) - np.float32(0.5)
    found = cv2.remap(values, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(found, np.float32)


def _carried_cell(loop: Loop, zoom: float, window: Area) -> int:
    """Say how large a window's cells may be: at most as the loop's appear there, and one of many."""
    least = min(side.stop - side.start for side in window)
    largest = min(loop.full_paths[0].cell * min(zoom, 1.0), np.sqrt(least))
    return int(2 ** max(0, int(np.log2(largest))))


def _carried_paths(loop: Loop, homography: Homography, window: Area, cell: int) -> tuple[Path, Path]:
    """Carry the inverse and the forward path into a window of the picture, in cells of its own."""
    import cv2

    place = _origins(loop, homography, window, cell)

    def mapped(points: NDArray[Any]) -> Floats:
        return np.asarray(cv2.perspectiveTransform(points, homography), np.float32)

    start = mapped(place)
    carried = []
    for path in loop.full_paths:
        move = _looked_up(loop, path.move, place, path.cell, path.start)
        end = mapped(place + move) - start
        bend = None
        if path.bend is not None:
            curve = _looked_up(loop, path.bend, place, path.cell, path.start)
            middle = mapped(place + move / 2 + curve / 4) - start
            bend = 4 * middle - 2 * end
        carried.append(Path(end, bend))
    return carried[0], carried[1]


def _carried_speeds(loop: Loop, homography: Homography, window: Area, box: Area) -> Speeds:
    """Carry the speeds' shares to the box that the mask has within a window."""
    if loop.speeds.shares is None:
        return loop.speeds
    rows, columns = (
        slice(side.start + part.start, side.start + part.stop) for side, part in zip(window, box, strict=True)
    )
    place = _origins(loop, homography, (rows, columns))
    return Speeds(
        loop.speeds.turns, np.stack([_looked_up(loop, share, place) for share in loop.speeds.shares])
    )


def _carried_cover(loop: Loop, homography: Homography, window: Area, cell: int) -> Floats | None:
    """Carry what fades towards held spots into the cells of a window of the picture."""
    if loop.held is None:
        return None
    return _looked_up(loop, loop.held, _origins(loop, homography, window, cell))


def _carried_parts(
    loop: Loop, homography: Homography, window: Area, inside: NDArray[np.bool_]
) -> list[tuple[int, int, int]]:
    """Say which stroke's soft edge each part of the moved mask has: a pixel of the part, and the stroke."""
    import cv2

    if not any(loop.soft_edge):
        return []
    labels = cv2.connectedComponents(loop.mask.view(np.uint8), connectivity=8)[1]
    stroke_of = np.zeros(labels.max() + 1, np.float32)
    for x, y, stroke in loop.followed:
        stroke_of[labels[y, x]] = stroke
    box = loop.box
    # The nearest pixel's stroke: halfway between two of them there is no third one.
    strokes = cv2.remap(
        np.ascontiguousarray(stroke_of[labels][box]),
        _origins(loop, homography, window) - np.array([box[1].start, box[0].start], np.float32),
        None,  # type: ignore[call-overload]
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    count, labels = cv2.connectedComponents(inside.view(np.uint8), connectivity=8)
    parts = []
    for label in range(1, count):
        y, x = np.argwhere(labels == label)[0]
        parts.append((int(x), int(y), int(strokes[y, x])))
    return parts


def _zoom(loop: Loop, homography: Homography) -> float:
    """By how much lengths grow in the middle of the mask."""
    rows, columns = loop.box
    x, y = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
    depth = float(homography[2] @ (x, y, 1))
    return float(np.sqrt(abs(np.linalg.det(homography)) / abs(depth) ** 3))
