"""What the operators that send a loop on share: its frames, rendered and written by the worker."""

import re

from .. import loops
from ..bridge import footage
from ..bridge.frame_files import FrameWriter
from ..errors import Refused
from .common import JobOperator, reason_without_loop


def phases(settings):
    """List the phases of a sequence's frames: whole turns, so that the first frame follows the last."""
    count, turns = settings.frame_count, settings.turns
    sign = -1 if settings.reverse else 1
    return [(sign * turns * k % count) / count for k in range(count)]


class RenderOperator(JobOperator):
    """Mixin: an operator that renders the frames of a solved loop into a folder."""

    @classmethod
    def reason_against(cls, still):
        return super().reason_against(still) or reason_without_loop(still)

    def request(self, still, output, stack, crop=None):
        """Gather what the frames are made of.

        Parameters
        ----------
        stack : ExitStack
            Closes, or undoes, whatever the frames' folder is part of.
        crop : callable(loop), optional
            Returns the rows and columns that are written, as slices; all of them when it is missing.
        """
        if loops.name_for(still) != loops.name_of(still):
            raise Refused(
                "Another image has the same loop: press Solve, which gives this one files of its own"
            )
        self.is_stale = loops.is_out_of_date(still)
        loop = loops.get(still)
        settings = still.endless_loops
        is_footage = footage.is_footage(still)
        area = crop(loop) if crop else tuple(slice(0, length) for length in loop.mask.shape)
        return {
            "uid": still.session_uid,
            "loop": loop,
            "edges": loops.soft_edges(still, loop),
            "phases": phases(settings),
            "repeat": 1 if is_footage else settings.repeat,
            "footage": footage.footage(still) if is_footage else None,
            "corners": footage.track_corners(still) if is_footage else None,
            "pace": (settings.frame_count, -settings.turns if settings.reverse else settings.turns),
            "output": output,
            "area": area,
            "writer": FrameWriter(
                output, loop.still[area], None if is_footage else _moving_rows(loop, area[0])
            ),
            "name": loops.name_of(still),
            "stack": stack,
        }

    @classmethod
    def work(cls, request, progress):
        """Write the frames; returns the paths' names, in order, and what may disappoint about the frames."""
        if request["footage"] is None:
            frames = softened(request).frames_at(request["phases"])
            number = len(request["phases"])
        else:
            frames, number = _moving_loop(request), footage.count(request["footage"], progress)
        names = frame_names(request, number)
        pictures = (frame[request["area"]] for frame in frames)
        request["writer"].write(pictures, [request["folder"] / name for name in names], progress)
        return names, [] if request["footage"] is None else list(frames.warnings)

    @classmethod
    def abandon(cls, request):
        from ..engine.errors import Cancelled

        request["stack"].__exit__(Cancelled, Cancelled("Cancelled"), None)

    def tell(self, message, warnings):
        """Report what was made, or what may disappoint about it."""
        if self.is_stale:
            warnings.append(
                "the mask, the directions or the still have changed since: Solve again to use them"
            )
        if warnings:
            self.report({"WARNING"}, f"{message}; {'; '.join(warnings)}")
        else:
            self.report({"INFO"}, message)


def softened(request):
    """The loop of a request with its soft edges, which take a while in a large one."""
    return loops.soften(request["uid"], request["loop"], request["edges"])


def _moving_loop(request):
    """The frames of a movie or a sequence with the loop in it."""
    from .. import engine
    from ..engine.alignment import square_to

    corners, (frame_count, turns) = request["corners"], request["pace"]
    return engine.play_in_video(
        softened(request),
        footage.frames(request["footage"]),
        frames_per_turn=frame_count,
        turns=turns,
        homographies=corners and [None if four is None else square_to(four) for four in corners],
    )


def _moving_rows(loop, rows):
    """The rows in which anything moves, counted from the first one that is written."""
    moving = loop.box[0]
    return slice(max(moving.start - rows.start, 0), min(moving.stop, rows.stop) - rows.start)


def frame_names(request, number):
    """List the names of a sequence's files, in order."""
    name, extension = request["name"], request["output"].extension
    return [f"{name}_{index + 1:04d}{extension}" for index in range(number)]


def is_frame_of(name):
    """Return a test of what a folder holds: frames of `name`, or the proxies that Blender made of them."""
    pattern = re.compile(re.escape(name) + r"_(\d{4,}|still)\.(png|exr|tif|jpg|webp)|BL_proxy/")
    return lambda entry: bool(pattern.fullmatch(entry))
