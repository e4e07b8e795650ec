"""The loop in the compositor: what its nodes render is held against the engine's frames."""

import os
import shutil
import subprocess
import sys

import bpy
import numpy as np
import pytest

from .conftest import full_disk, inset, new_image, pixels_of, windows

EXACT = bpy.app.version >= (5, 0)  # 4.5's Map UV node filters by itself: there the default is a sequence
TOLERANCE = 2 / 255


def shows(scene, tree, socket):
    """Let the scene's picture be `socket`, at the full precision of a render without a display's color."""
    kinds = {"NodeGroupOutput", "CompositorNodeComposite"}
    output = next(node for node in tree.nodes if node.bl_idname in kinds)
    tree.links.new(socket, output.inputs[0])


def scene_tree(scene):
    return scene.compositing_node_group if EXACT else scene.node_tree


def new_tree(scene):
    """A compositor that holds an output and nothing else."""
    if EXACT:
        tree = bpy.data.node_groups.new("Compositor", "CompositorNodeTree")
        scene.compositing_node_group = tree
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        tree.nodes.new("NodeGroupOutput")
        return tree
    scene.use_nodes = True
    scene.node_tree.nodes.clear()
    scene.node_tree.nodes.new("CompositorNodeComposite")
    return scene.node_tree


def image_node(tree, still, feeds=True):
    """An Image node of the still, linked to the output."""
    node = tree.nodes.new("CompositorNodeImage")
    node.image = still
    if feeds:
        shows(bpy.context.scene, tree, node.outputs["Image"])
    tree.nodes.active = node
    return node


def render(folder, frame, size=None, file_format="OPEN_EXR"):
    """The scene's picture at a frame, (H, W, 4) float32 scene-linear (EXR) or as stored (PNG)."""
    scene = bpy.context.scene
    settings = scene.render.image_settings
    if EXACT:
        settings.media_type = "IMAGE"
    settings.file_format = file_format
    settings.color_mode = "RGBA"
    settings.color_depth = "32" if file_format == "OPEN_EXR" else "8"
    scene.view_settings.view_transform = "Standard"
    scene.render.dither_intensity = 0
    scene.render.film_transparent = True
    scene.render.compositor_device = "CPU"
    scene.render.compositor_precision = "FULL"
    if size is not None:
        scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.frame_set(frame)
    path = folder / f"rendered.{'exr' if file_format == 'OPEN_EXR' else 'png'}"
    path.unlink(missing_ok=True)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return pixels_of(path)


def solve(image, mask):
    image.endless_loops.set_mask(mask)
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    assert bpy.ops.endless_loops.solve(image=image.name) == {"FINISHED"}
    image.endless_loops.frame_count = 8
    return image


def from_disk(array, folder, name, file_format):
    """An image read from a file that holds `array`, (H, W, 4) float32 or uint8."""
    made = new_image(array, name)
    made.filepath_raw, made.file_format = str(folder / name), file_format
    made.save()
    bpy.data.images.remove(made)
    return bpy.data.images.load(str(folder / name))


def half_clear(picture):
    """The picture with alpha: a gradient across it."""
    alpha = np.linspace(0.3, 1.0, picture.shape[1], dtype=np.float32)[None, :, None]
    alpha = np.broadcast_to(alpha, (*picture.shape[:2], 1))
    if picture.dtype == np.uint8:
        alpha = np.rint(alpha * 255).astype(np.uint8)
    return np.concatenate([picture, alpha], axis=2)


def bright(picture):
    """A scene-linear picture whose highlights are above 1."""
    return ((picture.astype(np.float32) / 255) ** 2.2 * 4).astype(np.float32)


def with_alpha_mode(image, mode):
    image.alpha_mode = mode
    return image


STILLS = {
    "byte": lambda folder: new_image(windows()),
    "byte with alpha": lambda folder: from_disk(half_clear(windows()), folder, "clear.png", "PNG"),
    "byte with packed channels": lambda folder: with_alpha_mode(
        STILLS["byte with alpha"](folder), "CHANNEL_PACKED"
    ),
    "byte with ignored alpha": lambda folder: with_alpha_mode(STILLS["byte with alpha"](folder), "NONE"),
    "16-bit": lambda folder: from_disk(windows().astype(np.float32) / 255, folder, "deep.png", "PNG"),
    "float": lambda folder: from_disk(bright(windows()), folder, "bright.exr", "OPEN_EXR"),
    "float with alpha": lambda folder: from_disk(
        half_clear(bright(windows())), folder, "clear.exr", "OPEN_EXR"
    ),
}


def scene_linear(frame, is_packed=False):
    """The engine's frame as the compositor holds a picture: scene-linear, premultiplied."""
    if frame.dtype != np.uint8:
        picture = frame
    else:
        unit = frame.astype(np.float32) / 255
        picture = unit.copy()
        color = unit[..., :3]
        picture[..., :3] = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
        if frame.shape[2] == 4 and not is_packed:
            picture[..., :3] *= unit[..., 3:]
    opaque = np.ones((*frame.shape[:2], 1), np.float32)
    return picture if frame.shape[2] == 4 else np.concatenate([picture, opaque], axis=2)


def to_display(linear):
    """Scene-linear values as an sRGB display has them, in which 2/255 is what an eye can tell."""
    low, high = linear * 12.92, 1.055 * np.maximum(linear, 1e-8) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, low, high)


def worst(rendered, still, frame, where):
    """The largest difference from the engine's frame, as a display shows both; above 1 in proportion."""
    phase = (frame - 1) % still.endless_loops.frame_count / still.endless_loops.frame_count
    is_packed = still.alpha_mode == "CHANNEL_PACKED"
    engines = scene_linear(still.endless_loops.loop().frame(phase), is_packed)
    error = np.abs(to_display(rendered) - to_display(engines)) / np.maximum(engines, 1)
    return error[where].max()


def to_compositor(still, **arguments):
    assert bpy.ops.endless_loops.to_compositor(image=still.name, **arguments) == {"FINISHED"}


def player(tree):
    """The node that plays a loop."""
    found = [n for n in tree.nodes if n.bl_idname == "CompositorNodeGroup" or "Loop" in n.label]
    assert len(found) == 1
    return found[0]


def links(tree):
    """Every link of a tree, by names."""
    return {(k.from_node.name, k.from_socket.name, k.to_node.name, k.to_socket.name) for k in tree.links}


def pictures_folder(still, addon):
    """Where the files lie that play a loop by default."""
    pictures = addon("pictures")
    return pictures.maps_folder(still) if EXACT else pictures.frames_folder(still)


needs_exact = pytest.mark.skipif(not EXACT, reason="the exact node group needs the Map UV node of 5.x")
needs_sequence = pytest.mark.skipif(EXACT, reason="5.x plays the loop of nodes; 4.5 plays a sequence")


@pytest.mark.parametrize("kind", STILLS)
def test_every_frame_is_the_engines(saved, kind):
    mask = inset()
    still = solve(STILLS[kind](saved), mask)
    tree = new_tree(bpy.context.scene)
    image_node(tree, still)
    plain = render(saved, 1, tuple(still.size))
    to_compositor(still)
    assert (player(tree).bl_idname == "CompositorNodeGroup") == EXACT
    for frame in (1, 2, 4, 5, 8, 9, 12):
        rendered = render(saved, frame)
        assert worst(rendered, still, frame, mask) <= TOLERANCE, f"frame {frame}"
        np.testing.assert_array_equal(rendered[~mask], plain[~mask])
        if frame in (1, 9):
            np.testing.assert_array_equal(rendered, plain)
    if kind.startswith("float"):
        assert rendered[mask].max() > 1.5  # highlights come through


@pytest.mark.parametrize("size", [(240, 160), (239, 161), (160, 100), (400, 301)], ids=str)
@pytest.mark.parametrize("still_size", [(160, 240), (161, 241)], ids=str)
def test_a_render_of_any_size_shows_the_middle_of_the_still(saved, still_size, size):
    height, width = still_size
    mask = np.zeros(still_size, bool)
    mask[30:130, 100:190] = True
    still = solve(new_image(windows(height, width)), mask)
    tree = new_tree(bpy.context.scene)
    image_node(tree, still)
    plain = render(saved, 4, size)
    to_compositor(still)
    rendered = render(saved, 4, size)
    # Where the picture is cropped, Blender resamples it: neighbors leave a trace of a millionth.
    moved = np.any(np.abs(rendered - plain) > 1e-4, axis=2)
    assert moved.any()
    still_side, picture_side = np.array([height, width]), np.array(size[::-1])
    if not (
        (picture_side - still_side) % 2
    ).any():  # otherwise Blender itself resamples the still by half a pixel
        shift = (picture_side - still_side) // 2
        rows, columns = np.nonzero(moved)
        assert mask[rows - shift[0], columns - shift[1]].all()


def test_it_renders_without_the_extension(solved, saved):
    tree = new_tree(bpy.context.scene)
    image_node(tree, solved)
    to_compositor(solved)
    with_extension = render(saved, 3, tuple(solved.size))
    bpy.ops.wm.save_mainfile()
    elsewhere = saved / "a farm"
    elsewhere.mkdir()
    shutil.copy(saved / "scene.blend", elsewhere)
    shutil.copytree(saved / "endless_loops", elsewhere / "endless_loops")
    shutil.rmtree(saved / "endless_loops")
    code = (
        "import os, bpy\n"
        f"bpy.ops.wm.open_mainfile(filepath={str(elsewhere / 'scene.blend')!r})\n"
        "assert not hasattr(bpy.types.Image, 'endless_loops')\n"
        f"bpy.context.scene.render.filepath = {str(elsewhere / 'farm.exr')!r}\n"
        "bpy.context.scene.frame_set(3)\n"
        "bpy.ops.render.render(write_still=True)\n"
    )
    sandbox = {**os.environ, "BLENDER_USER_RESOURCES": str(elsewhere)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=sandbox, timeout=120
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(pixels_of(elsewhere / "farm.exr"), with_extension)


def test_solving_again_renews_it_in_place(solved, saved):
    tree = new_tree(bpy.context.scene)
    source = image_node(tree, solved)
    blur = tree.nodes.new("CompositorNodeBlur")
    tree.links.new(source.outputs["Image"], blur.inputs["Image"])
    plain = render(saved, 1, tuple(solved.size))
    to_compositor(solved)
    node = player(tree)
    node.location, linked = (123, 45), links(tree)
    if EXACT:
        node.inputs["Offset"].default_value = 2
    before = render(saved, 3)
    solved.endless_loops.set_mask(inset(border=36))
    assert bpy.ops.endless_loops.solve(image=solved.name) == {"FINISHED"}
    assert player(tree) == node and tuple(node.location) == (123, 45) and links(tree) == linked
    after = render(saved, 3)
    between = inset() & ~inset(border=36)
    assert np.any(after != before)
    np.testing.assert_array_equal(after[between], plain[between])
    if EXACT:
        assert node.inputs["Offset"].default_value == 2
        assert worst(after, solved, 5, inset(border=36)) <= TOLERANCE


@needs_exact
def test_the_groups_inputs(solved, saved):
    tree = new_tree(bpy.context.scene)
    image_node(tree, solved)
    plain = render(saved, 1, tuple(solved.size))
    to_compositor(solved)
    inputs = player(tree).inputs
    solved.endless_loops.frame_count = 12  # the group keeps its own 6
    loop, where = solved.endless_loops.loop(), inset()

    def shows_phase(frame, phase):
        error = np.abs(to_display(render(saved, frame)) - to_display(scene_linear(loop.frame(phase))))
        return error[where].max() <= TOLERANCE

    assert shows_phase(2, 1 / 6)
    inputs["Reverse"].default_value = True
    assert shows_phase(2, 5 / 6)
    inputs["Reverse"].default_value = False
    inputs["Speed"].default_value = 2
    assert shows_phase(2, 2 / 6)
    inputs["Offset"].default_value = 1.5
    assert shows_phase(2, 5 / 6)
    inputs["Frames per Turn"].default_value = 20
    assert shows_phase(2, 0.25)
    assert shows_phase(-30, (2 * -29.5) % 20 / 20)
    inputs["Mix"].default_value = 0
    np.testing.assert_array_equal(render(saved, 2), plain)


@needs_exact
def test_late_frames_are_as_exact_as_early_ones(solved, saved):
    tree = new_tree(bpy.context.scene)
    image_node(tree, solved)
    to_compositor(solved)
    early, late = render(saved, 3, tuple(solved.size)), render(saved, 3 + 6 * 40000)
    np.testing.assert_array_equal(late, early)


def test_several_loops_in_one_tree(solved, saved):
    other = solve(new_image(windows(step=32), "other.png"), inset())
    tree = new_tree(bpy.context.scene)
    for still in (solved, other):
        image_node(tree, still)
        to_compositor(still)
    made = [n for n in tree.nodes if "Loop" in n.label]
    assert {n.label for n in made} == {"wall Loop", "other Loop"}
    for node, still in zip(made, (solved, other), strict=True):
        shows(bpy.context.scene, tree, node.outputs["Image"])
        assert worst(render(saved, 4, tuple(still.size)), still, 4, inset()) <= TOLERANCE


@pytest.mark.parametrize("draft", [False, True])
def test_removing_it_leaves_the_tree_as_it_was(solved, draft):
    tree = new_tree(bpy.context.scene)
    source = image_node(tree, solved)
    blur, scale = tree.nodes.new("CompositorNodeBlur"), tree.nodes.new("CompositorNodeScale")
    tree.links.new(source.outputs["Image"], blur.inputs["Image"])
    tree.links.new(source.outputs["Alpha"], scale.inputs["Image"])
    nodes, linked, images = {n.name for n in tree.nodes}, links(tree), set(bpy.data.images)
    places = {n.name: tuple(n.location) for n in tree.nodes}
    to_compositor(solved, draft=draft)
    assert links(tree) != linked
    assert bpy.ops.endless_loops.remove_from_compositor(image=solved.name) == {"FINISHED"}
    assert ({n.name for n in tree.nodes}, links(tree), set(bpy.data.images)) == (nodes, linked, images)
    assert {n.name: tuple(n.location) for n in tree.nodes} == places
    assert not [g for g in bpy.data.node_groups if "Loop" in g.name]
    with pytest.raises(RuntimeError, match="is not in the compositor"):
        bpy.ops.endless_loops.remove_from_compositor(image=solved.name)


def test_a_scene_without_a_compositor_gets_one_and_loses_it_again(solved, saved):
    scene = bpy.context.scene
    to_compositor(solved)
    assert worst(render(saved, 4, tuple(solved.size)), solved, 4, inset()) <= TOLERANCE
    to_compositor(solved)
    assert player(scene_tree(scene))  # still one
    bpy.ops.endless_loops.remove_from_compositor(image=solved.name)
    assert scene.compositing_node_group is None if EXACT else not scene.use_nodes


@needs_sequence
def test_a_draft_of_nodes_resembles_the_loop_and_takes_the_sequences_place(solved, saved):
    tree = new_tree(bpy.context.scene)
    image_node(tree, solved)
    plain = render(saved, 1, tuple(solved.size))
    to_compositor(solved)
    assert player(tree).bl_idname == "CompositorNodeImage"
    to_compositor(solved, draft=True)
    assert player(tree).bl_idname == "CompositorNodeGroup"
    rendered, where = render(saved, 4), inset()
    engines = scene_linear(solved.endless_loops.loop().frame(0.5))
    far = np.abs(to_display(plain) - to_display(engines))[where].mean()
    assert np.abs(to_display(rendered) - to_display(engines))[where].mean() < far / 3
    np.testing.assert_array_equal(rendered[~where], plain[~where])


def test_missing_files_are_named_and_solve_makes_them_anew(solved, saved, addon):
    compositor = addon("bridge.compositor")
    tree = new_tree(bpy.context.scene)
    image_node(tree, solved)
    to_compositor(solved)
    first = render(saved, 4, tuple(solved.size))
    assert compositor.missing_files(solved) == []
    bpy.ops.wm.save_mainfile()
    elsewhere = saved / "moved"
    elsewhere.mkdir()
    shutil.move(saved / "scene.blend", elsewhere)
    bpy.ops.wm.open_mainfile(filepath=str(elsewhere / "scene.blend"))
    still = bpy.data.images["wall.png"]
    assert all(str(elsewhere) in path for path in compositor.missing_files(still))
    assert compositor.missing_files(still)
    with pytest.raises(RuntimeError, match="press Solve to make it again"):
        bpy.ops.endless_loops.to_compositor(image=still.name)
    assert bpy.ops.endless_loops.solve(image=still.name) == {"FINISHED"}
    assert compositor.missing_files(still) == []
    np.testing.assert_array_equal(render(saved, 4), first)


def test_an_unsaved_file_is_told_so(still, capfd):
    bpy.ops.endless_loops.solve(image=still.name)
    to_compositor(still)
    assert "not saved yet, so they are temporary: save it" in capfd.readouterr().out


def test_why_a_node_has_no_still(addon, saved):
    refusal = addon("bridge.compositor").refusal
    tree = new_tree(bpy.context.scene)
    assert "Select the Image node" in refusal(None)
    assert "rendered anew each time" in refusal(tree.nodes.new("CompositorNodeRLayers"))
    assert "A movie clip isn't a still" in refusal(tree.nodes.new("CompositorNodeMovieClip"))
    assert "has no image: open a still in it" in refusal(tree.nodes.new("CompositorNodeImage"))
    assert "Select the Image node" in refusal(tree.nodes.new("CompositorNodeBlur"))
    movie = tree.nodes.new("CompositorNodeImage")
    movie.image = new_image(windows())
    movie.image.source = "MOVIE"
    assert refusal(movie) == ""  # it has an image, which is what is refused
    with pytest.raises(RuntimeError, match="can't be read"):
        bpy.ops.endless_loops.to_compositor(image=movie.image.name)


def test_an_unsolved_still_is_refused(still):
    with pytest.raises(RuntimeError, match="no loop yet: press Solve first"):
        bpy.ops.endless_loops.to_compositor(image=still.name)


def test_a_folder_that_holds_other_files_is_left_alone(solved, addon):
    folder = pictures_folder(solved, addon)
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(RuntimeError, match="holds other files"):
        bpy.ops.endless_loops.to_compositor(image=solved.name)
    assert (folder / "mine.txt").read_text() == "mine"
    assert bpy.context.scene.compositing_node_group is None if EXACT else not bpy.context.scene.use_nodes


@pytest.fixture
def theirs(solved, saved):
    """A scene with a compositor that belongs to another file."""
    (saved / "library").mkdir()
    library, main = str(saved / "library" / "library.blend"), str(saved / "scene.blend")
    bpy.ops.wm.save_mainfile()
    bpy.context.scene.name = "Theirs"
    new_tree(bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=library, copy=True)
    bpy.ops.wm.open_mainfile(filepath=main)
    with bpy.data.libraries.load(library, link=True) as (_there, here):
        here.scenes = ["Theirs"]
    return here.scenes[0]


def test_another_files_compositor_is_refused_before_anything_is_rendered(theirs, addon, monkeypatch):
    rendered = []
    monkeypatch.setattr(addon("jobs").Job, "start", lambda job: rendered.append(job))
    with (
        bpy.context.temp_override(scene=theirs),
        pytest.raises(RuntimeError, match="belongs to another file: make it local first"),
    ):
        bpy.ops.endless_loops.to_compositor(image="wall.png")
    assert not rendered and not pictures_folder(bpy.data.images["wall.png"], addon).exists()


@needs_exact
def test_another_files_group_in_a_scene_is_refused(theirs, addon):
    bpy.context.scene.compositing_node_group = theirs.compositing_node_group
    with pytest.raises(RuntimeError, match="belongs to another file: make it local first"):
        bpy.ops.endless_loops.to_compositor(image="wall.png")
    assert not pictures_folder(bpy.data.images["wall.png"], addon).exists()


def test_what_a_compositor_refuses_that_is_shown_meanwhile_is_removed_later(theirs, addon, monkeypatch):
    result = addon("jobs").Job.result

    def show_theirs(job):
        bpy.context.window.scene = theirs
        return result(job)

    monkeypatch.setattr(addon("jobs").Job, "result", show_theirs)
    with pytest.raises(RuntimeError, match="belongs to another file: make it local first"):
        bpy.ops.endless_loops.to_compositor(image="wall.png")
    assert addon("pictures")._new == [pictures_folder(bpy.data.images["wall.png"], addon)]


@needs_exact
def test_a_full_disk_leaves_no_half_made_maps(solved, saved):
    with full_disk(), pytest.raises(RuntimeError, match="can't be written to .*free some space"):
        bpy.ops.endless_loops.to_compositor(image=solved.name)
    left = [f.name for f in (saved / "endless_loops" / "solved_scene").iterdir()]
    assert left == [solved.endless_loops.loop_file]
    assert bpy.context.scene.compositing_node_group is None


@pytest.mark.parametrize("shape", [(37, 53, 4), (16, 21, 3), (33, 7, 1), (1, 1, 4)])
def test_exr_files_hold_every_float(tmp_path, addon, shape):
    pixels = (np.random.default_rng(5).random(shape, np.float32) - 0.5) * 4000
    pixels[shape[0] // 2 :] = np.round(pixels[shape[0] // 2 :] / 1000)  # what compresses well
    addon("engine.exr").write_exr(tmp_path / "floats.exr", pixels)
    image = bpy.data.images.load(str(tmp_path / "floats.exr"))
    image.colorspace_settings.name, image.alpha_mode = "Non-Color", "CHANNEL_PACKED"
    flat = np.empty(shape[0] * shape[1] * 4, np.float32)
    image.pixels.foreach_get(flat)
    read = flat.reshape(*shape[:2], 4)[::-1]
    np.testing.assert_array_equal(read[..., : shape[2]], pixels)
