"""The whole job, from a still to a strip, a movie and a saved file."""

import os
from pathlib import Path

import bpy
import numpy as np
import pytest

from .conftest import bytes_of, inset, new_image, windows


def test_a_still_becomes_a_sequence_that_a_strip_repeats(solved, saved):
    assert bpy.ops.endless_loops.to_sequencer(image=solved.name) == {"FINISHED"}
    strip = bpy.context.scene.sequence_editor.strips[0]
    files = sorted((saved / "endless_loops" / "scene" / "wall").iterdir())
    assert [f.name for f in files] == [f"wall_{i:04d}.png" for i in range(1, 7)]
    assert [e.filename for e in strip.elements] == [f.name for f in files] * 3
    assert strip.directory.startswith("//")

    outside = ~inset()
    np.testing.assert_array_equal(bytes_of(files[0])[..., :3], windows())
    middle = bytes_of(files[3])[..., :3]
    np.testing.assert_array_equal(middle[outside], windows()[outside])
    assert np.abs(middle[~outside].astype(int) - windows()[~outside]).mean() > 3


def test_things_move_along_the_direction(solved):
    loop = solved.endless_loops.loop()
    assert np.median(loop.forward[loop.mask][:, 1]) < -10  # the stroke goes up, and y points down


def test_reverse_and_speed_choose_the_frames_without_solving(solved, saved):
    loop = solved.endless_loops.loop()
    solved.endless_loops.reverse = True
    solved.endless_loops.turns = 2
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    files = sorted((saved / "endless_loops" / "scene" / "wall").iterdir())
    np.testing.assert_array_equal(bytes_of(files[1])[..., :3], loop.frame(4 / 6))


def test_save_movie_writes_every_repetition(solved, saved):
    assert bpy.ops.endless_loops.save_movie(image=solved.name) == {"FINISHED"}
    path = saved / "endless_loops" / "scene" / "wall.mp4"
    movie = bpy.data.movieclips.load(str(path))
    assert movie.frame_duration == 18
    assert tuple(movie.size) == (240, 160)
    assert list(path.parent.glob(".*")) == []
    assert [s.name for s in bpy.data.scenes] == ["Scene"]


def test_a_movie_goes_into_the_folder_that_was_chosen(solved, saved):
    solved.endless_loops.movie_path = "//renders/"
    assert bpy.ops.endless_loops.save_movie(image=solved.name) == {"FINISHED"}
    assert (saved / "renders" / "wall.mp4").is_file()


@pytest.mark.parametrize("name", ["wall #1", "wall {blend_name} 100%d"])
def test_a_movie_may_have_any_name(tmp_path, still, name):
    folder = tmp_path / "shot #3 {x}"
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
    still.name = f"{name}.png"
    still.endless_loops.frame_count = 3
    for operator in (bpy.ops.endless_loops.solve, bpy.ops.endless_loops.save_movie):
        assert operator(image=still.name) == {"FINISHED"}
    made = folder / "endless_loops" / "scene"
    assert [file.name for file in made.iterdir()] == [f"{name}.mp4"]
    assert bpy.data.movieclips.load(str(made / f"{name}.mp4")).frame_duration == 3 * 4


def test_save_movie_leaves_the_extensions_their_wheels(solved):
    wheels = Path(os.environ["BLENDER_USER_RESOURCES"], "extensions", ".local")
    before = set(wheels.rglob("*.dist-info"))
    assert bpy.ops.endless_loops.save_movie(image=solved.name) == {"FINISHED"}
    assert before and set(wheels.rglob("*.dist-info")) == before


def test_a_movie_of_a_still_with_odd_sizes(saved, addon):
    from .conftest import new_image

    image = new_image(windows(161, 241))
    image.endless_loops.set_mask(np.pad(inset(), ((0, 1), (0, 1))))
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    bpy.ops.endless_loops.solve(image=image.name)
    image.endless_loops.frame_count = 2
    bpy.ops.endless_loops.save_movie(image=image.name)
    assert tuple(bpy.data.movieclips.load(str(saved / "endless_loops" / "scene" / "wall.mp4")).size) == (
        240,
        160,
    )


def test_a_saved_file_keeps_mask_directions_settings_and_loop(solved):
    before = solved.endless_loops.loop().frame(0.3)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    settings = bpy.data.images["wall.png"].endless_loops
    assert (settings.frame_count, settings.repeat, len(settings.directions)) == (6, 3, 1)
    np.testing.assert_array_equal(settings.loop().frame(0.3), before)
    assert not settings.is_out_of_date()


@pytest.mark.parametrize("was_saved", [True, False])
def test_saving_elsewhere_takes_the_loop_along(still, tmp_path, was_saved):
    if was_saved:
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "first.blend"))
    bpy.ops.endless_loops.solve(image=still.name)
    (tmp_path / "elsewhere").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "elsewhere" / "second.blend"))
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert bpy.data.images["wall.png"].endless_loops.loop().frame(0).shape == (160, 240, 3)


def test_a_painted_mask_survives_saving_without_being_saved_by_hand(still, tmp_path):
    mask = still.endless_loops.mask_image
    pixels = np.zeros(160 * 240 * 4, np.float32)
    pixels[: 240 * 4 * 40] = 1  # the lowest 40 rows, as a brush would leave them: dirty
    mask.pixels.foreach_set(pixels)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "painted.blend"))
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    mask = bpy.data.images["wall.png"].endless_loops.mask_image
    after = np.empty(160 * 240 * 4, np.float32)
    mask.pixels.foreach_get(after)
    np.testing.assert_array_equal(after.reshape(160, 240, 4)[:, :, 0], pixels.reshape(160, 240, 4)[:, :, 0])


def test_two_stills_of_one_name_keep_loops_of_their_own(saved, still, addon):
    from .conftest import new_image

    other = new_image(windows(step=32), name="wall.jpg")
    other.endless_loops.set_mask(inset())
    other.endless_loops.add_direction([(30, 80), (200, 80)])
    for image in (still, other):
        bpy.ops.endless_loops.solve(image=image.name)
        image.endless_loops.frame_count = 2
        bpy.ops.endless_loops.to_sequencer(image=image.name)
    assert len(list((saved / "endless_loops" / "solved_scene").glob("*.loop"))) == 2
    for name, picture in (("wall", windows()), ("wall-1", windows(step=32))):
        frame = bytes_of(saved / "endless_loops" / "scene" / name / f"{name}_0001.png")[..., :3]
        np.testing.assert_array_equal(frame, picture)


def _more_mask(still):
    still.endless_loops.set_mask(inset(border=30))


def _another_direction(still):
    still.endless_loops.add_direction([(30, 80), (200, 80)])


def _another_still(still):
    pixels = np.empty(160 * 240 * 4, np.float32)
    still.pixels.foreach_get(pixels)
    still.pixels.foreach_set(1 - pixels)


@pytest.mark.parametrize("change", [_more_mask, _another_direction, _another_still])
def test_a_changed_source_puts_the_loop_out_of_date(solved, change, capfd):
    assert not solved.endless_loops.is_out_of_date()
    change(solved)
    assert solved.endless_loops.is_out_of_date()
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    assert "have changed since: Solve again" in capfd.readouterr().out
    bpy.ops.endless_loops.solve(image=solved.name)
    assert not solved.endless_loops.is_out_of_date()


def test_an_unsaved_file_gets_a_temporary_sequence_and_is_told_so(still, capfd):
    still.endless_loops.frame_count = 2
    bpy.ops.endless_loops.solve(image=still.name)
    bpy.ops.endless_loops.to_sequencer(image=still.name)
    assert "not saved yet, so they are temporary" in capfd.readouterr().out
    assert len(bpy.context.scene.sequence_editor.strips[0].elements) == 2 * 4


def test_a_still_that_hardly_repeats_is_told_from_one_that_does(saved, still, capfd):
    noise = np.random.default_rng(0).integers(0, 256, (160, 240, 3)).astype(np.uint8)
    image = new_image(noise, "noise.png")
    image.endless_loops.set_mask(inset())
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    bpy.ops.endless_loops.solve(image=image.name)
    assert "hardly repeats along the directions" in capfd.readouterr().out
    bpy.ops.endless_loops.solve(image=still.name)
    assert "hardly" not in capfd.readouterr().out
