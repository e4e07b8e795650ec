"""A video in which the loop of its first frame goes on, carried along by the plane it lies on (paper, 4.3).

Every frame is a still of its own: its pixels, with their own light and grain, are moved along the first
frame's field, which the plane's homography carries into place. So a change of exposure changes nothing, and
what isn't inside the moved mask stays the video's, bit for bit. The paper warps finished frames of the first
one instead, since what it inpaints beyond the mask would flicker; here that is pulled from inside the mask
along the same field, and holds still with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .alignment import Homography
from .carrying import carried_frame
from .errors import BadImage, BadSettings, BadVideo, LostPlane
from .footage import Footage, open_footage
from .inputs import check_mask, check_still
from .loop import Loop, check_frame_count
from .settings import Progress, Settings, no_progress
from .solver import solve
from .tracking import PlaneTracker

SOLVING = 0.1
"""Share of the progress that solving the first frame takes."""


def solve_video(
    source: Any,
    mask: NDArray[Any],
    strokes: Any,
    *,
    frames_per_turn: int,
    settings: Settings | None = None,
    progress: Progress | None = None,
    homographies: Iterable[Any] | None = None,
) -> MovingLoop:
    """Let a loop go on in a video while its camera moves.

    Parameters
    ----------
    source : path or iterable of (H, W, C) arrays
        A movie, a folder of pictures, or the frames themselves, as `solve` takes stills; read once and
        never held whole.
    mask : (H, W) bool or number
        What moves in the first frame. It should lie on one plane.
    strokes : sequence of (N, 2) arrays or Stroke
        Over the first frame.
    frames_per_turn : int, 2 to 10 000
        Frames in one turn of the loop.
    settings : Settings, optional
    progress : callable(fraction, stage), optional
        May raise `Cancelled`; also called once a frame.
    homographies : iterable of (3, 3) arrays or None, optional
        Where the plane is, for each frame from the first on, as a map of some coordinates of the plane's
        own to the frame's pixels; None where it can't be seen. Without it the plane is followed by its looks.

    Returns
    -------
    MovingLoop
        An iterator of frames, as many as the source has; the first one is the source's.

    Raises
    ------
    EndlessLoopsError
        At once for what is wrong with the arguments or the first frame. While iterating, `BadVideo` names a
        frame of another size, and `LostPlane` says when a plane that is followed by its looks isn't found in
        the second frame already.
    """
    count = check_frame_count(frames_per_turn)
    report = progress or no_progress
    footage, first = _begun(source)
    inside = check_mask(mask, first)
    find = _finder(first, inside, homographies)
    loop = solve(first, inside, strokes, settings, lambda f, stage: report(SOLVING * f, stage))
    return MovingLoop(
        loop, footage, find, count, 1, lambda f, stage: report(SOLVING + (1 - SOLVING) * f, stage)
    )


def play_in_video(
    loop: Loop,
    source: Any,
    *,
    frames_per_turn: int,
    turns: int = 1,
    progress: Progress | None = None,
    homographies: Iterable[Any] | None = None,
) -> MovingLoop:
    """Let a loop that was solved on the first frame of a video go on in the rest of it.

    Parameters
    ----------
    loop : Loop
    source : path or iterable of (H, W, C) arrays
    frames_per_turn : int, 2 to 10 000
    turns : int
        How many turns these frames take instead of one; negative ones go back.
    progress, homographies
        As in `solve_video`, whose errors and result this has.
    """
    count = check_frame_count(frames_per_turn)
    footage, first = _begun(source)
    if first.shape != loop.still.shape or first.dtype != loop.still.dtype:
        raise BadVideo(
            f"The loop was solved on {_described(loop.still)} and the video begins with {_described(first)}: "
            "solve it on the video's first frame."
        )
    find = _finder(first, loop.mask, homographies)
    return MovingLoop(loop, footage, find, count, turns, progress or no_progress)


def _begun(source: Any) -> tuple[Footage, NDArray[Any]]:
    """Open a video and take its first frame."""
    footage = open_footage(source)
    first = next(footage.frames, None)
    if first is None:
        raise BadVideo("The video has no frames: choose another one.")
    return footage, check_still(first)


def _finder(
    first: NDArray[Any], mask: NDArray[np.bool_], homographies: Iterable[Any] | None
) -> Callable[[NDArray[Any]], Homography | None]:
    """Choose what says where the first frame's pixels are in each of the frames that follow."""
    return _Followed(first, mask).follow if homographies is None else _Given(homographies).follow


class MovingLoop(Iterator[NDArray[Any]]):
    """The frames of a video with a loop in it, made one at a time.

    Parameters
    ----------
    loop : Loop
        The first frame's.
    footage : Footage
        The frames after the first.
    find : callable(frame)
        Gives the homography that maps the first frame's pixels to a frame's, or None.
    frames_per_turn, turns : int
        How many turns so many frames take.
    progress : callable(fraction, stage)
    """

    def __init__(
        self,
        loop: Loop,
        footage: Footage,
        find: Callable[[NDArray[Any]], Homography | None],
        frames_per_turn: int,
        turns: int,
        progress: Progress,
    ) -> None:
        self.loop = loop
        self.rate = footage.rate
        self.count = footage.count
        self._frames, self._find = footage.frames, find
        self._frames_per_turn, self._turns, self._progress = frames_per_turn, turns, progress
        self._made = 0
        self._lost: list[list[int]] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may disappoint about the strokes and the frames made so far, in sentences that name them."""
        return self.loop.warnings + tuple(
            f"Frame{'s' * (last > first)} {first}{f' to {last}' * (last > first)}: the masked plane can't be "
            "found (it is hidden, or out of the picture), so the video is shown as it is."
            for first, last in self._lost
        )

    def __iter__(self) -> MovingLoop:
        return self

    def __next__(self) -> NDArray[Any]:
        index = self._made
        if index == 0:
            self._made = 1
            return self.loop.frame(0)
        self._progress(min(index / self.count, 1.0) if self.count else 0.0, "Following the Plane")
        frame = self._check(next(self._frames), index + 1)
        homography = self._find(frame)
        self._made += 1
        if homography is None:
            self._note_loss(index + 1)
            return frame.copy()
        phase = self._turns * index % self._frames_per_turn / self._frames_per_turn
        return carried_frame(self.loop, frame, homography, phase)

    def _check(self, frame: Any, number: int) -> NDArray[Any]:
        first = self.loop.still
        try:
            frame = check_still(frame)
        except BadImage as reason:
            raise BadVideo(f"Frame {number} of the video can't be used. {reason}") from reason
        if frame.shape != first.shape or frame.dtype != first.dtype:
            raise BadVideo(
                f"Frame {number} of the video is {_described(frame)} and the first one {_described(first)}: "
                "all frames must be alike."
            )
        return frame

    def _note_loss(self, number: int) -> None:
        if self._lost and self._lost[-1][1] == number - 1:
            self._lost[-1][1] = number
        else:
            self._lost.append([number, number])


class _Followed:
    """A plane that is followed by its looks, which have to do for one frame at least."""

    def __init__(self, first: NDArray[Any], mask: NDArray[np.bool_]) -> None:
        self._tracker = PlaneTracker(first, mask)
        self._is_second = True

    def follow(self, frame: NDArray[Any]) -> Homography | None:
        """Say where the first frame's pixels are in the next frame."""
        there = self._tracker.follow(frame)
        if there is None and self._is_second:
            raise LostPlane(
                "The masked plane can't be followed: it isn't found in frame 2 already. Mask a flat surface "
                "with some detail, in a shot without a cut."
            )
        self._is_second = False
        return there


class _Given:
    """Homographies that a caller knows, as changes from the first frame."""

    def __init__(self, homographies: Iterable[Any]) -> None:
        if not isinstance(homographies, Iterable):
            raise BadSettings("The homographies must be a list of 3 x 3 arrays, one for each frame.")
        self._rest = iter(homographies)
        self._number = 0
        first = self._next()
        if first is None:
            raise LostPlane("The plane isn't known in the first frame: begin where it is seen.")
        self._back = np.linalg.inv(first)

    def follow(self, _frame: NDArray[Any]) -> Homography | None:
        """Say where the first frame's pixels are in the next frame."""
        there = self._next()
        return None if there is None else there @ self._back

    def _next(self) -> Homography | None:
        self._number += 1
        given = next(self._rest, None)
        if given is None:
            return None
        try:
            homography = np.asarray(given, np.float64)
        except (TypeError, ValueError) as reason:
            raise BadSettings(f"Homography {self._number} isn't a 3 x 3 array of numbers.") from reason
        if homography.shape != (3, 3) or not np.isfinite(homography).all():
            raise BadSettings(f"Homography {self._number} isn't a 3 x 3 array of numbers.")
        if abs(np.linalg.det(homography)) < 1e-12:
            raise BadSettings(f"Homography {self._number} flattens the plane to a line.")
        return homography


def _described(frame: NDArray[Any]) -> str:
    height, width, channels = frame.shape
    return f"{width} x {height} with {channels} channels of {frame.dtype}"
