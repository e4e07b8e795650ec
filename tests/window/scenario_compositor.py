"""The compositor: its panels, strokes drawn on the backdrop, painting from there, and the loop as nodes."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
import numpy as np
from drive import FOUND, addon, drag, file, key, open_tab, region, run, screenshot, wait_for_job, wide

# Pixels of the still that a stroke begins and ends on: their middles, x right and y down.
MARKS = [(180.5, 420.5), (540.5, 120.5)]
# Interface scale, zoom and offset of the backdrop.
VIEWS = [
    (scale, zoom, offset)
    for scale in (1.0, 1.5)
    for zoom, offset in ((1.0, (0, 0)), (0.6, (130, -70)), (1.4, (-90, -60)))
]


def make_tree():
    """An Image node of the still that feeds the output and the backdrop."""
    scene = bpy.context.scene
    tree = bpy.data.node_groups.new("Compositor", "CompositorNodeTree")
    scene.compositing_node_group = tree
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    output = tree.nodes.new("NodeGroupOutput")
    source = tree.nodes.new("CompositorNodeImage")
    source.image = bpy.data.images.load(file("marked.png"))
    viewer = tree.nodes.new("CompositorNodeViewer")
    source.location, viewer.location, output.location = (-900, 500), (-300, 300), (-300, 500)
    for target in (output.inputs[0], viewer.inputs[0]):
        tree.links.new(source.outputs["Image"], target)
    tree.nodes.active = source
    scene.view_settings.view_transform = "Standard"
    scene.render.compositor_device = "CPU"
    return tree, source


def pixels_of(image):
    """What an image holds, (H, W, 4), first row on top."""
    width, height = image.size
    flat = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(flat)
    return flat.reshape(height, width, 4)[::-1]


def mark_still():
    """Save the still with a colored dot on each pixel a stroke shall begin or end on; returns its size."""
    image = bpy.data.images.load(file("still.png"))
    pixels = pixels_of(image).copy()
    for (x, y), color in zip(MARKS, ((1, 0, 1), (0, 1, 0)), strict=True):
        pixels[int(y), int(x), :3] = color
    image.pixels.foreach_set(pixels[::-1].ravel())
    image.filepath_raw = file("marked.png")
    image.save()
    size = tuple(image.size)
    bpy.data.images.remove(image)
    return size


def call(operator, window, area, **arguments):
    """Press a button of an editor."""
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        operator("INVOKE_DEFAULT", True, **arguments)


def scenario():
    size = mark_still()
    window, area = yield from wide("CompositorNodeTree")
    yield from open_tab(area)
    yield from screenshot("c1_nothing.png")
    tree, source = make_tree()
    space = area.spaces.active
    space.node_tree, space.show_backdrop = tree, True
    yield 2.0
    yield from screenshot("c2_still.png")
    bpy.ops.wm.save_as_mainfile(filepath=file("compositor.blend"))
    yield from draw_in_every_view(window, area, source.image, size)
    yield from paint_and_come_back(window, area, source.image)
    yield from loop_of_nodes(window, area, tree, source.image)
    area.spaces.active.path.pop()
    yield from remove_while_drawing(window, area, size)


def draw_in_every_view(window, area, still, size):
    """Draw from one colored dot of the backdrop to the other, and note where the stroke lies in the still."""
    space, FOUND["views"] = area.spaces.active, []
    for index, (scale, zoom, offset) in enumerate(VIEWS):
        bpy.context.preferences.view.ui_scale = scale
        space.backdrop_zoom, space.backdrop_offset = zoom, offset
        yield 1.5
        yield from screenshot(f"c3_backdrop_{index}.png")
        call(bpy.ops.endless_loops.draw_on_backdrop, window, area)
        yield 0.5
        ends = [on_screen(area, size, mark) for mark in MARKS]
        between = [
            tuple(int(a + (b - a) * part / 10) for a, b in zip(*ends, strict=True)) for part in range(1, 10)
        ]
        yield from drag(window, [ends[0], *between, ends[1]])
        yield 0.3
        yield from screenshot(f"c4_drawn_{index}.png")
        if index == 0:
            yield from undo_and_redraw(window, still, ends, between)
        yield from key(window, "RET", *ends[1])
        stroke = addon("bridge.strokes").read_strokes(still)[-1]
        FOUND["views"].append(
            {
                "zoom": zoom,
                "scale": scale,
                "screen": ends,
                "stroke": [stroke[0].tolist(), stroke[-1].tolist()],
            }
        )
        still.endless_loops.clear_directions()
        yield 0.3
    bpy.context.preferences.view.ui_scale = 1.0
    space.backdrop_zoom, space.backdrop_offset = 0.8, (0, 0)
    FOUND["marks"], FOUND["window_height"] = MARKS, window.height


def undo_and_redraw(window, still, ends, between):
    """Ctrl-Z takes the last stroke away, a click without a motion makes none."""
    count = addon("bridge.strokes").read_strokes
    yield from key(window, "Z", *ends[1], ctrl=True)
    FOUND["after_undo"] = len(count(still))
    yield from drag(window, [ends[0]])
    FOUND["after_a_click"] = len(count(still))
    yield from drag(window, [ends[0], *between, ends[1]])
    FOUND["after_redrawing"] = len(count(still))


def on_screen(area, size, mark):
    """The pixel of the window where Blender lays out a place of the still on the backdrop."""
    space, canvas = area.spaces.active, region(area)
    x = canvas.x + canvas.width / 2 + space.backdrop_offset[0] + (mark[0] - size[0] / 2) * space.backdrop_zoom
    y = (
        canvas.y
        + canvas.height / 2
        + space.backdrop_offset[1]
        - (mark[1] - size[1] / 2) * space.backdrop_zoom
    )
    return int(x), int(y)


def paint_and_come_back(window, area, still):
    """One click into an Image Editor that paints the mask, one click back."""
    call(bpy.ops.endless_loops.paint_mask, window, area)
    for _ in range(10):  # the sidebar has to be drawn before its tab can be chosen
        yield 1.0
        tab = region(area, "UI").active_panel_category
        if tab == "Endless Loops":
            break
    space = area.spaces.active
    FOUND["painting_in"] = [area.ui_type, space.image.name, space.ui_mode, tab]
    yield from screenshot("c5_painting.png")
    call(bpy.ops.endless_loops.done, window, area)
    yield 1.0
    FOUND["back_in"] = [area.ui_type, area.spaces.active.edit_tree.nodes.active.image.name]
    mask = bpy.data.images.load(file("mask.png"))
    still.endless_loops.set_mask(pixels_of(mask)[..., 0])
    still.endless_loops.add_direction([(592, 647), (594, 115)])


def loop_of_nodes(window, area, tree, still):
    """Solve, To Compositor, a look into the group, and Solve again."""
    call(bpy.ops.endless_loops.solve, window, area)
    yield from wait_for_job()
    FOUND["playing"] = addon("preview.player").is_playing(still)
    yield 2.0
    yield from screenshot("c6_playing.png")
    addon("preview.player").stop()
    call(bpy.ops.endless_loops.to_compositor, window, area)
    yield from wait_for_job()
    FOUND["nodes"] = [node.bl_idname for node in tree.nodes]
    bpy.context.scene.frame_set(24)
    yield 3.0
    yield from screenshot("c7_loop.png")
    addon("preview.player").stop()
    texture = os.path.join(addon("pictures").maps_folder(still), "texture.png")
    first = os.stat(texture).st_mtime_ns
    call(bpy.ops.endless_loops.solve, window, area)
    yield from wait_for_job()
    yield from wait_for_job()
    FOUND["renewed"] = os.stat(texture).st_mtime_ns > first
    space = area.spaces.active
    space.path.append(tree.nodes.active.node_tree)
    space.show_region_ui = False
    yield 0.5
    call(bpy.ops.node.view_all, window, area)
    space.show_backdrop = False
    yield 1.5
    yield from screenshot("c8_group.png")


def remove_while_drawing(window, area, size):
    """After a direction was removed, Ctrl-Z brings it back and leaves the strokes that were just drawn."""

    def count():
        return len(addon("bridge.strokes").read_strokes(bpy.data.images["marked.png"]))

    call(bpy.ops.endless_loops.draw_on_backdrop, window, area)
    yield 0.5
    ends = [on_screen(area, size, mark) for mark in MARKS]
    yield from drag(window, ends)
    FOUND["removed"] = [count()]
    call(bpy.ops.endless_loops.remove_direction, window, area, index=0)
    FOUND["removed"].append(count())
    yield 0.3
    yield from key(window, "Z", *ends[1], ctrl=True)
    FOUND["removed"].append(count())


run(scenario)
