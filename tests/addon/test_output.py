"""Frames on disk: every format, with the still's own bytes, light and alpha."""

import bpy
import numpy as np
import pytest

from .conftest import bytes_of, inset, new_image, pixels_of, windows

OUTSIDE = ~inset()


def solve(image):
    image.endless_loops.set_mask(inset())
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    image.endless_loops.frame_count = 3
    bpy.ops.endless_loops.solve(image=image.name)
    return image


def ask_for(file_format, depth="8", mode="RGBA"):
    settings = bpy.context.scene.render.image_settings
    settings.file_format = file_format
    settings.color_mode = mode
    settings.color_depth = depth
    settings.quality = 100


def second_file(image, folder):
    bpy.ops.endless_loops.to_sequencer(image=image.name)
    return sorted((folder / "endless_loops" / "scene" / "wall").iterdir())[1]


def with_alpha(picture):
    ramp = np.linspace(1, 255, picture.shape[1]).astype(np.uint8)
    return np.dstack([picture, np.broadcast_to(ramp, picture.shape[:2])])


def linear(picture):
    """Scene-linear light, up to 4, of an 8-bit picture."""
    return (picture.astype(np.float32) / 255) ** 2.2 * 4


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("make", [windows, lambda: with_alpha(windows())], ids=["opaque", "alpha"])
def test_a_byte_still_keeps_its_bytes_outside_the_mask(saved, file_format, make):
    ask_for(file_format, mode="RGB")
    picture = make()
    written = bytes_of(second_file(solve(new_image(picture)), saved))
    np.testing.assert_array_equal(written[OUTSIDE][:, : picture.shape[2]], picture[OUTSIDE])


def test_an_agx_scene_and_a_non_color_still_change_no_byte(saved):
    bpy.context.scene.view_settings.view_transform = "AgX"
    ask_for("PNG")
    image = solve(new_image(windows(), is_data=True))
    written = bytes_of(second_file(image, saved))
    np.testing.assert_array_equal(written[OUTSIDE][:, :3], windows()[OUTSIDE])
    strip = bpy.context.scene.sequence_editor.strips[0]
    assert strip.colorspace_settings.name == "Non-Color"


@pytest.mark.parametrize(("depth", "error"), [("32", 0), ("16", 2e-3)])
def test_scene_linear_light_comes_out_scene_linear(saved, depth, error):
    ask_for("OPEN_EXR", depth)
    picture = linear(windows())
    path = second_file(solve(new_image(picture)), saved)
    written = pixels_of(path)
    assert path.suffix == ".exr"
    np.testing.assert_allclose(written[OUTSIDE][:, :3], picture[OUTSIDE], rtol=error, atol=0)
    assert written[~OUTSIDE][:, :3].max() > 1


def test_a_byte_still_becomes_light_in_an_exr(saved):
    ask_for("OPEN_EXR", "32")
    written = pixels_of(second_file(solve(new_image(windows())), saved))[OUTSIDE][:, :3]
    stored = windows()[OUTSIDE] / 255
    light = np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(written, light, atol=3e-5)


def test_a_sixteen_bit_still_keeps_its_depth(saved):
    ask_for("PNG", "16")
    picture = np.clip(linear(windows()) / 4, 0, 1)
    path = second_file(solve(new_image(picture)), saved)
    np.testing.assert_allclose(pixels_of(path)[OUTSIDE][:, :3], picture[OUTSIDE], atol=2e-4)


def test_jpeg_says_that_it_drops_alpha(saved, capfd):
    ask_for("JPEG", mode="RGB")
    path = second_file(solve(new_image(with_alpha(windows()))), saved)
    assert path.suffix == ".jpg"
    assert "JPEG has no alpha" in capfd.readouterr().out


def test_black_and_white_is_written_when_asked_for(saved):
    ask_for("PNG", mode="BW")
    image = bpy.data.images.load(str(second_file(solve(new_image(windows())), saved)))
    assert image.depth == 8  # one channel of eight bits


def test_a_scene_that_renders_movies_gets_png(saved, addon):
    for name, value in addon("bridge.versions").MOVIE_FORMAT:
        setattr(bpy.context.scene.render.image_settings, name, value)
    path = second_file(solve(new_image(windows())), saved)
    np.testing.assert_array_equal(bytes_of(path)[OUTSIDE][:, :3], windows()[OUTSIDE])


def test_no_scene_setting_is_touched_and_nothing_is_left_in_the_file(saved):
    image = solve(new_image(windows()))
    scene = bpy.context.scene
    scene.sequence_editor_create()

    def settings():
        render, view = scene.render, scene.view_settings
        groups = (scene, render, render.image_settings, render.ffmpeg, view)
        simple = {"INT", "FLOAT", "STRING", "BOOLEAN", "ENUM"}
        return [
            (type(g).__name__, p.identifier, repr(getattr(g, p.identifier)))
            for g in groups
            for p in g.bl_rna.properties
            if p.type in simple and not getattr(p, "is_array", False)
        ]

    blocks = (bpy.data.scenes, bpy.data.images, bpy.data.node_groups, bpy.data.masks)
    before, names = settings(), [[b.name for b in kind] for kind in blocks]
    bpy.ops.endless_loops.to_sequencer(image=image.name)
    bpy.ops.endless_loops.save_movie(image=image.name)
    assert settings() == before
    left = [[b.name for b in kind if b.name != "Render Result"] for kind in blocks]  # Blender keeps its own
    assert left == names


def test_packed_generated_and_unsaved_stills_work(saved):
    generated = bpy.data.images.new("checker", 128, 96)
    generated.generated_type = "UV_GRID"
    mask = np.zeros((96, 128), bool)
    mask[10:-10, 10:-10] = True
    generated.endless_loops.set_mask(mask)
    generated.endless_loops.add_direction([(20, 50), (110, 50)])
    assert bpy.ops.endless_loops.solve(image="checker") == {"FINISHED"}


@pytest.mark.parametrize("folder", ["with spaces", "Домашние петли", "無限ループ"])
def test_paths_with_spaces_and_other_letters(tmp_path, still, folder):
    (tmp_path / folder).mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / folder / "мой файл.blend"))
    still.name = "фасад 1.png"
    still.endless_loops.frame_count = 2
    bpy.ops.endless_loops.solve(image=still.name)
    bpy.ops.endless_loops.to_sequencer(image=still.name)
    bpy.ops.endless_loops.save_movie(image=still.name)
    made = tmp_path / folder / "endless_loops" / "мой файл"
    assert (made / "фасад 1" / "фасад 1_0001.png").is_file()
    assert (made / "фасад 1.mp4").stat().st_size > 1000
