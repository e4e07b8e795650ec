"""Whatever can't work is refused in a sentence that says what to do, and leaves everything as it was."""

import bpy
import numpy as np
import pytest

from .conftest import full_disk, inset, new_image, windows
from .test_strokes import draw


def refused(match, operator=bpy.ops.endless_loops.solve, **arguments):
    """Run an operator that must refuse, as a script does."""
    with pytest.raises(RuntimeError, match=match):
        operator(**arguments)


def picture_file(folder, name="picture.png"):
    image = new_image(windows())
    image.filepath_raw, image.file_format = str(folder / name), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return str(folder / name)


def test_nothing_open():
    refused("Open a still image first")
    refused("There is no image named nowhere.png", image="nowhere.png")


def test_a_script_in_the_text_editor_names_its_still():
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    image = new_image(windows())
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    screen = bpy.data.screens["Scripting"]
    area = next(area for area in screen.areas if area.type == "TEXT_EDITOR")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], screen=screen, area=area):
        assert bpy.ops.endless_loops.clear_directions(image=image.name) == {"FINISHED"}
        refused("Open a still image first", bpy.ops.endless_loops.clear_directions)
    assert not image.endless_loops.directions


def test_udim(tmp_path):
    picture_file(tmp_path, "tile.1001.png")
    image = bpy.data.images.load(str(tmp_path / "tile.1001.png"))
    image.source = "TILED"
    refused("UDIM image has many tiles", image=image.name)


def test_layers_and_render_results(tmp_path, addon):
    scene = bpy.context.scene
    addon("bridge.versions").set_still_format(scene.render.image_settings, "OPEN_EXR")
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER"
    scene.render.filepath = str(tmp_path / "layers.exr")
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(tmp_path / "layers.exr"))
    refused("multilayer EXR has no single picture", image=image.name)
    refused("changes by itself: save it as an image", image="Render Result")


def test_an_image_of_another_file(tmp_path):
    new_image(windows())
    bpy.data.images["wall.png"].use_fake_user = True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_source, ours):
        ours.images = ["wall.png"]
    refused("belongs to another file: make it local first", image="wall.png")


def test_directions_of_another_file(tmp_path, addon):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    draw(addon, new_image(windows()), [(120, 140), (120, 20)])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_source, ours):
        ours.images = ["wall.png"]
    remove = bpy.ops.endless_loops.remove_direction
    refused("This image belongs to another file: make it local first", remove, image="wall.png", index=0)
    image = bpy.data.images["wall.png"].make_local()
    assert image.endless_loops.annotation.library is not None
    refused("annotation wall.png Directions belongs to another file", remove, image="wall.png", index=0)


@pytest.mark.parametrize("index", [-1, 1])
def test_a_direction_that_is_not_there(still, index):
    remove = bpy.ops.endless_loops.remove_direction
    refused(
        f"There is no stroke {index + 1} on this still: choose one", remove, image=still.name, index=index
    )
    assert len(still.endless_loops.directions) == len(still.endless_loops.direction_settings) == 1


def test_a_missing_image_file(tmp_path):
    path = picture_file(tmp_path)
    image = bpy.data.images.load(path)
    image.endless_loops.add_direction([(10, 10), (50, 50)])
    image.endless_loops.mask_source = "ALPHA"
    image.filepath = str(tmp_path / "gone.png")
    refused(r"can't be read: .*gone\.png.*find it", image=image.name)


def test_no_mask_yet():
    image = new_image(windows())
    refused("There is no mask yet: press Paint Mask", image=image.name)
    image.endless_loops.mask_source = "MASK"
    refused("Choose a mask datablock, or paint the mask", image=image.name)


def test_no_direction_yet():
    image = new_image(windows())
    image.endless_loops.set_mask(inset())
    refused("There is no direction yet: press Draw Directions", image=image.name)


def test_an_empty_mask(still):
    still.endless_loops.set_mask(np.zeros((160, 240), bool))
    refused("mask", image=still.name)
    assert not still.endless_loops.loop_file


def test_a_mask_of_another_size(still):
    still.endless_loops.mask_image = bpy.data.images.new("small", 100, 50)
    refused("The mask is 100 × 50 pixels and the still 240 × 160", image=still.name)


def test_no_loop_yet(still):
    for operator in (bpy.ops.endless_loops.to_sequencer, bpy.ops.endless_loops.save_movie):
        refused("There is no loop yet: press Solve first", operator, image=still.name)


def test_a_lost_loop_file(solved, saved, addon):
    for file in (saved / "endless_loops" / "solved_scene").iterdir():
        file.unlink()
    addon("loops")._forget()
    refused(
        "The solved loop can't be read .* press Solve", bpy.ops.endless_loops.to_sequencer, image="wall.png"
    )


def test_a_folder_that_holds_other_files_is_left_alone(solved, saved):
    folder = saved / "endless_loops" / "scene" / "wall"
    folder.mkdir(parents=True)
    (folder / "holiday.png").write_text("precious")
    refused("holds other files", bpy.ops.endless_loops.to_sequencer, image=solved.name)
    assert [f.name for f in folder.iterdir()] == ["holiday.png"]


def test_a_folder_that_cannot_be_written(solved, saved):
    (saved / "file").write_text("not a folder")
    solved.endless_loops.output_folder = "//file/"
    refused("Can't write .*wall", bpy.ops.endless_loops.to_sequencer, image=solved.name)
    refused("can't be made .* choose another folder", bpy.ops.endless_loops.save_movie, image=solved.name)
    assert not bpy.context.scene.sequence_editor.strips


def test_a_copied_still_leaves_the_first_one_its_files(solved, saved):
    copy = solved.copy()
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    refused(
        "Another image has the same loop: press Solve", bpy.ops.endless_loops.to_sequencer, image=copy.name
    )
    assert bpy.ops.endless_loops.solve(image=solved.name) == {"FINISHED"}
    assert bpy.ops.endless_loops.solve(image=copy.name) == {"FINISHED"}
    for image in (solved, copy):
        assert bpy.ops.endless_loops.to_sequencer(image=image.name) == {"FINISHED"}
    folders = {strip.directory for strip in bpy.context.scene.sequence_editor.strips}
    assert folders == {"//endless_loops/scene/wall/", "//endless_loops/scene/wall.001/"}


def test_a_scene_of_another_file(saved):
    bpy.ops.wm.save_as_mainfile(filepath=str(saved / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(saved / "library.blend"), link=True) as (source, ours):
        ours.scenes = source.scenes
    linked = bpy.context.window.scene = next(scene for scene in bpy.data.scenes if scene.library)
    if bpy.app.version >= (5, 0):
        bpy.context.workspace.sequencer_scene = linked
    image = new_image(windows())
    image.endless_loops.set_mask(inset())
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    bpy.ops.endless_loops.solve(image=image.name)
    groups = len(bpy.data.node_groups)
    refused("Scene belongs to another file", bpy.ops.endless_loops.to_sequencer, image=image.name)
    refused("compositor belongs to another file", bpy.ops.endless_loops.to_compositor, image=image.name)
    assert len(bpy.data.node_groups) == groups


def test_a_folder_that_holds_the_still(solved, saved):
    folder = saved / "endless_loops" / "scene" / "wall"
    folder.mkdir(parents=True)
    solved.filepath_raw, solved.file_format = str(folder / "wall_0001.png"), "PNG"
    solved.save()
    before = (folder / "wall_0001.png").read_bytes()
    refused("would be overwritten", bpy.ops.endless_loops.to_sequencer, image=solved.name)
    assert (folder / "wall_0001.png").read_bytes() == before


def test_a_full_disk_leaves_the_previous_sequence_intact(solved, saved):
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    folder = saved / "endless_loops" / "scene" / "wall"
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    with full_disk():
        refused("can't be written", bpy.ops.endless_loops.to_sequencer, image=solved.name)
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == before
    assert [p.name for p in folder.parent.glob(".*")] == []


def test_a_full_disk_leaves_the_previous_loop_and_movie_intact(solved, saved):
    bpy.ops.endless_loops.save_movie(image=solved.name)
    movie = (saved / "endless_loops" / "scene" / "wall.mp4").read_bytes()
    loop = solved.endless_loops.loop().frame(0.4)
    with full_disk():
        refused("wall", image=solved.name)
        refused("written", bpy.ops.endless_loops.save_movie, image=solved.name)
    assert (saved / "endless_loops" / "scene" / "wall.mp4").read_bytes() == movie
    np.testing.assert_array_equal(solved.endless_loops.loop().frame(0.4), loop)
    assert [p.name for p in (saved / "endless_loops").rglob(".*")] == []


def test_a_still_deleted_while_the_job_ran(addon):
    with pytest.raises(addon("errors").Refused, match="deleted while its loop was being made"):
        addon("operators.common").by_uid(-1)
