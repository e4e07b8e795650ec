"""Directions over the compositor's backdrop, and where a place of the backdrop lies in the still."""

from dataclasses import dataclass, field

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..bridge import images, strokes
from ..operators.common import in_compositor, still_in
from . import player
from .overlay import draw_arrows
from .textures import still_texture

_handles = []
_drawing = None


@dataclass
class Drawing:
    """One call of Draw Directions in an editor: which strokes it made, and the one under the pen."""

    area: int  # address of the area, which outlives the Python object
    points: list = field(default_factory=list)  # (x, y) pixels of the still, y down
    count: int = 0  # strokes that Ctrl-Z takes away again


def begin(area):
    """Start to draw on an editor; ends what was drawn elsewhere."""
    global _drawing
    _drawing = Drawing(area.as_pointer())
    return _drawing


def end():
    """Stop drawing."""
    global _drawing
    _drawing = None


def leave_undo_to_blender():
    """Let Ctrl-Z bring back what was just removed, rather than take away a stroke that was drawn before."""
    if _drawing is not None:
        _drawing.count = 0


def is_drawing(drawing):
    """Whether this drawing goes on."""
    return drawing is _drawing


def is_drawn_on(area):
    """Whether directions are being drawn on an editor."""
    return _drawing is not None and _drawing.area == area.as_pointer()


def to_region(space, region, size, points):
    """From pixels of the still to pixels of the region.

    The backdrop is centered in the region and moves with neither the nodes nor the interface's scale.

    Parameters
    ----------
    size : (width, height) of the still
    points : (N, 2) array
        x right, y down, (0, 0) the top left corner of the picture.

    Returns
    -------
    (N, 2) array
        x right, y up.
    """
    flip = np.array([1, -1]) * space.backdrop_zoom
    return _center(space, region) + (np.asarray(points, float) - np.array(size) / 2) * flip


def to_still(space, region, size, x, y):
    """From a pixel of the region to pixels of the still; the reverse of `to_region`."""
    flip = np.array([1, -1]) * space.backdrop_zoom
    # The pointer is on the middle of its pixel.
    return (np.array([x, y]) + 0.5 - _center(space, region)) / flip + np.array(size) / 2


def _center(space, region):
    return np.array([region.width, region.height]) / 2 + np.array(space.backdrop_offset[:])


def _draw():
    context = bpy.context
    space, region = context.space_data, context.region
    still = still_in(context) if in_compositor(space) else None
    if images.refusal(still) or not all(images.size(still)):
        return
    size = images.size(still)
    corners = to_region(space, region, size, [(0, size[1]), (size[0], 0)])
    drawn_on = is_drawn_on(context.area)
    if drawn_on:
        _draw_still(still, corners)
    elif space.show_backdrop and player.is_playing(still):
        return _play(still, corners)
    elif not space.show_backdrop or not still.endless_loops.show_overlay:
        return
    lines = strokes.read_strokes(still)
    if drawn_on and len(_drawing.points) > 1:
        lines.append(np.array(_drawing.points))
    draw_arrows(
        [to_region(space, region, size, points) for points in lines],
        context.preferences.system.ui_scale,
    )


def _play(still, corners):
    """Let the player draw on the backdrop, as if it were the unit square."""
    (left, bottom), (right, top) = corners
    with gpu.matrix.push_pop():
        gpu.matrix.translate((left, bottom))
        gpu.matrix.scale((right - left, top - bottom))
        player.draw(still)


def _draw_still(still, corners):
    """Show the still where the backdrop shows it, above the nodes: they would be in the pen's way."""
    (left, bottom), (right, top) = corners
    shader = gpu.shader.from_builtin("IMAGE_SCENE_LINEAR_TO_REC709_SRGB")
    batch = batch_for_shader(
        shader,
        "TRI_FAN",
        {
            "pos": [(left, bottom), (right, bottom), (right, top), (left, top)],
            "texCoord": [(0, 0), (1, 0), (1, 1), (0, 1)],
        },
    )
    shader.bind()
    shader.uniform_sampler("image", still_texture(still))
    batch.draw(shader)


def register():
    if not bpy.app.background:
        _handles.append(bpy.types.SpaceNodeEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def unregister():
    end()
    for handle in _handles:
        bpy.types.SpaceNodeEditor.draw_handler_remove(handle, "WINDOW")
    _handles.clear()
