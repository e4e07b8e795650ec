"""The whole job, from a still to a strip, a movie and a saved file."""

import bpy
import numpy as np

from .conftest import inset, pixels_of, windows


def test_the_whole_job(solved, saved):
    solved.endless_loops.reverse = False
    assert bpy.ops.endless_loops.to_sequencer(image=solved.name) == {"FINISHED"}
    strip = bpy.context.scene.sequence_editor.strips[0]
    files = sorted((saved / "endless_loops" / "wall").iterdir())
    assert [f.name for f in files] == [f"wall_{i:04d}.png" for i in range(1, 7)]
    assert [e.filename for e in strip.elements] == [f.name for f in files] * 3
    assert strip.directory.startswith("//")

    outside = ~inset()
    first = pixels_of(files[0])[..., :3]
    np.testing.assert_array_equal(first, windows())
    middle = pixels_of(files[3])[..., :3]
    np.testing.assert_array_equal(middle[outside], windows()[outside])
    assert np.abs(middle[~outside].astype(int) - windows()[~outside]).mean() > 3


def test_a_saved_file_keeps_mask_directions_settings_and_loop(solved, saved):
    before = solved.endless_loops.loop().frame(0.3)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    still = bpy.data.images["wall.png"]
    settings = still.endless_loops
    assert (settings.frame_count, settings.repeat, len(settings.directions)) == (6, 3, 1)
    np.testing.assert_array_equal(settings.loop().frame(0.3), before)
    assert not settings.is_out_of_date()
