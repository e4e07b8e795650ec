"""What undo, saving and closing a .blend bring back, take along and leave behind."""

from unittest.mock import MagicMock

import bpy
import numpy as np
import pytest

from .conftest import inset, new_image, windows
from .test_compositor import pictures_folder
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


def loop_files(folder):
    return {file.name for file in (folder / "endless_loops").rglob("*.loop")}


def test_saving_keeps_the_latest_loops_that_nothing_uses(solved, saved):
    names = [solved.endless_loops.loop_file]
    for border in (25, 26, 27, 28):
        solved.endless_loops.set_mask(inset(border=border))
        assert bpy.ops.endless_loops.solve(image=solved.name) == {"FINISHED"}
        names.append(solved.endless_loops.loop_file)
    bpy.ops.wm.save_mainfile()
    assert loop_files(saved) == set(names[-3:])


def test_undo_after_saving_brings_the_loop_before_back(saved, still):
    assert bpy.ops.endless_loops.solve(image=still.name) == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Solve")
    _solve_another_direction(still)
    bpy.ops.wm.save_mainfile()
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    settings = bpy.data.images["wall.png"].endless_loops
    assert not settings.is_out_of_date() and settings.loop() is not None


def test_saving_writes_a_loop_again_that_another_blender_removed(solved, saved):
    (name,) = loop_files(saved)
    file = saved / "endless_loops" / "solved_scene" / name
    before = file.read_bytes()
    file.unlink()
    bpy.ops.wm.save_mainfile()
    assert file.read_bytes() == before


def test_saving_a_backup_removes_nothing(solved, saved):
    (name,) = loop_files(saved)
    solved.endless_loops.loop_file = ""
    backup = saved / "scene.blend1"
    bpy.ops.wm.save_as_mainfile(filepath=str(backup), check_existing=False)
    assert name in loop_files(saved)


def test_a_loop_that_cannot_be_carried_over_stops_no_other(solved, saved):
    other = solve(new_image(windows(), "zebra.png"))
    place = saved / "elsewhere" / "endless_loops" / "solved_copy"
    (place / solved.endless_loops.loop_file).mkdir(parents=True)  # in the way
    bpy.ops.wm.save_as_mainfile(filepath=str(saved / "elsewhere" / "copy.blend"))
    assert (place / other.endless_loops.loop_file).is_file()
    (place / solved.endless_loops.loop_file).rmdir()
    bpy.ops.wm.save_mainfile()
    assert (place / solved.endless_loops.loop_file).is_file()


def panel_text(addon, still):
    """What the panel says of a loop."""
    layout = MagicMock()
    layout.column.return_value = layout
    addon("panels.sections").draw_loop(layout, still)
    return " ".join(call.kwargs["text"] for call in layout.label.call_args_list)


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("is_in_memory", [False, True])
def test_the_panel_tells_that_a_loop_was_left_behind_until_it_is_saved(
    solved, saved, addon, is_in_memory, copy
):
    frame, name = solved.endless_loops.loop().frame(0.3), solved.endless_loops.loop_file
    if not is_in_memory:
        addon("loops")._forget()
    place = saved / "elsewhere" / "endless_loops"
    place.parent.mkdir()
    place.write_text("in the way")
    blend = str(saved / "elsewhere" / "shot.blend")
    bpy.ops.wm.save_as_mainfile(filepath=blend, copy=copy)
    assert "couldn't be saved beside shot.blend" in panel_text(addon, solved)
    assert not solved.endless_loops.is_out_of_date()
    np.testing.assert_array_equal(solved.endless_loops.loop().frame(0.3), frame)
    place.unlink()
    if not is_in_memory:
        addon("loops")._loops.clear()
    bpy.ops.wm.save_as_mainfile(filepath=blend, copy=copy)
    assert "couldn't" not in panel_text(addon, solved)
    assert (place / "solved_shot" / name).is_file()


def test_the_panel_tells_of_the_loop_that_is_shown(solved, saved, addon):
    (saved / "elsewhere").mkdir()
    (saved / "elsewhere" / "endless_loops").write_text("in the way")
    bpy.ops.wm.save_as_mainfile(filepath=str(saved / "elsewhere" / "shot.blend"))
    (saved / "elsewhere" / "endless_loops").unlink()
    _solve_another_direction(solved)
    assert "couldn't" not in panel_text(addon, solved)


def test_a_save_that_fails_changes_nothing(solved, saved):
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    before = solved.endless_loops.sequences_folder
    with pytest.raises(RuntimeError):
        bpy.ops.wm.save_as_mainfile(filepath=str(saved / "missing" / "folder" / "copy.blend"))
    assert solved.endless_loops.sequences_folder == before


def test_stills_of_one_name_but_for_the_ending_have_files_of_their_own(solved, saved):
    copy = solved.copy()
    copy.name = "wall.jpg"
    with pytest.raises(RuntimeError, match="press Solve"):
        bpy.ops.endless_loops.to_sequencer(image=copy.name)
    assert bpy.ops.endless_loops.solve(image=copy.name) == {"FINISHED"}
    names = [image.endless_loops.loop_file.split(".")[0] for image in (solved, copy)]
    assert names == ["wall", "wall-1"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("wall.loop", "wall"),  # as the first version called it
        ("my.door.loop", "my.door"),
        ("wall.001.loop", "wall.001"),
        ("my.door.0123456789.loop", "my.door"),
    ],
)
def test_the_name_of_a_still_s_files_is_read_from_that_of_its_loop(still, addon, file, name):
    still.endless_loops.loop_file = file
    assert addon("loops").name_of(still) == name


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
    assert {file: file.read_bytes() for file in pictures} == pictures


@pytest.mark.parametrize("is_alone", [True, False])
def test_old_pictures_go_with_the_next_saving(solved, saved, addon, is_alone):
    folders = []
    for border in (24, 25, 26, 27):
        solved.endless_loops.set_mask(inset(border=border))
        assert bpy.ops.endless_loops.solve(image=solved.name) == {"FINISHED"}
        bpy.ops.endless_loops.to_compositor(image=solved.name)
        folders.append(pictures_folder(solved, addon))
        if not folders[1:]:
            bpy.ops.wm.save_mainfile()
    if not is_alone:
        (saved / "copy.blend").write_bytes((saved / "scene.blend").read_bytes())
    bpy.ops.wm.save_mainfile()
    assert folders[0].exists() != is_alone  # the copy plays it
    assert all(folder.exists() for folder in folders[1:])  # Ctrl-Z brings their nodes back


def test_pictures_stay_that_a_copy_elsewhere_plays(solved, saved, addon):
    bpy.ops.endless_loops.to_compositor(image=solved.name)
    folder = pictures_folder(solved, addon)
    copy = saved / "shots" / "copy.blend"
    copy.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True)
    bpy.ops.wm.save_mainfile()
    for border in (25, 26, 27):
        solved.endless_loops.set_mask(inset(border=border))
        assert bpy.ops.endless_loops.solve(image=solved.name) == {"FINISHED"}
        bpy.ops.wm.save_mainfile()
    assert folder.exists()
    copy.unlink()
    bpy.ops.wm.save_mainfile()
    assert not folder.exists()


@pytest.mark.parametrize("is_in_memory", [False, True])
def test_a_copy_saved_meanwhile_loses_no_loop_that_waits_for_its_place(solved, saved, addon, is_in_memory):
    name = solved.endless_loops.loop_file
    if not is_in_memory:
        addon("loops")._forget()
    place = saved / "elsewhere" / "endless_loops"
    place.parent.mkdir()
    place.write_text("in the way")
    blend = str(saved / "elsewhere" / "shot.blend")
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    assert addon("loops").reason_unsaved(solved)
    (saved / "third").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(saved / "third" / "copy.blend"), copy=True)
    assert addon("loops").reason_unsaved(solved) and not solved.endless_loops.is_out_of_date()
    assert (saved / "third" / "endless_loops" / "solved_copy" / name).is_file()
    place.unlink()
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    assert (place / "solved_shot" / name).is_file() and not addon("loops").reason_unsaved(solved)
    assert solved.endless_loops.loop() is not None
