"""The live player: the solved loop over the still in the Image Editor, without a frame on disk.

A worker renders the frames of one turn, each once; the main thread turns them into textures as they come
and shows the one whose time it is. Speed and direction only choose among them; another soft edge renders them
anew, while the last picture stays.
"""

import contextlib
import threading
import time

import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from .. import loops
from ..bridge.footage import is_footage
from ..errors import Refused
from .textures import screen_pixels, upload

_REST = 0.05  # seconds in which a soft edge that is being dragged may change once more
_PIXELS_AT_MOST = 150_000_000  # of all textures together, about 600 MB: larger loops are played smaller

_player = None


class _Smaller:
    """A loop at the size at which it's played: reduced once, whoever asks first."""

    def __init__(self, loop, factor):
        self.factor = factor
        self._loop, self._found, self._turn = loop, None, threading.Lock()

    def get(self):
        from ..engine.smaller import smaller_loop

        with self._turn:
            if self._found is None:
                self._found = smaller_loop(self._loop, self.factor)
            return self._found


class _Player:
    """One still's loop being played; `before` is a player of the same loop that this one takes over from."""

    def __init__(self, still, loop, before=None):
        self.uid, self.count = still.session_uid, still.endless_loops.frame_count
        self.edges = loops.soft_edges(still, loop)
        # Behind the loop of a movie the editor may show any frame: the one that was solved is shown whole.
        self._loop, self._is_whole = loop, is_footage(still)
        self._smaller = before._smaller if before else _Smaller(loop, self._factor_for(loop))
        self._frames, self._textures = {}, {}
        self._shown = before._shown if before else None
        self.corners = before.corners if before else None
        self._stopped = threading.Event()
        self._begin = before._begin if before else time.monotonic()
        rest = _REST if before else 0
        worker = threading.Thread(target=self._render, args=(rest,), name="Endless Loops Player", daemon=True)
        worker.start()

    def _factor_for(self, loop):
        height, width = (loop.mask if self._is_whole else loop.mask[loop.box]).shape
        factor = 1
        while width * height * self.count / factor**2 > _PIXELS_AT_MOST:
            factor += 1
        return factor

    def stop(self):
        self._stopped.set()

    def plays(self, loop):
        """Whether it is this loop: undo may have brought the one before it back."""
        return loop is self._loop

    def _render(self, rest):
        if self._stopped.wait(rest):
            return
        smaller, factor = self._smaller.get(), self._smaller.factor
        if self._stopped.is_set():
            return
        loop = smaller.with_soft_edge([edge / factor for edge in self.edges])
        box = tuple(slice(0, side) for side in loop.mask.shape) if self._is_whole else loop.box
        self.corners = self._corners_of(box, factor)
        with contextlib.closing(loop.frames(self.count)) as frames:
            for index, frame in enumerate(frames):
                if self._stopped.is_set():
                    return
                self._frames[index] = screen_pixels(frame[box])

    def _corners_of(self, box, factor):
        """Where a box of the smaller loop is, if the still is the unit square: left, bottom, right, top."""
        height, width = (side / factor for side in self._loop.mask.shape)
        rows, columns = box
        return columns.start / width, 1 - rows.stop / height, columns.stop / width, 1 - rows.start / height

    def texture(self, still, rate):
        """The texture to show now; of an earlier frame while this one is still being rendered."""
        settings = still.endless_loops
        moment = int((time.monotonic() - self._begin) * rate) % self.count
        index = (-1 if settings.reverse else 1) * settings.turns * moment % self.count
        if index in self._frames:
            self._textures[index] = upload(self._frames.pop(index))
        self._shown = self._textures.get(index, self._shown)
        return self._shown


def play(still, before=None):
    """Play the still's loop, from its beginning or on from `before`; raises `Refused` when there is none."""
    global _player
    loop = loops.get(still)
    stop()
    _player = _Player(still, loop, before)
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick)


def stop():
    """Show the still again."""
    global _player
    if _player is not None:
        _player.stop()
        _player = None
        _tag()


def is_playing(still):
    """Whether this still's loop is being played."""
    return _player is not None and _player.uid == still.session_uid


def draw(still):
    """Draw the loop over its still; in the editor's own space, where the picture is the unit square."""
    try:
        if _player.count != still.endless_loops.frame_count or not _player.plays(loops.get(still)):
            play(still)
        elif _player.edges != loops.soft_edges(still, loops.get(still)):
            play(still, _player)
    except Refused:
        return stop()
    texture = _player.texture(still, _rate())
    if texture is None:
        return
    left, bottom, right, top = _player.corners
    # The last pixels of a smaller loop may reach beyond the picture.
    low, far = max(bottom, 0), min(right, 1)
    v, u = (low - bottom) / (top - bottom), (far - left) / (right - left)
    shader = gpu.shader.from_builtin("IMAGE")
    where = {
        "pos": [(left, low), (far, low), (far, top), (left, top)],
        "texCoord": [(0, v), (u, v), (u, 1), (0, 1)],
    }
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_sampler("image", texture)
    batch_for_shader(shader, "TRI_FAN", where).draw(shader)
    gpu.state.blend_set("NONE")


def _rate():
    render = bpy.context.scene.render
    return render.fps / render.fps_base


def _tick():
    """The timer: ask for the next frame's drawing while the loop plays."""
    if _player is None or all(image.session_uid != _player.uid for image in bpy.data.images):
        stop()
        return None
    _tag()
    return 1 / _rate()


def _tag():
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"IMAGE_EDITOR", "NODE_EDITOR"}:
                for region in area.regions:
                    if region.type == "WINDOW":
                        region.tag_redraw()
