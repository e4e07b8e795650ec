"""Speeds and soft edges: what a direction carries, what the loop makes of it, and what is remembered."""

import bpy
import numpy as np
import pytest

from .conftest import bytes_of, inset, new_image, windows
from .test_strokes import draw

UP, DOWN = [(60, 140), (60, 20)], [(180, 20), (180, 140)]


def test_a_direction_keeps_its_settings_while_others_come_and_go(addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    strokes = addon("bridge.strokes")
    image = new_image(windows())
    settings = image.endless_loops
    draw(addon, image, UP)
    bpy.context.scene.frame_set(10)
    draw(addon, image, [(100, 100), (200, 100)])
    settings.add_direction(DOWN, turns=3)
    settings.direction_settings[1].turns = 0
    settings.direction_settings[1].use_soft_edge = True
    settings.direction_settings[1].soft_edge = 7
    settings.soft_edge = 20
    assert strokes.read_turns(image) == [1, 0, 3]
    assert strokes.read_soft_edges(image) == [20, 7, 20]
    frames = settings.annotation.layers[0].frames
    frames.remove(frames[0])
    assert strokes.read_turns(image) == [0, 3]
    strokes.sync_settings(image)
    assert [entry.turns for entry in settings.direction_settings] == [0, 3]
    settings.clear_directions()
    assert not settings.direction_settings


@pytest.fixture
def two_speeds(saved):
    image = new_image(windows())
    image.endless_loops.set_mask(inset())
    image.endless_loops.add_direction(UP)
    image.endless_loops.add_direction([(180, 140), (180, 20)], turns=2)
    assert bpy.ops.endless_loops.solve(image=image.name) == {"FINISHED"}
    image.endless_loops.frame_count = 8
    return image


def test_each_direction_has_its_speed(two_speeds):
    loop = two_speeds.endless_loops.loop()
    assert loop.speeds.turns == (1, 2)
    half = loop.frame(0.5)[..., :3].astype(int)
    moved = np.abs(half - windows())
    assert moved[40:120, 40:80].mean() > 10 * moved[40:120, 160:200].mean()
    assert not two_speeds.endless_loops.is_out_of_date()
    two_speeds.endless_loops.direction_settings[1].turns = 3
    assert two_speeds.endless_loops.is_out_of_date()


def test_a_direction_of_speed_0_holds_what_is_around_it(saved):
    image = new_image(windows())
    image.endless_loops.set_mask(inset())
    image.endless_loops.add_direction(UP)
    image.endless_loops.add_direction([(180, 60), (180, 100)], turns=0)
    bpy.ops.endless_loops.solve(image=image.name)
    loop = image.endless_loops.loop()
    np.testing.assert_array_equal(loop.frame(0.5)[:, 160:, :3], windows()[:, 160:])
    assert (loop.frame(0.5)[40:120, 40:80, :3] != windows()[40:120, 40:80]).any()


def test_the_soft_edge_changes_the_loop_without_solving(solved, saved):
    hard = solved.endless_loops.loop()
    solved.endless_loops.soft_edge = 25
    soft = solved.endless_loops.loop()
    assert soft.soft_edge == (25,) and soft is solved.endless_loops.loop()
    assert not solved.endless_loops.is_out_of_date()
    rim = inset(border=24) & ~inset(border=27)
    change = [np.abs(loop.frame(0.5).astype(int) - loop.still)[rim].mean() for loop in (hard, soft)]
    assert change[1] < 0.4 * change[0]
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    strip = bpy.context.scene.sequence_editor.strips[0]
    folder = bpy.path.abspath(strip.directory)
    written = bytes_of(f"{folder}/{strip.elements[3].filename}")
    np.testing.assert_array_equal(written[..., :3], soft.frame(0.5)[..., :3])


def test_speeds_and_edges_are_saved_with_the_file(two_speeds, saved):
    two_speeds.endless_loops.soft_edge = 12
    two_speeds.endless_loops.direction_settings[0].use_soft_edge = True
    two_speeds.endless_loops.direction_settings[0].soft_edge = 9
    frame = two_speeds.endless_loops.loop().frame(0.3)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    image = bpy.data.images["wall.png"]
    settings = image.endless_loops
    assert [entry.turns for entry in settings.direction_settings] == [1, 2]
    assert settings.loop().soft_edge == (9,)
    np.testing.assert_array_equal(settings.loop().frame(0.3), frame)
    assert not settings.is_out_of_date()


def test_a_direction_that_does_nothing_is_named(saved, capfd):
    image = new_image(windows())
    mask = inset()
    mask[:, 120:] = False
    image.endless_loops.set_mask(mask)
    image.endless_loops.add_direction(UP)
    image.endless_loops.add_direction([(180, 140), (180, 20)])
    assert bpy.ops.endless_loops.solve(image=image.name) == {"FINISHED"}
    assert "Stroke 2 lies outside" in capfd.readouterr().out
    assert image.endless_loops.warnings == "\n".join(image.endless_loops.loop().warnings)
    bpy.ops.endless_loops.clear_directions(image=image.name)
    image.endless_loops.add_direction(UP)
    bpy.ops.endless_loops.solve(image=image.name)
    assert image.endless_loops.warnings == ""


@pytest.mark.parametrize("line", [[], [(1, 2, 3), (4, 5, 6)], [(1, 2), (3, np.nan)], "line", None])
def test_what_are_no_points_are_refused_and_change_nothing(addon, line):
    settings = new_image(windows()).endless_loops
    with pytest.raises(addon("errors").Refused, match="x, y points"):
        settings.add_direction(line, turns=0)
    assert not settings.directions and not settings.direction_settings


@pytest.mark.parametrize("dot", [[(100, 100), (100, 100)], [(1, 2)]])
def test_a_dot_leaves_the_other_directions_their_settings(addon, dot):
    image = new_image(windows())
    settings = image.endless_loops
    settings.add_direction(dot, turns=0)
    settings.add_direction(UP, turns=2)
    settings.add_direction(dot, turns=0)
    assert addon("bridge.strokes").read_turns(image) == [2] and len(settings.directions) == 1
