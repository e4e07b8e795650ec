"""The splines of a mask as a texture: what Solve has Blender's rasterizer draw, here for the eye, live.

Outlines are filled as that rasterizer fills them, with holes where a layer wants them; feather isn't shown.
"""

import gpu
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix, Vector
from mathutils.geometry import interpolate_bezier, tessellate_polygon

from ..bridge import masks, versions

_LONG_SIDE = 2048  # texels
_STEPS = 24  # of a curve between two points
_FILLS = {"MERGE_ADD": 1.0, "ADD": 1.0, "LIGHTEN": 1.0, "MERGE_SUBTRACT": 0.0, "SUBTRACT": 0.0, "DARKEN": 0.0}

_drawn = {}  # trace of a mask and the size it was drawn for -> its offscreen buffer; the last one only


def texture(mask, size):
    """White where a still of a size (width, height) moves; None for layers that this can't blend."""
    layers = [layer for layer in mask.layers if not layer.hide_render and layer.alpha > 0]
    if not layers or any(layer.blend not in _FILLS or layer.invert for layer in layers):
        return None
    key = masks.trace_splines(mask), tuple(size)
    if key not in _drawn:
        _drawn.clear()
        _drawn[key] = _draw(layers, *size)
    return _drawn[key].texture_color


def forget():
    """Free the texture."""
    _drawn.clear()


def _draw(layers, width, height):
    scale = min(1, _LONG_SIDE / max(width, height))
    buffer = gpu.types.GPUOffScreen(max(1, round(width * scale)), max(1, round(height * scale)))
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    with buffer.bind(), gpu.matrix.push_pop(), gpu.matrix.push_pop_projection():
        gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 1.0))
        # From 0..1 to what the framebuffer's corners are to OpenGL and its kin, -1..1.
        gpu.matrix.load_matrix(Matrix.Translation((-1, -1, 0)) @ Matrix.Diagonal((2, 2, 1, 1)))
        gpu.matrix.load_projection_matrix(Matrix.Identity(4))
        gpu.state.blend_set("NONE")
        for layer in layers:
            fill = _FILLS[layer.blend]
            outlines = [_outline(s, width, height) for s in layer.splines if s.use_cyclic and s.use_fill]
            for together, is_hole in _fillings(outlines, layer.use_fill_holes):
                shader.bind()
                shade = 1 - fill if is_hole else fill
                shader.uniform_float("color", (shade, shade, shade, 1.0))
                corners = [point for outline in together for point in outline]
                triangles = tessellate_polygon(together)
                batch_for_shader(shader, "TRIS", {"pos": corners}, indices=triangles).draw(shader)
    return buffer


def _fillings(outlines, with_holes):
    """What is filled at once, in this order, and whether it takes away: (outlines, is_hole) pairs."""
    if not with_holes:
        return [([outline], False) for outline in outlines]
    if not versions.HOLES_TURN_BACK:
        return [(outlines, False)] if outlines else []
    areas = [_area(outline) for outline in outlines]
    order = sorted(range(len(outlines)), key=lambda index: -abs(areas[index]))
    return [([outlines[index]], areas[index] * areas[order[0]] < 0) for index in order]


def _area(outline):
    """Area inside of an outline, negative where it turns clockwise."""
    pairs = zip(outline, outline[1:] + outline[:1], strict=True)
    return sum(a.x * b.y - b.x * a.y for a, b in pairs) / 2


def _outline(spline, width, height):
    """Points of a closed spline where the picture is the unit square, y up."""
    points = list(spline.points)
    line = []
    for point, after in zip(points, points[1:] + points[:1], strict=True):
        curve = interpolate_bezier(point.co, point.handle_right, after.handle_left, after.co, _STEPS + 1)
        line.extend(curve[:-1])
    # A mask's coordinates span the longer side of the picture and are centered on the shorter one.
    across, along = max(width, height) / width, max(width, height) / height
    return [Vector(((p[0] - 0.5) * across + 0.5, (p[1] - 0.5) * along + 0.5, 0.0)) for p in line]
