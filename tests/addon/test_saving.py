"""What saving a .blend takes along and leaves behind."""

import bpy
import pytest


@pytest.mark.parametrize("is_alone", [True, False])
def test_pictures_go_with_the_next_saving_once_they_are_removed(solved, saved, addon, is_alone):
    loops = addon("loops")
    folder = loops.maps_folder(solved) if bpy.app.version >= (5, 0) else loops.frames_folder(solved)
    bpy.ops.endless_loops.to_compositor(image=solved.name)
    bpy.ops.wm.save_mainfile()
    assert list(folder.iterdir())
    bpy.ops.endless_loops.remove_from_compositor(image=solved.name)
    assert list(folder.iterdir())  # Ctrl-Z brings the nodes back
    if not is_alone:
        (saved / "copy.blend").write_bytes((saved / "scene.blend").read_bytes())
    bpy.ops.wm.save_mainfile()
    assert folder.exists() != is_alone
