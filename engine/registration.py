"""Refining a displacement field against the still itself, down to its own resolution.

Coarse to fine, the picture one step ahead is compared with the picture here, and the anchors move
together, held smooth, to where both agree: Gauss-Newton on robust differences of details.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anchors import Anchors, Doubles, Floats
from .normal import NormalEquations
from .resample import cells, shrink

BENDING = 3.0
"""Weight of the field's second differences against the still's own pixels."""
SAMPLES = 8000
"""Pixels compared in one pass."""
PASSES = 3
"""Gauss-Newton steps at each scale."""
SETTLED = 0.1
"""Pixels of a scale: when anchors move no further in the mean, the next scale is due."""
AROUND = np.array([[0, 1, -1, 0, 0], [0, 0, 0, 1, -1]], np.float32)[..., None, None]
"""A place and those a pixel to its right, to its left, below and above: (x, y), each (5, 1, 1)."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
LUMA_AND_COLORS = np.stack(
    [LUMA, 0.7 * ([1, 0, 0] - LUMA), 0.7 * ([0, 0, 1] - LUMA)], dtype=np.float32, casting="same_kind"
)
"""What details are compared in."""
COLORS = np.array([[1, 1, 1, 0]], np.float32)
"""Adds up a view's first three channels."""
COARSEST = 5.0
"""Pixels a step spans at the first scale, up to half as much again."""
FINEST = 44.0
"""Pixels a step spans at the last one: a hundredth of a step is then a pixel's fraction."""
APART = 10.0
"""Pixels of a view between two anchors: closer ones say nothing that those wouldn't."""
MOST_VIEWED = 400_000
"""Of a view: where steps are short against the still, more wouldn't make them any surer."""


NARROWEST = 8
"""Pixels on a view's shorter side; it isn't halved below them."""
WIDE = 2.0
"""Pixels; a Gaussian that is twice as wide is made at half the size."""


@dataclass(frozen=True)
class View:
    """The still around a part at one scale.

    Parameters
    ----------
    pixels : (h, w, 4) float32
        Luma's and colors' details with their contrast evened out, and 1 in the region, 0 outside.
    scale : (2,) float64
        Its pixels in a working pixel, along x and y: they differ where it is narrow.
    area : int
        Pixels in the region.
    """

    pixels: Floats
    scale: Doubles
    area: int


def make_views(picture: Floats, inside: NDArray[np.bool_], scale: Doubles, step: float) -> list[View]:
    """Prepare the scales that refinement goes through, coarsest first.

    Parameters
    ----------
    picture : (h, w, 3) float32, 0 to 1
        The part's box, as large as it's looked at.
    inside : (h, w) bool
    scale : (2,) float64
        Its pixels in a working pixel, along x and y.
    step : float
        Working pixels.
    """
    import cv2

    halvings = _halvings(inside.shape, scale, step)
    # Whole numbers of the coarsest pixels, so that all is halved exactly; the border goes on.
    height, width = inside.shape
    rows, columns = (-(-np.array(inside.shape) // halvings[-1]) * halvings[-1]).tolist()
    pixels, share = np.empty((rows, columns, 4), np.float32), np.zeros((rows, columns), np.float32)
    cv2.cvtColor(cv2.transform(picture, LUMA_AND_COLORS), cv2.COLOR_RGB2RGBA, pixels[:height, :width])
    pixels[:height, width:] = pixels[:height, width - 1 : width]
    pixels[height:] = pixels[height - 1]
    share[:height, :width] = inside
    views = []
    for halving, following in zip(halvings, [*halvings[1:], None], strict=True):
        region, at = (share > 0.5).view(np.uint8), scale / halving[::-1]
        whole = pixels
        if following is not None:
            size = rows // int(following[0]), columns // int(following[1])
            pixels, share = shrink(pixels, size), shrink(share, size)
        details = _details(whole, region, max(1.5, step * float(at.min()) / 4))
        views.append(View(details, at, int(np.count_nonzero(region))))
    return views[::-1]


def _halvings(shape: tuple[int, ...], scale: Doubles, step: float) -> list[NDArray[np.intp]]:
    """Say by what the sides of each view are divided, (rows, columns); a narrow one isn't divided further."""
    halvings = [np.ones(2, np.intp)]
    while (scale[::-1] / halvings[-1]).min() * step > 1.5 * COARSEST:
        wide = np.array(shape) // halvings[-1] >= 2 * NARROWEST
        if not wide.any():
            break
        halvings.append(halvings[-1] * np.where(wide, 2, 1))
    return halvings


def _details(pixels: Floats, region: NDArray[np.uint8], sigma: float) -> Floats:
    """Take out what changes slowly and even out the contrast of the rest, within the region.

    Parameters
    ----------
    pixels : (h, w, 4) float32
        The last channel is 1; overwritten.
    region : (h, w) uint8
        1 inside.
    sigma : float
        Pixels; how far around a pixel is looked.
    """
    import cv2

    def enlarged(cells: Floats) -> Floats:
        """Interpolate up to the view's size, in memory that was touched before: new memory takes longer."""
        large = cv2.resize(cells, region.shape[::-1], pixels, interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, np.float32)

    def smooth(values: Floats) -> Floats:
        """Blur on cells: a wide window sees no more in every pixel than in their means."""
        width = sigma
        while width >= 2 * WIDE:  # by halves: OpenCV is several times faster at those
            values = shrink(values, cells(values.shape, 2))
            width /= 2
        return np.asarray(cv2.GaussianBlur(values, (0, 0), width, borderType=cv2.BORDER_CONSTANT), np.float32)

    details = np.asarray(cv2.copyTo(pixels, region), np.float32)
    mean = smooth(details)
    share = mean[..., 3:] + np.float32(1e-4)
    mean /= share
    mean[..., 3] = 0
    cv2.subtract(details, enlarged(mean), details, region)
    squares = smooth(np.square(details, out=pixels))
    spread = np.sqrt(cv2.transform(squares, COLORS)[..., None] / share)
    seen = spread[share > 0.5]
    typical = float(np.median(seen)) if seen.size else 1.0
    even = np.repeat(np.reciprocal(spread + np.float32(0.3 * typical + 1e-4)), 4, axis=2)
    even[..., 3] = 1
    return np.asarray(cv2.multiply(details, enlarged(even), details), np.float32)


def refine_field(anchors: Anchors, values: Doubles, view: View) -> Doubles:
    """Move the anchors until the picture one step ahead agrees with the picture here.

    Where they are closer than a view can tell, fewer ones are moved, and take them along.

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
    thin = anchors.thinned(APART / (anchors.spacing * float(view.scale.min())))
    samples = _Samples.of(thin, view)
    # Against what all samples say on average: a field is as stiff on fewer anchors.
    stiff = BENDING / (thin.spacing**2 * len(values)) * thin.bending
    # Anchors where nothing lands are hardly held.
    system = NormalEquations(samples.down, samples.along, stiff, 1e-4 / len(thin.points))
    start = moved = thin.between(anchors, values)
    for _ in range(PASSES):
        change = _change(system, samples, moved)
        moved = moved + change
        if np.sqrt(np.square(change * view.scale).mean()) < SETTLED:
            break
    return values + anchors.between(thin, moved - start)


@dataclass(frozen=True)
class _Look:
    """What is seen of a view at places.

    Parameters
    ----------
    details : (C, r, c) float32
    slopes : (2, C, r, c) float32
        By how much they grow in a working pixel, to the right and down.
    inside : (r, c) bool
        Where all of that is the region's own.
    """

    details: Floats
    slopes: Floats
    inside: NDArray[np.bool_]

    @classmethod
    def at(cls, view: View, x: Floats, y: Floats) -> _Look:
        """Look at (r, c) places, in a view's pixels."""
        import cv2

        columns, rows = (np.concatenate(plane + away) for plane, away in zip((x, y), AROUND, strict=True))
        seen = np.empty((view.pixels.shape[2], len(AROUND[0]), *x.shape), np.float32)
        planes = [plane.reshape(columns.shape) for plane in seen]
        cv2.split(cv2.remap(view.pixels, columns, rows, cv2.INTER_LINEAR), planes)
        here, right, left, below, above = seen[:-1].swapaxes(0, 1)
        slopes = np.stack([right - left, below - above])
        slopes *= (view.scale / 2).astype(np.float32)[:, None, None, None]
        return cls(here, slopes, seen[-1].min(0) > 0.5)


@dataclass(frozen=True)
class _Samples:
    """Pixels of a view on a lattice of some of its rows and columns.

    Parameters
    ----------
    view : View
    x, y : (r, c) float32
        Where they are in it.
    down : (r, rows) float32
    along : (c, columns) float32
        What each row and each column of anchors counts there.
    seen : _Look
    """

    view: View
    x: Floats
    y: Floats
    down: Floats
    along: Floats
    seen: _Look

    @classmethod
    def of(cls, anchors: Anchors, view: View) -> _Samples:
        """Lay the lattice so that as many of its pixels as are compared lie in the region."""
        size = view.pixels.shape[:2]
        spacing = max(1.0, np.sqrt(view.area / SAMPLES))
        rows, columns = (np.arange(spacing / 2, side, spacing).astype(int) for side in size)
        x, y = (plane.astype(np.float32) for plane in np.meshgrid(columns, rows))
        across, upright = view.scale
        down, along = anchors.lattice((rows + 0.5) / upright - 0.5, (columns + 0.5) / across - 0.5)
        return cls(view, x, y, down, along, _Look.at(view, x, y))

    def ahead(self, values: Doubles) -> _Look:
        """Look where anchors of (anchors, 2) values lead from them."""
        grid = (self.view.scale * values).T.reshape(2, self.down.shape[1], -1).astype(np.float32)
        right, down = self.down @ grid @ self.along.T
        return _Look.at(self.view, self.x + right, self.y + down)


def _change(system: NormalEquations, samples: _Samples, values: Doubles) -> Doubles:
    """One Gauss-Newton step of the registration at one scale."""
    here, there = samples.seen, samples.ahead(values)
    landed = here.inside & there.inside
    if landed.sum() < 50:
        return np.zeros_like(values)
    error = here.details - there.details
    size = _dot(error, error)
    usual = float(np.median(size[landed])) + 1e-12
    weight = landed / np.float32(here.inside.sum()) / (1 + size / np.float32(usual))
    # Mean slopes take the picture's curvature into account: fewer steps lead as far.
    slope_x, slope_y = (here.slopes + there.slopes) / 2
    pairs = ((slope_x, slope_x), (slope_x, slope_y), (slope_y, slope_y), (slope_x, error), (slope_y, error))
    products = np.stack([weight * _dot(one, other) for one, other in pairs])
    change = system.solve(products[:3], products[3:], values)
    limit = 2.0 / samples.view.scale.min()  # pixels of this scale: beyond them the slopes say nothing
    lengths = np.hypot(change[:, 0], change[:, 1])[:, None]
    return change * np.minimum(1.0, limit / np.maximum(lengths, 1e-9))


def _dot(one: Floats, other: Floats) -> Floats:
    return np.einsum("kij,kij->ij", one, other)
