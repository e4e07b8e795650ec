"""What undo, saving and closing a .blend bring back, take along and leave behind."""

import bpy
import numpy as np
import pytest

from .conftest import inset, new_image, windows
from .test_output import solve


def _solve_another_direction(still):
    still.endless_loops.clear_directions()
    still.endless_loops.add_direction([(30, 80), (200, 80)])
    bpy.ops.ed.undo_push(message="Another Direction")
    assert bpy.ops.endless_loops.solve(image=still.name) == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Solve")


def test_undo_brings_the_loop_before_back(saved, still):
    assert bpy.ops.endless_loops.solve(image=still.name) == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Solve")
    before = still.endless_loops.loop().frame(0.3)
    _solve_another_direction(still)
    after = still.endless_loops.loop().frame(0.3)
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    still = bpy.data.images["wall.png"]
    assert not still.endless_loops.is_out_of_date()
    np.testing.assert_array_equal(still.endless_loops.loop().frame(0.3), before)
    bpy.ops.ed.redo()
    assert bpy.data.images["wall.png"].endless_loops.is_out_of_date()
    bpy.ops.ed.redo()
    np.testing.assert_array_equal(bpy.data.images["wall.png"].endless_loops.loop().frame(0.3), after)


def test_closing_without_saving_brings_the_saved_loop_back(solved, saved):
    before = solved.endless_loops.loop().frame(0.3)
    bpy.ops.wm.save_mainfile()
    _solve_another_direction(solved)
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    settings = bpy.data.images["wall.png"].endless_loops
    assert not settings.is_out_of_date()
    np.testing.assert_array_equal(settings.loop().frame(0.3), before)


def test_saving_leaves_one_file_a_loop(solved, saved):
    _solve_another_direction(solved)
    loops = saved / "endless_loops" / "solved_scene"
    assert len(list(loops.iterdir())) == 2
    bpy.ops.wm.save_mainfile()
    assert [file.name for file in loops.iterdir()] == [solved.endless_loops.loop_file]


def test_a_lost_loop_is_out_of_date(solved, saved, addon):
    for file in (saved / "endless_loops" / "solved_scene").iterdir():
        file.unlink()
    addon("loops")._forget()
    assert solved.endless_loops.is_out_of_date()


def test_a_saved_copy_has_the_loop(solved, saved):
    frame = solved.endless_loops.loop().frame(0.3)
    copy = saved / "elsewhere" / "copy.blend"
    copy.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(copy))
    np.testing.assert_array_equal(bpy.data.images["wall.png"].endless_loops.loop().frame(0.3), frame)


def test_names_that_differ_in_case_alone_have_files_of_their_own(solved, saved):
    other = solve(new_image(windows(), "Wall.png"))
    names = [image.endless_loops.loop_file.split(".")[0].lower() for image in (solved, other)]
    assert sorted(names) == ["wall", "wall-1"]


def test_nodes_keep_the_pictures_that_the_saved_file_plays(solved, saved, addon):
    missing, folder = addon("bridge.compositor").missing_files, saved / "endless_loops" / "solved_scene"
    bpy.ops.endless_loops.to_compositor(image=solved.name)
    bpy.ops.wm.save_mainfile()
    pictures = {file: file.read_bytes() for file in folder.rglob("*.*") if file.is_file()}
    for border in (25, 26, 27, 28, 29):
        solved.endless_loops.set_mask(inset(border=border))
        assert bpy.ops.endless_loops.solve(image=solved.name) == {"FINISHED"}
        assert missing(solved) == []
    assert {file: file.read_bytes() for file in pictures} == pictures
    assert len([place for place in folder.iterdir() if place.is_dir()]) == 1 + 1 + 2
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    still = bpy.data.images["wall.png"]
    assert missing(still) == [] and not still.endless_loops.is_out_of_date()
    bpy.ops.wm.save_mainfile()
    assert {file: file.read_bytes() for file in folder.rglob("*.*") if file.is_file()} == pictures


@pytest.mark.parametrize("is_alone", [True, False])
def test_pictures_go_with_the_next_saving_once_they_are_removed(solved, saved, addon, is_alone):
    pictures = addon("pictures")
    folder = pictures.maps_folder(solved) if bpy.app.version >= (5, 0) else pictures.frames_folder(solved)
    bpy.ops.endless_loops.to_compositor(image=solved.name)
    bpy.ops.wm.save_mainfile()
    assert list(folder.iterdir())
    bpy.ops.endless_loops.remove_from_compositor(image=solved.name)
    assert list(folder.iterdir())  # Ctrl-Z brings the nodes back
    if not is_alone:
        (saved / "copy.blend").write_bytes((saved / "scene.blend").read_bytes())
    bpy.ops.wm.save_mainfile()
    assert folder.exists() != is_alone
