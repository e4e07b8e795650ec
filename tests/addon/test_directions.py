"""Speeds and soft edges: what a direction carries, what the loop makes of it, and what is remembered."""

import bpy
import numpy as np
import pytest

from .conftest import bytes_of, inset, new_image, windows
from .test_strokes import draw

UP, DOWN = [(60, 140), (60, 20)], [(180, 20), (180, 140)]
RIGHT, LEFT = [(100, 100), (200, 100)], [(200, 50), (100, 50)]


def test_a_direction_keeps_its_settings_while_others_come_and_go(addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    strokes = addon("bridge.strokes")
    image = new_image(windows())
    settings = image.endless_loops
    draw(addon, image, UP)
    bpy.context.scene.frame_set(10)
    draw(addon, image, RIGHT)
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


def kept(addon, image):
    """Where each direction begins, with its speed and its soft edge."""
    strokes = addon("bridge.strokes")
    begins = [tuple(np.rint(points[0]).astype(int).tolist()) for points in strokes.read_strokes(image)]
    return list(zip(begins, strokes.read_turns(image), strokes.read_soft_edges(image), strict=True))


@pytest.fixture
def drawn_and_added(addon):
    """Directions of two frames and of a script, with a dot among them and a note on the second one's line."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    image = new_image(windows())
    draw(addon, image, RIGHT)
    image.endless_loops.annotation.layers[0].info = "My Notes"
    draw(addon, image, UP, [(30, 30), (30, 30)], RIGHT)
    bpy.context.scene.frame_set(10)
    draw(addon, image, LEFT)
    image.endless_loops.add_direction(DOWN)
    image.endless_loops.add_direction(DOWN[::-1])
    addon("bridge.strokes").sync_settings(image)
    for number, entry in enumerate(image.endless_loops.direction_settings):
        entry.turns, entry.use_soft_edge, entry.soft_edge = number + 2, True, 10 * number
    bpy.ops.ed.undo_push(message="Directions")
    return image


@pytest.mark.parametrize("index", range(5))
def test_removing_a_direction_leaves_the_others_and_undo_brings_it_back(drawn_and_added, addon, index):
    before = kept(addon, drawn_and_added)
    assert before == [
        ((60, 140), 2, 0),
        ((100, 100), 3, 10),
        ((200, 50), 4, 20),
        ((180, 20), 5, 30),
        ((180, 140), 6, 40),
    ]
    left = before[:index] + before[index + 1 :]
    call = bpy.ops.endless_loops.remove_direction
    assert call("EXEC_DEFAULT", True, image=drawn_and_added.name, index=index) == {"FINISHED"}
    assert kept(addon, drawn_and_added) == left
    assert [e.turns for e in drawn_and_added.endless_loops.direction_settings] == [
        turns for _, turns, _ in left
    ]
    (note,) = drawn_and_added.endless_loops.annotation.layers["My Notes"].frames[0].strokes
    np.testing.assert_allclose([p.co[0] * 240 for p in note.points], [100, 200], atol=0.01)
    bpy.ops.ed.undo()
    assert kept(addon, bpy.data.images["wall.png"]) == before
    bpy.ops.ed.redo()
    assert kept(addon, bpy.data.images["wall.png"]) == left


def test_all_directions_can_be_removed_one_by_one(drawn_and_added, addon):
    for count in range(5, 0, -1):
        assert len(kept(addon, drawn_and_added)) == count
        bpy.ops.endless_loops.remove_direction(image=drawn_and_added.name, index=0)
    assert kept(addon, drawn_and_added) == []
    draw(addon, drawn_and_added, UP)
    assert kept(addon, drawn_and_added) == [((60, 140), 1, 0)]


@pytest.mark.parametrize(("chosen", "removed", "then"), [(3, 1, 2), (1, 3, 1), (4, 4, 3)])
def test_the_list_keeps_the_stroke_that_is_chosen_in_it(drawn_and_added, chosen, removed, then):
    drawn_and_added.endless_loops.active_direction = chosen
    bpy.ops.endless_loops.remove_direction(image=drawn_and_added.name, index=removed)
    assert drawn_and_added.endless_loops.active_direction == then


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


def test_the_panel_tells_that_a_loop_is_out_of_date_without_a_direction(two_speeds, addon):
    freshness = addon("freshness")

    def told():
        freshness.is_out_of_date(two_speeds)  # the panel asks, and a timer reads
        freshness._read_wanted()
        return freshness.is_out_of_date(two_speeds)

    assert not told()
    bpy.ops.endless_loops.remove_direction(image=two_speeds.name, index=1)
    assert told()
    two_speeds.endless_loops.add_direction([(180, 140), (180, 20)], turns=2)
    freshness.note_change()
    assert not told()


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
