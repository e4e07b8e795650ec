"""How a part of the still is shown: small, to search what repeats, and at several scales, to refine it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area
from .inputs import display_at
from .reduction import Reduction
from .regions import Part
from .registration import FINEST, MOST_VIEWED, View, make_views
from .resample import shrink
from .sight import Source

WORKING_SIDE = 192
"""Pixels on the longer side of a part when its repetitions are searched (paper, 5.4)."""
LEAST_SIDE, LONGEST_SIDE = 16, 768
"""Pixels that a narrow part's shorter side has as well, while its longer one has no more than so many."""
MOST_ENLARGED = 2.5
"""Working pixels in a pixel; more show nothing new."""
SOURCE_ZOOM = 2.0
"""Source pixels in a working pixel: a plane laid flat shows its far end enlarged."""


def source_of(
    reduced: Reduction, pixels: NDArray[Any], box: Area, nearness: int = 1
) -> tuple[Source, tuple[int, int], float]:
    """Show a piece of what is solved as repetitions are searched.

    Parameters
    ----------
    reduced : Reduction
    pixels : (h, w, C) array
        The piece as it's reduced.
    box : Area
        Where it is.
    nearness : int
        From how many times as close as usual: that shows finer repetitions.

    Returns
    -------
    source : Source
    size : (rows, columns)
        Working pixels.
    scale : float
        Working pixels in one of the piece's.
    """
    height, width = pixels.shape[:2]
    # What is narrow is shown larger, up to a length: it may not be stretched.
    narrow = min(LEAST_SIDE / min(height, width), LONGEST_SIDE / max(height, width))
    scale = min(max(WORKING_SIDE / max(height, width), narrow) * nearness, MOST_ENLARGED)
    size = (max(LEAST_SIDE, round(height * scale)), max(LEAST_SIDE, round(width * scale)))
    zoom = max(1.0, min(SOURCE_ZOOM, reduced.factor / scale))
    if scale * zoom > 1:
        pixels = reduced.unreduced(box)
    return Source(display_at(pixels, (round(size[0] * zoom), round(size[1] * zoom))), zoom), size, scale


def views_of(
    reduced: Reduction, pixels: NDArray[Any], part: Part, scale: float, step: float, colorless: bool
) -> list[View]:
    """Show a part for its refinement: from the still itself where steps are short.

    Parameters
    ----------
    reduced : Reduction
    pixels : (h, w, C) array
        The part's box as it's reduced.
    part : Part
    scale : float
        Working pixels in one of these.
    step : float
        Working pixels.
    colorless : bool
        Whether only structure repeats.

    Returns
    -------
    list of View
        Coarsest first.
    """
    import cv2

    most = float(np.sqrt(MOST_VIEWED / part.inside.size))
    detail = min(float(reduced.factor), FINEST / (step / scale), most)
    factor = 1
    if detail > 1:
        factor = reduced.factor
        pixels = reduced.unreduced(part.box)
    # By a power of two first: averages of broken pixels take several times longer.
    spare = min(factor / detail, min(pixels.shape[:2]) / LEAST_SIDE)
    power = 2 ** int(np.log2(max(1.0, spare)))
    small = tuple(side // power for side in pixels.shape[:2])
    size = tuple(max(min(LEAST_SIDE, side), round(side * power / factor * detail)) for side in small)
    picture = shrink(display_at(pixels[: small[0] * power, : small[1] * power], small), size)
    if colorless:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    shown = np.array(small) * power / factor  # all of the part, or all but an odd row or column
    region = part.inside[: round(shown[0]), : round(shown[1])].view(np.uint8)
    inside = cv2.resize(region, size[::-1], interpolation=cv2.INTER_AREA)  # rounded: 1 from a half on
    return make_views(picture, inside > 0, (size / shown)[::-1] / scale, step)
