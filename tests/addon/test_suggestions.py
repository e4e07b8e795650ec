"""Suggestions: each press of a button shows the next one, and what the artist made stays."""

import bpy
import numpy as np
import pytest

from .conftest import inset, new_image, windows


def press(operator, still, **arguments):
    assert operator(image=still.name, **arguments) == {"FINISHED"}


def directions(still, addon):
    return addon("bridge.strokes").read_strokes(still)


def test_suggested_directions_take_turns_and_begin_again(still, addon):
    still.endless_loops.clear_directions()
    shown = []
    for _ in range(4):
        press(bpy.ops.endless_loops.suggest_directions, still)
        (line,) = directions(still, addon)
        shown.append(line)
    count = next(index for index in range(1, 4) if np.allclose(shown[index], shown[0], atol=0.01))
    assert count >= 2  # a wall of windows repeats sideways and upwards
    along = np.abs([(line[1] - line[0]) / np.hypot(*(line[1] - line[0])) for line in shown[:count]])
    for wanted in ([1, 0], [0, 1]):
        assert np.abs(along - wanted).max(1).min() < 0.15


def test_drawn_directions_stay(still, addon):
    (own,) = directions(still, addon)
    for _ in range(2):
        press(bpy.ops.endless_loops.suggest_directions, still)
        lines = directions(still, addon)
        assert len(lines) == 2 and any(np.allclose(line, own) for line in lines)


def test_a_suggested_direction_is_solved(saved, still, addon):
    still.endless_loops.clear_directions()
    press(bpy.ops.endless_loops.suggest_directions, still)
    press(bpy.ops.endless_loops.solve, still)
    assert still.endless_loops.confidence > 0.3


def test_another_mask_gets_other_suggestions(still, addon):
    still.endless_loops.clear_directions()
    press(bpy.ops.endless_loops.suggest_directions, still)
    mask = np.zeros((160, 240), bool)
    mask[20:140, 150:230] = True
    still.endless_loops.set_mask(mask)
    press(bpy.ops.endless_loops.suggest_directions, still)
    (line,) = directions(still, addon)
    assert (line[:, 0] >= 149).all() and (line[:, 0] <= 231).all()


def test_clearing_removes_a_suggestion_and_the_next_is_still_drawn(still, addon):
    press(bpy.ops.endless_loops.suggest_directions, still)
    bpy.ops.endless_loops.clear_directions(image=still.name)
    assert directions(still, addon) == []
    press(bpy.ops.endless_loops.suggest_directions, still)
    assert len(directions(still, addon)) == 1


def test_suggested_masks_take_turns(addon):
    sky = np.full((160, 240, 3), 200, np.uint8)
    sky[40:150, 60:230] = windows()[40:150, 60:230]
    still = new_image(sky)
    seen = []
    for _ in range(6):
        press(bpy.ops.endless_loops.suggest_masks, still)
        seen.append(addon("bridge.masks").read_mask(still))
    count = next(index for index in range(1, 6) if np.array_equal(seen[index], seen[0]))
    assert 2 <= count <= 5
    wall = np.zeros((160, 240), bool)
    wall[40:150, 60:230] = True
    assert max((mask & wall).sum() / (mask | wall).sum() for mask in seen) > 0.8


def test_a_suggested_mask_leaves_the_painted_one_alone(still, addon):
    painted = still.endless_loops.mask_image
    before = addon("bridge.masks").read_mask(still)
    press(bpy.ops.endless_loops.suggest_masks, still)
    assert still.endless_loops.mask_image != painted
    still.endless_loops.mask_image = painted
    np.testing.assert_array_equal(addon("bridge.masks").read_mask(still), before)


def test_a_scribble_grows_while_its_image_is_painted_on(addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    sky = np.full((160, 240, 3), 200, np.uint8)
    sky[40:150, 60:230] = windows()[40:150, 60:230]
    still = new_image(sky)
    scribble = np.zeros((160, 240), bool)
    scribble[60:130, 100:104] = scribble[90:94, 80:210] = True
    still.endless_loops.set_mask(scribble)
    areas = [area for screen in bpy.data.screens for area in screen.areas]
    space = next(area for area in areas if area.type == "IMAGE_EDITOR").spaces.active
    space.image = still.endless_loops.mask_image
    bpy.ops.ed.undo_push(message="Scribble")
    press(bpy.ops.endless_loops.grow_to_object, still)
    grown = addon("bridge.masks").read_mask(still)
    assert grown.sum() > 5 * scribble.sum() and grown[scribble].mean() > 0.9
    assert space.image == still.endless_loops.mask_image
    bpy.ops.ed.undo_push(message="Grow to Object")
    for step, mask in ((bpy.ops.ed.undo, scribble), (bpy.ops.ed.redo, grown)):
        step()
        still = bpy.data.images["wall.png"]
        assert space.image == still.endless_loops.mask_image
        np.testing.assert_array_equal(addon("bridge.masks").read_mask(still), mask)


def test_a_mask_that_was_replaced_is_painted_on_as_any_image(addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    still = new_image(windows())
    still.endless_loops.set_mask(inset())
    before, shown_in = still.endless_loops.mask_image, addon("operators.common").still_shown_in
    areas = [area for screen in bpy.data.screens for area in screen.areas]
    space = next(area for area in areas if area.type == "IMAGE_EDITOR").spaces.active
    space.image = before
    assert shown_in(space) == still
    still.endless_loops.mask_image = bpy.data.images.new("another", 240, 160)
    assert shown_in(space) == before


def _paint_in_an_editor():
    """Paint a mask on a new still with undo at work; returns the editor's space."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    still, screen = new_image(windows()), bpy.data.screens["Rendering"]
    area = next(area for area in screen.areas if area.type == "IMAGE_EDITOR")
    space, window = area.spaces.active, bpy.context.window_manager.windows[0]
    space.image = still
    bpy.ops.ed.undo_push(message="Open")
    with bpy.context.temp_override(window=window, screen=screen, area=area):
        bpy.ops.endless_loops.paint_mask()
    bpy.ops.ed.undo_push(message="Paint Mask")
    return space


def test_undo_of_a_new_mask_shows_the_still_and_not_the_brush_on_it():
    space = _paint_in_an_editor()
    assert (space.image.name, space.ui_mode) == ("wall.png Mask", "PAINT")
    bpy.ops.ed.undo()
    assert (space.image.name, space.ui_mode) == ("wall.png", "VIEW")


def test_undo_of_something_else_leaves_an_emptied_editor_empty():
    space = _paint_in_an_editor()
    bpy.context.scene.name = "Renamed"
    bpy.ops.ed.undo_push(message="Rename")
    space.image = None
    for step in (bpy.ops.ed.undo, bpy.ops.ed.redo):
        step()
        assert space.image is None


def test_suggestions_refuse_what_has_nothing_to_suggest(still):
    flat = new_image(np.full((160, 240, 3), 90, np.uint8), name="flat.png")
    with pytest.raises(RuntimeError, match="paint the mask"):
        bpy.ops.endless_loops.suggest_masks(image=flat.name)
    with pytest.raises(RuntimeError, match="There is no mask yet"):
        bpy.ops.endless_loops.suggest_directions(image=flat.name)
    flat.endless_loops.set_mask(inset())
    with pytest.raises(RuntimeError, match="Nothing in the mask"):
        bpy.ops.endless_loops.suggest_directions(image=flat.name)
    still.endless_loops.set_mask(~inset() & inset())
    with pytest.raises(RuntimeError, match="mask is empty"):
        bpy.ops.endless_loops.grow_to_object(image=still.name)


def test_a_suggestion_that_was_saved_is_not_drawn_twice(saved, still, addon):
    still.endless_loops.clear_directions()
    press(bpy.ops.endless_loops.suggest_directions, still)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    still = bpy.data.images["wall.png"]
    press(bpy.ops.endless_loops.suggest_directions, still)
    assert len(directions(still, addon)) == 1
