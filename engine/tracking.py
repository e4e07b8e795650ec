"""Follow a plane through a video: one homography a frame, each found against the first frame (paper, 4.3).

What the plane did between two frames says about where it is, features that RANSAC holds to one homography
say it better, and comparing the plane itself with the first frame, pixel by pixel, says it to a fraction
of a pixel. Since every frame is compared with the first one, errors don't add up (the restarts of section
4.3). A plane that was lost is looked for by features that need no neighboring frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .alignment import Aligner, Doubles, Floats, Homography, mapped
from .errors import LostPlane
from .inputs import display_rgb, to_unit

WORKING_SIDE = 960
"""Pixels on the longer side of a frame while it is tracked."""
LEAST_SIDE = 400
"""Pixels on the longer side of the region followed; a small one in a large frame is tracked larger."""
MARGIN = 0.25
"""Of the mask's size; how far around the mask the plane is expected to go on."""
BESIDE = 0.3
"""Weight of what is beside the mask: it may lie on another plane."""
BANDS = ((3.0, 18.0), (1.0, 6.0))
"""Working pixels; what is finer is noise, what is broader is light and may change. Coarse, then fine."""
SETTLED = 0.2
"""Working pixels; when the finest comparison moves the region's corners less, it isn't repeated."""
MORE = 2
"""Times the finest comparison is repeated, since what hides the plane is known better each time."""
CORNERS = 400
REACH = 2.0
"""Working pixels by which a feature may miss a homography that it agrees with."""
LEAST_FEATURES = 12
ALIKE = 0.5
"""Local correlation with the first frame from which a place counts as seen."""
SEEN = 0.2
"""Likeness, the mean square of these correlations, below which the plane is lost."""
STEADY = 0.95
"""Of the usual likeness; with less, the plane is looked for in other ways as well."""
FORGETTING = 0.98
"""Of the usual likeness is still expected in the next frame, whatever this one's is."""
LEAST_VISIBLE = 1_000
"""Working pixels of the region that must lie in a frame."""


class PlaneTracker:
    """Follows the plane under a mask from the first frame on.

    Parameters
    ----------
    first : (H, W, C) array
        uint8, uint16 or float32, as `solve` takes it.
    mask : (H, W) bool
        What lies on the plane.

    Raises
    ------
    LostPlane
        When there is nothing to follow it by.
    """

    def __init__(self, first: NDArray[Any], mask: NDArray[np.bool_]) -> None:
        import cv2

        extent = max(int(np.ptp(side)) + 1 for side in np.nonzero(mask))
        self._scale = min(1.0, max(WORKING_SIDE / max(mask.shape), LEAST_SIDE / extent))
        self._size = (round(mask.shape[0] * self._scale), round(mask.shape[1] * self._scale))
        self._to_working = _scaling(self._size, mask.shape)
        self._first = self._grey(first)
        share = cv2.resize(mask.astype(np.float32), self._size[::-1], interpolation=cv2.INTER_AREA)
        self._region = _Region.around(share > 0.5)
        self._template = _Template(self._first, self._region)
        if not self._template.is_usable:
            raise LostPlane(
                "There is too little detail in and around the mask to follow it: mask a surface with "
                "texture, or give the plane's motion."
            )
        self._previous = self._first
        self._now = self._before = np.eye(3)
        self._seen = self._region.weight > 0
        self._usual = 1.0

    def follow(self, frame: NDArray[Any]) -> Homography | None:
        """Say where the first frame's pixels are in the next frame, or None when the plane isn't found there.

        Parameters
        ----------
        frame : (H, W, C) array
            Of the first frame's size.
        """
        grey = self._grey(frame)
        found = self._template.refine(grey, self._from_previous(grey))
        if found.likeness < STEADY * self._usual:
            others = (self._expected(), self._from_anywhere(grey))
            found = max(found, *(self._template.refine(grey, g) for g in others), key=lambda f: f.likeness)
        self._previous, self._usual = grey, max(found.likeness, FORGETTING * self._usual)
        if found.likeness < SEEN:
            self._before = self._now
            return None
        self._before, self._now, self._seen = self._now, found.homography, found.seen
        full: Homography = np.linalg.inv(self._to_working) @ self._now @ self._to_working
        return full / full[2, 2]

    def _grey(self, frame: NDArray[Any]) -> Floats:
        import cv2

        pixels = to_unit(frame) if frame.dtype.kind == "f" else frame
        if self._scale < 1:
            small = cv2.resize(pixels, self._size[::-1], interpolation=cv2.INTER_AREA)
            pixels = small.reshape(*self._size, frame.shape[2])
        luma = display_rgb(pixels) @ np.array([0.299, 0.587, 0.114], np.float32)
        return np.clip(luma * 255, 0, 255)

    def _expected(self) -> Homography:
        """Let the plane move on as it did."""
        return self._now @ np.linalg.inv(self._before) @ self._now

    def _from_previous(self, grey: Floats) -> Homography | None:
        """Follow corners from the previous frame."""
        import cv2

        corners = self._template.corners
        corners = corners[self._seen[tuple(corners.astype(int).T[::-1])]]
        if len(corners) < LEAST_FEATURES:
            return self._expected()
        there = mapped(self._now, corners)
        expected = mapped(self._expected(), corners)
        reached, status, _ = cv2.calcOpticalFlowPyrLK(
            self._previous.astype(np.uint8),
            grey.astype(np.uint8),
            there.astype(np.float32),
            expected.astype(np.float32),
            winSize=(21, 21),
            maxLevel=4,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        good = status[:, 0] > 0
        return _agreed(corners[good], reached[good])

    def _from_anywhere(self, grey: Floats) -> Homography | None:
        """Match features with the first frame's, wherever they are."""
        import cv2

        known, descriptors = self._template.features
        points, found = _features(grey, None)
        if min(len(known), len(points)) < LEAST_FEATURES:
            return None
        pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(descriptors, found, k=2)
        # What repeats has many equals: only features that are one of a kind say where the plane is.
        single = [best for best, second in pairs if best.distance < 0.8 * second.distance]
        here = known[[match.queryIdx for match in single]].reshape(-1, 2)
        return _agreed(here, points[[match.trainIdx for match in single]].reshape(-1, 2))


@dataclass(frozen=True)
class _Found:
    """Where the plane may be, how much it looks like the first frame there (0 to 1), and which part does."""

    homography: Homography
    likeness: float
    seen: NDArray[np.bool_]


NOWHERE = _Found(np.eye(3), 0.0, np.zeros((1, 1), bool))


@dataclass(frozen=True)
class _Region:
    """What is compared: how much each working pixel counts, and the box of those that do."""

    weight: Floats
    box: tuple[slice, slice]

    @classmethod
    def around(cls, inside: NDArray[np.bool_]) -> _Region:
        """Take the mask and its surroundings."""
        import cv2

        reach = max(8, round(MARGIN * float(np.sqrt(inside.sum()))))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        near = cv2.dilate(inside.astype(np.uint8), kernel) > 0
        weight = np.where(inside, np.float32(1), np.float32(BESIDE)) * near
        rows, columns = np.nonzero(near)
        box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
        return cls(weight.astype(np.float32), box)


class _Template:
    """The plane as the first frame shows it."""

    def __init__(self, first: Floats, region: _Region) -> None:
        self._first, self._region = first, region
        shown = region.weight[region.box] > 0
        self._levels = [Aligner(first[region.box], region.weight[region.box], band) for band in BANDS]
        self._finest = self._levels[-1]
        self._textured = shown & (self._finest.spread > 0.5)
        x, y = region.box[1].start, region.box[0].start
        height, width = shown.shape
        self._corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
        self._shift = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)

    @property
    def is_usable(self) -> bool:
        """Whether there is enough of the plane to follow."""
        return bool(self._textured.sum() >= LEAST_VISIBLE / 4)

    @cached_property
    def corners(self) -> Doubles:
        """Places that can be told from their neighbors, (N, 2)."""
        import cv2

        shown = (self._region.weight > 0).astype(np.uint8)
        found = cv2.goodFeaturesToTrack(self._first.astype(np.uint8), CORNERS, 0.01, 5, mask=shown)
        return np.zeros((0, 2)) if found is None else found[:, 0].astype(np.float64)

    @cached_property
    def features(self) -> tuple[Doubles, Floats]:
        """Places and what they look like from anywhere, (N, 2) and (N, 128)."""
        return _features(self._first, (self._region.weight > 0).astype(np.uint8))

    def refine(self, grey: Floats, guess: Homography | None) -> _Found:
        """Move a homography until the frame agrees with the template as well as it can."""
        if guess is None:
            return NOWHERE
        found = guess @ self._shift
        for level in (*self._levels, *[self._finest] * MORE):
            seen = self._seen(grey, found)
            if seen is None:
                return NOWHERE
            change = level.correction(*seen)
            found = found @ change
            moved = mapped(change, self._corners) - self._corners
            if level is self._finest and np.abs(moved).max() < SETTLED:
                break
        seen = self._seen(grey, found)
        if seen is None:
            return NOWHERE
        picture, visible = seen
        judged = self._textured & visible
        if judged.sum() < LEAST_VISIBLE / 4:
            return NOWHERE
        likeness = np.clip(self._finest.correlation(picture, visible), 0, 1)
        found = found @ np.linalg.inv(self._shift)
        alike = np.zeros(self._first.shape, bool)
        alike[self._region.box] = visible & (likeness > ALIKE)
        return _Found(found / found[2, 2], float(np.square(likeness[judged]).mean()), alike)

    def _seen(self, grey: Floats, homography: Homography) -> tuple[Floats, NDArray[np.bool_]] | None:
        """Show the region's box, where a frame has any of it, as the first frame would."""
        import cv2

        if not _is_view(homography, self._corners):
            return None
        size = tuple(self._corners[2].astype(int))
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        picture = cv2.warpPerspective(grey, homography, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        within = np.zeros(grey.shape, np.uint8)
        within[1:-1, 1:-1] = 255
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        visible = cv2.warpPerspective(within, homography, size, flags=flags) == 255
        visible &= self._region.weight[self._region.box] > 0
        if visible.sum() < LEAST_VISIBLE:
            return None
        return np.asarray(picture, np.float32), visible


def _is_view(homography: Homography, corners: Doubles) -> bool:
    """Whether a camera could see a box so: all of it in front, not turned over, of a sane size."""
    depth = corners @ homography[2, :2] + homography[2, 2]
    if not np.isfinite(homography).all() or depth.min() <= 1e-6 * abs(depth).max():
        return False
    return 1 / 64 < _area(mapped(homography, corners)) / _area(corners) < 64


def _scaling(size: tuple[int, int], shape: tuple[int, ...]) -> Doubles:
    """Map the pixels of a picture to those of the same picture at another size; both counted at centers."""
    x, y = size[1] / shape[1], size[0] / shape[0]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _area(corners: Doubles) -> float:
    x, y = corners.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _agreed(here: NDArray[Any], there: NDArray[Any]) -> Homography | None:
    """Find the homography that most features agree with."""
    import cv2

    if len(here) < LEAST_FEATURES:
        return None
    found, inliers = cv2.findHomography(here, there, cv2.USAC_MAGSAC, REACH, maxIters=2000, confidence=0.999)
    if found is None or inliers.sum() < LEAST_FEATURES:
        return None
    return np.asarray(found, np.float64)


def _features(grey: Floats, mask: NDArray[np.uint8] | None) -> tuple[Doubles, Floats]:
    import cv2

    keypoints, descriptors = cv2.SIFT.create(2000).detectAndCompute(grey.astype(np.uint8), mask)
    points = np.array([point.pt for point in keypoints], np.float64).reshape(-1, 2)
    return points, np.zeros((0, 128), np.float32) if len(points) == 0 else np.asarray(descriptors, np.float32)
