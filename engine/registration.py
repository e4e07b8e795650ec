"""Refining a displacement field against the still itself, down to its own resolution.

Coarse to fine, the picture one step ahead is compared with the picture here, and the anchors move
together, held smooth, to where both agree: Gauss-Newton on robust differences of details.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anchors import Anchors, Doubles, Floats
from .normal import NormalEquations, Samples
from .resample import cells, enlarge, shrink

BENDING = 3.0
"""Weight of the field's second differences against the still's own pixels."""
SAMPLES = 10_000
"""Pixels compared in one pass."""
PASSES = 3
"""Gauss-Newton steps at each scale."""
SETTLED = 0.02
"""Pixels of a scale: when no anchor moves further, the next scale is due."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
LUMA_AND_COLORS = np.stack(
    [LUMA, 0.7 * ([1, 0, 0] - LUMA), 0.7 * ([0, 0, 1] - LUMA)], dtype=np.float32, casting="same_kind"
)
"""What details are compared in."""
COARSEST = 5.0
"""Pixels a step spans at the first scale."""
FINEST = 56.0
"""Pixels a step spans at the last one: a hundredth of a step is then a pixel's fraction."""


@dataclass(frozen=True)
class View:
    """The still around a part at one scale.

    Parameters
    ----------
    pixels : (h, w, C) float32
        Details with their contrast evened out.
    inside : (h, w) bool
    scale : float
        Its pixels in a working pixel.
    """

    pixels: Floats
    inside: NDArray[np.bool_]
    scale: float


def make_views(picture: Floats, inside: NDArray[np.bool_], scale: float, step: float) -> list[View]:
    """Prepare the scales that refinement goes through, coarsest first.

    Parameters
    ----------
    picture : (h, w, 3) float32, 0 to 1
        The part's box, at the still's resolution or below it.
    inside : (h, w) bool
    scale : float
        Its pixels in a working pixel.
    step : float
        Working pixels.
    """
    import cv2

    finest = min(scale, FINEST / step)
    views = []
    wanted = [finest]
    while wanted[-1] * step > 1.5 * COARSEST:
        wanted.append(wanted[-1] / 2)
    for level in wanted:
        size = tuple(max(8, round(side * level / scale)) for side in picture.shape[1::-1])
        if size != picture.shape[1::-1]:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
            share = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
            inside = np.asarray(share > 0.5)
        scale = level
        views.append(View(_details(picture, inside, max(1.5, step * level / 4)), inside, level))
    return views[::-1]


def _details(picture: Floats, inside: NDArray[np.bool_], sigma: float) -> Floats:
    """Take out what changes slowly and even out the contrast of the rest, within the region."""
    import cv2

    colors = np.asarray(cv2.transform(picture, LUMA_AND_COLORS), np.float32)
    region = inside.astype(np.float32)[..., None]

    # A wide window sees no more in every pixel than in their means.
    coarser = max(1, int(sigma / 3))
    size = cells(inside.shape, coarser)

    def smooth(values: Floats) -> Floats:
        small = shrink(values, size)
        blurred = cv2.GaussianBlur(small, (0, 0), sigma / coarser, borderType=cv2.BORDER_CONSTANT)
        return enlarge(np.asarray(blurred, np.float32).reshape(small.shape), values.shape)

    share = smooth(region) + 1e-4
    details = colors
    details -= smooth(colors * region) / share
    details *= region
    spread = np.sqrt(smooth(np.einsum("ijk,ijk->ij", details, details)[..., None]) / share)
    typical = float(np.median(spread[inside])) if inside.any() else 1.0
    details /= spread + np.float32(0.3 * typical + 1e-4)
    return details


def refine_field(anchors: Anchors, values: Doubles, view: View) -> Doubles:
    """Move the anchors until the picture one step ahead agrees with the picture here.

    Parameters
    ----------
    values : (anchors, 2) float64
        Working pixels.
    view : View
        Scales go from the coarsest to the finest.

    Returns
    -------
    (anchors, 2) float64
    """
    stiff = (BENDING / anchors.spacing**2) * anchors.bending
    # Anchors where nothing lands are hardly held.
    system = NormalEquations(anchors.shape, stiff, 1e-4)
    rows, columns = np.nonzero(view.inside)
    chosen = np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).astype(int)
    here = np.stack([columns[chosen], rows[chosen]], axis=-1)
    samples = anchors.samples((here + 0.5) / view.scale - 0.5)
    for _ in range(PASSES):
        change = _change(system, samples, here, values, -(stiff @ values), view)
        values = values + change
        if np.abs(change).max() * view.scale < SETTLED:
            break
    return values


def _change(
    system: NormalEquations,
    samples: Samples,
    here: NDArray[np.int_],
    values: Doubles,
    pull: Doubles,
    view: View,
) -> Doubles:
    """One Gauss-Newton step of the registration at one scale."""
    import cv2

    moves = np.einsum("nc,ncd->nd", samples.shares, values[samples.corners])
    there = (here + moves * view.scale).astype(np.float32)
    height, width = view.inside.shape
    landed = (there >= 1).all(1) & (there <= (width - 2, height - 2)).all(1)
    nearest = np.rint(there[landed]).astype(int)
    landed[landed] = view.inside[nearest[:, 1], nearest[:, 0]]
    if landed.sum() < 50:
        return np.zeros_like(values)

    def look(dx: float, dy: float) -> Floats:
        place = there[landed] + np.array([dx, dy], np.float32)
        seen = cv2.remap(view.pixels, place[:, None], None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
        return np.asarray(seen, np.float32)[:, 0]

    slope_x = (look(0.5, 0) - look(-0.5, 0)) * view.scale
    slope_y = (look(0, 0.5) - look(0, -0.5)) * view.scale
    error = look(0, 0) - view.pixels[here[landed, 1], here[landed, 0]]
    size = np.sqrt((error**2).sum(1))
    usual = float(np.median(size)) + 1e-6
    weight = len(values) / len(here) / (1 + (size / usual) ** 2)
    pairs = ((slope_x, slope_x), (slope_x, slope_y), (slope_y, slope_y), (slope_x, -error), (slope_y, -error))
    xx, xy, yy, x, y = (weight * np.einsum("nc,nc->n", one, other) for one, other in pairs)
    change = system.solve(samples[landed], np.stack([xx, xy, yy], 1), np.stack([x, y], 1), pull)
    limit = 2.0 / view.scale  # pixels of this scale: beyond them the slopes say nothing
    lengths = np.hypot(change[:, 0], change[:, 1])[:, None]
    return change * np.minimum(1.0, limit / np.maximum(lengths, 1e-9))
