"""The tint where the still moves and the arrows where the directions are, over the Image Editor."""

import blf
import bpy
import gpu
import numpy as np
from bpy.app.handlers import persistent
from gpu_extras.batch import batch_for_shader

from .. import handlers
from ..bridge import images, strokes
from ..operators.common import still_in
from ..operators.draw_directions import follow_shown_still
from . import mask_splines, player
from .textures import still_texture

_TINT = (0.15, 0.75, 1.0, 0.4)
_ARROW = (1.0, 0.55, 0.1, 1.0)
_OUTLINE = (0.0, 0.0, 0.0, 0.7)
_HEAD = 18  # pixels of the screen, before the interface's scale

_handles = []
_shaders = {}


def _draw_tint():
    """Draw the still and its mask, live while painting, where the picture is the unit square."""
    space = bpy.context.space_data
    still = still_in(bpy.context)
    if space.image is None or images.refusal(still):
        return
    settings = still.endless_loops
    is_painting = space.image != still
    if player.is_playing(still) and not is_painting:
        player.draw(still)
        return
    texture = _mask_texture(still) if is_painting or settings.show_overlay else None
    if texture is None:
        return
    by_alpha = settings.mask_source == "ALPHA"
    shader = _tint_shader()
    batch = batch_for_shader(shader, "TRI_FAN", {"pos": [(0, 0), (1, 0), (1, 1), (0, 1)]})
    shader.bind()
    shader.uniform_float("mvp", gpu.matrix.get_projection_matrix() @ gpu.matrix.get_model_view_matrix())
    shader.uniform_float("tint", _TINT)
    shader.uniform_float("inside", (0, 0, 0, 1) if by_alpha else (1 / 3, 1 / 3, 1 / 3, 0))
    # While painting the editor holds the mask, so the still has to be drawn over it; otherwise it is there.
    shader.uniform_float("opacity", 1.0 if is_painting else 0.0)
    shader.uniform_sampler("still", still_texture(still))
    shader.uniform_sampler("mask", texture)
    gpu.state.blend_set("ALPHA")
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def _mask_texture(still):
    """The mask as a texture, or None where there is nothing to show."""
    settings = still.endless_loops
    if settings.mask_source == "MASK":
        return mask_splines.texture(settings.mask, images.size(still)) if settings.mask is not None else None
    mask = still if settings.mask_source == "ALPHA" else settings.mask_image
    return still_texture(mask) if mask is not None and all(images.size(mask)) else None


def _draw_arrows():
    """In pixels of the region, so that arrows keep their width at every zoom."""
    context = bpy.context
    still = still_in(context)
    if images.refusal(still):
        return
    follow_shown_still(context.space_data, still)
    if not still.endless_loops.show_overlay or player.is_playing(still):
        return
    view, size = context.region.view2d, np.array(images.size(still), float)
    draw_arrows(
        [
            [view.view_to_region(x, 1 - y, clip=False) for x, y in points / size]
            for points in strokes.read_strokes(still)
        ],
        context.preferences.system.ui_scale,
    )


def draw_arrows(polylines, ui_scale):
    """Draw one arrow for each polyline of region pixels, its head at the end, its number at the other."""
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    flat = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    for points in polylines:
        head = _arrow_head(np.array(points, float), _HEAD * ui_scale)
        for color, width in ((_OUTLINE, 7 * ui_scale), (_ARROW, 4 * ui_scale)):
            shader.bind()
            shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
            shader.uniform_float("lineWidth", width)
            shader.uniform_float("color", color)
            batch_for_shader(shader, "LINE_STRIP", {"pos": [(*p, 0) for p in points]}).draw(shader)
        flat.bind()
        flat.uniform_float("color", _ARROW)
        batch_for_shader(flat, "TRIS", {"pos": head}).draw(flat)
    if len(polylines) > 1:
        for number, points in enumerate(polylines, 1):
            _draw_number(str(number), points[0], ui_scale)
    gpu.state.blend_set("NONE")


def _draw_number(text, place, ui_scale):
    """Write a number beside a place, readable on any picture."""
    x, y = place[0] + 8 * ui_scale, place[1] + 8 * ui_scale
    blf.size(0, 16 * ui_scale)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 5, 0.0, 0.0, 0.0, 1.0)
    blf.color(0, *_ARROW)
    blf.position(0, x, y, 0)
    blf.draw(0, text)
    blf.disable(0, blf.SHADOW)


def _arrow_head(points, length):
    """Three corners of the head, along the last `length` pixels of the stroke, not its jittery last step."""
    tip = points[-1]
    away = np.linalg.norm(points - tip, axis=1)
    far = np.flatnonzero(away >= length)
    back = points[far[-1]] if far.size else points[int(away.argmax())]
    along = (tip - back) / max(np.linalg.norm(tip - back), 1e-6)
    side = np.array([-along[1], along[0]])
    base = tip - along * length * 0.5
    return [
        tuple(tip + along * length * 0.7),
        tuple(base + side * length * 0.6),
        tuple(base - side * length * 0.6),
    ]


def _tint_shader():
    if "tint" not in _shaders:
        info = gpu.types.GPUShaderCreateInfo()
        info.push_constant("MAT4", "mvp")
        info.push_constant("VEC4", "tint")
        info.push_constant("VEC4", "inside")
        info.push_constant("FLOAT", "opacity")
        info.sampler(0, "FLOAT_2D", "still")
        info.sampler(1, "FLOAT_2D", "mask")
        info.vertex_in(0, "VEC2", "pos")
        uv = gpu.types.GPUStageInterfaceInfo("endless_loops_uv")
        uv.smooth("VEC2", "uv")
        info.vertex_out(uv)
        info.fragment_out(0, "VEC4", "color")
        info.vertex_source("void main() { uv = pos; gl_Position = mvp * vec4(pos, 0.0, 1.0); }")
        info.fragment_source(
            "void main() {"
            "  float moves = tint.a * step(0.5, dot(texture(mask, uv), inside));"
            "  vec3 below = texture(still, uv).rgb;"
            "  color = mix(vec4(tint.rgb, moves), vec4(mix(below, tint.rgb, moves), 1.0), opacity);"
            "}"
        )
        _shaders["tint"] = gpu.shader.create_from_info(info)
    return _shaders["tint"]


@persistent
def _loading(*_args):
    player.stop()
    mask_splines.forget()


_HANDLERS = (("load_pre", _loading),)


def register():
    if bpy.app.background:
        return
    handlers.add(_HANDLERS)
    add = bpy.types.SpaceImageEditor.draw_handler_add
    _handles.append(add(_draw_tint, (), "WINDOW", "POST_VIEW"))
    _handles.append(add(_draw_arrows, (), "WINDOW", "POST_PIXEL"))


def unregister():
    if bpy.app.background:
        return
    player.stop()
    handlers.remove(_HANDLERS)
    for handle in _handles:
        bpy.types.SpaceImageEditor.draw_handler_remove(handle, "WINDOW")
    _handles.clear()
    _shaders.clear()
    mask_splines.forget()
