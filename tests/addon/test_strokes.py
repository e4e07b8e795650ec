"""Directions: annotation strokes and added ones, in pixels of the still."""

import bpy
import numpy as np

from .conftest import new_image, windows


def draw(addon, image, *strokes):
    """Draw annotation strokes, lists of (x, y) pixels of the still, as Blender's own tool leaves them."""
    annotation = addon("bridge.strokes").annotation_of(image)
    versions = addon("bridge.versions")
    screen = bpy.data.screens["Rendering"]
    area = next(a for a in screen.areas if a.type == "IMAGE_EDITOR")
    region = next(r for r in area.regions if r.type == "WINDOW")
    versions.set_space_annotation(area.spaces.active, annotation)
    window = bpy.context.window_manager.windows[0]
    width, height = image.size
    for points in strokes:
        places = [
            {
                "name": "",
                "location": (0, 0, 0),
                "mouse": (100 + 20 * i, 100),
                "mouse_event": (0, 0),
                "pressure": 1,
                "size": 3,
                "x_tilt": 0,
                "y_tilt": 0,
                "time": i * 0.1,
                "is_start": i == 0,
            }
            for i in range(len(points))
        ]
        with bpy.context.temp_override(window=window, screen=screen, area=area, region=region):
            bpy.ops.gpencil.annotate("EXEC_DEFAULT", mode="DRAW", stroke=places)
        made = annotation.layers[annotation.layers.active_note].active_frame.strokes[-1]
        for point, (x, y) in zip(made.points, points, strict=True):
            point.co = (x / width, 1 - y / height, 0)


def test_drawn_strokes_are_pixels_of_the_still_in_drawing_order(addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    image = new_image(windows())
    points = [(10, 150), (60, 100), (120, 20)]
    draw(addon, image, points)
    (stroke,) = addon("bridge.strokes").read_strokes(image)
    np.testing.assert_allclose(stroke, points, atol=0.01)


def test_every_frame_of_the_layer_counts_and_other_layers_do_not(addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    image = new_image(windows())
    draw(addon, image, [(10, 10), (20, 20)])
    bpy.context.scene.frame_set(10)
    draw(addon, image, [(30, 30), (40, 40)])
    notes = image.endless_loops.annotation.layers.new("Notes", set_active=True)
    notes.frames.new(1)
    read = addon("bridge.strokes").read_strokes(image)
    assert sorted(int(s[0, 0]) for s in read) == [10, 30]


def test_directions_survive_saving(addon, tmp_path):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    image = new_image(windows())
    draw(addon, image, [(10, 150), (120, 20)])
    image.endless_loops.add_direction([(5, 6), (70, 80), (90, 100)])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "strokes.blend"))
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    drawn, added = addon("bridge.strokes").read_strokes(bpy.data.images["wall.png"])
    np.testing.assert_allclose(drawn, [(10, 150), (120, 20)], atol=0.01)
    np.testing.assert_allclose(added, [(5, 6), (70, 80), (90, 100)], atol=1e-3)


def test_own_notes_come_back_when_drawing_is_done(addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    versions = addon("bridge.versions")
    screen = bpy.data.screens["Rendering"]
    area = next(a for a in screen.areas if a.type == "IMAGE_EDITOR")
    space, region = area.spaces.active, next(r for r in area.regions if r.type == "WINDOW")
    notes = versions.annotations().new("My Notes")
    notes.layers.new("Note", set_active=True)
    versions.set_space_annotation(space, notes)
    space.image = new_image(windows())
    with bpy.context.temp_override(
        window=bpy.context.window_manager.windows[0], screen=screen, area=area, region=region
    ):
        bpy.ops.endless_loops.draw_directions()
        assert notes.users and versions.space_annotation(space) == space.image.endless_loops.annotation
        bpy.ops.endless_loops.done()
        assert versions.space_annotation(space) == notes
        bpy.ops.endless_loops.done()
        assert versions.space_annotation(space) == notes


def test_a_dot_has_no_direction(addon):
    image = new_image(windows())
    image.endless_loops.add_direction([(50, 50), (50, 50)])
    assert addon("bridge.strokes").read_strokes(image) == []


def test_clear_directions_removes_all(addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    image = new_image(windows())
    draw(addon, image, [(10, 150), (120, 20)])
    image.endless_loops.add_direction([(5, 6), (70, 80)])
    bpy.ops.endless_loops.clear_directions(image=image.name)
    assert addon("bridge.strokes").read_strokes(image) == []
