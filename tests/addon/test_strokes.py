"""Directions: annotation strokes and added ones, in pixels of the still."""

import bpy
import numpy as np
import pytest

from .conftest import new_image, windows


def draw(addon, image, *strokes):
    """Draw annotation strokes, lists of (x, y) pixels of the still, as Blender's own tool leaves them."""
    screen = bpy.data.screens["Rendering"]
    area = next(a for a in screen.areas if a.type == "IMAGE_EDITOR")
    region = next(r for r in area.regions if r.type == "WINDOW")
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window, screen=screen, area=area, region=region):
        annotation = addon("bridge.strokes").annotation_of(image)
    addon("bridge.versions").set_space_annotation(area.spaces.active, annotation)
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


def bring(path, link):
    """The still of a .blend, appended or linked into a new one."""
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    with bpy.data.libraries.load(str(path), link=link) as (_there, here):
        here.images = ["wall.png"]
    return here.images[0]


UP, DOWN, RIGHT = [(60, 140), (60, 20)], [(180, 20), (180, 140)], [(100, 101), (200, 101)]


@pytest.mark.parametrize("link", [False, True], ids=["appended", "linked"])
def test_drawn_directions_come_along_into_another_file(addon, tmp_path, link):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    image = new_image(windows())
    draw(addon, image, UP, RIGHT)
    image.endless_loops.add_direction(DOWN)
    image.endless_loops.direction_settings[1].turns = 3
    image = bring(tmp_path / "library.blend", link)
    strokes = addon("bridge.strokes")
    np.testing.assert_allclose(strokes.read_strokes(image), [UP, RIGHT, DOWN], atol=0.01)
    assert strokes.read_turns(image) == [1, 3, 1]
    assert isinstance(image.endless_loops.annotation, addon("bridge.versions").AnnotationType)
    if not link:
        draw(addon, image, RIGHT[::-1])
        np.testing.assert_allclose(strokes.read_strokes(image), [UP, RIGHT, RIGHT[::-1], DOWN], atol=0.01)


@pytest.fixture
def unmarked(addon):
    """A still whose annotation, with a note in it, isn't known as one: 4.5 makes a Grease Pencil of it."""
    if addon("bridge.versions").HAS_OWN_ANNOTATIONS:
        pytest.skip("all annotations of 5.x are known as such")
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    image = new_image(windows())
    image.endless_loops.annotation = bpy.data.grease_pencils.new("Directions")
    draw(addon, image, DOWN)
    image.endless_loops.annotation.layers[0].info = "My Notes"
    draw(addon, image, UP, [(30, 30), (30, 30)])
    bpy.context.scene.frame_set(10)
    draw(addon, image, RIGHT)
    image.endless_loops.add_direction(DOWN)
    for number, entry in enumerate(image.endless_loops.direction_settings):
        entry.turns = number + 2


@pytest.mark.parametrize("link", [False, True], ids=["appended", "linked"])
def test_directions_are_read_from_a_grease_pencil(addon, tmp_path, unmarked, link):
    strokes, image = addon("bridge.strokes"), bring(tmp_path / "library.blend", link)
    assert image.endless_loops.annotation.id_type == "GREASEPENCIL_V3"
    np.testing.assert_allclose(strokes.read_strokes(image), [UP, RIGHT, DOWN], atol=0.01)
    assert strokes.read_turns(image) == [2, 3, 4]


def test_directions_are_removed_from_a_grease_pencil_and_notes_stay(addon, tmp_path, unmarked):
    strokes, image = addon("bridge.strokes"), bring(tmp_path / "library.blend", link=False)
    bpy.ops.endless_loops.remove_direction(image=image.name, index=0)
    np.testing.assert_allclose(strokes.read_strokes(image), [RIGHT, DOWN], atol=0.01)
    bpy.ops.endless_loops.clear_directions(image=image.name)
    assert strokes.read_strokes(image) == []
    assert len(image.endless_loops.annotation.layers["My Notes"].frames[0].drawing.strokes) == 1


def test_drawing_goes_on_after_the_directions_of_a_grease_pencil(addon, tmp_path, unmarked):
    strokes, image = addon("bridge.strokes"), bring(tmp_path / "library.blend", link=False)
    draw(addon, image, UP[::-1])
    np.testing.assert_allclose(strokes.read_strokes(image), [UP[::-1], UP, RIGHT, DOWN], atol=0.01)
    assert strokes.read_turns(image) == [1, 2, 3, 4]


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


def test_drawing_follows_the_still_that_the_editor_shows(addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    space_annotation = addon("bridge.versions").space_annotation
    (window,) = bpy.context.window_manager.windows
    area = window.screen.areas[0]
    area.type = "IMAGE_EDITOR"
    space, stills = area.spaces.active, [new_image(windows(), name) for name in ("wall.png", "door.png")]
    space.image = stills[0]
    with bpy.context.temp_override(window=window, area=area):
        bpy.ops.endless_loops.draw_directions()
    assert space_annotation(space) == stills[0].endless_loops.annotation
    space.image = stills[1]
    addon("operators.draw_directions")._attach()  # what a timer does
    assert space_annotation(space) == stills[1].endless_loops.annotation
    assert space_annotation(space) != stills[0].endless_loops.annotation


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
