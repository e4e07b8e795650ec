"""The loop in the compositor: what its nodes render is held against the engine's frames."""

import bpy
import numpy as np
import pytest

from .conftest import inset, new_image, pixels_of, windows

EXACT = bpy.app.version >= (5, 0)  # 4.5's Displace node filters by itself: there the default is a sequence
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


STILLS = {
    "byte": lambda folder: new_image(windows()),
    "byte with alpha": lambda folder: from_disk(half_clear(windows()), folder, "clear.png", "PNG"),
    "16-bit": lambda folder: from_disk(windows().astype(np.float32) / 255, folder, "deep.png", "PNG"),
    "float": lambda folder: from_disk(bright(windows()), folder, "bright.exr", "OPEN_EXR"),
    "float with alpha": lambda folder: from_disk(
        half_clear(bright(windows())), folder, "clear.exr", "OPEN_EXR"
    ),
}


def scene_linear(frame):
    """The engine's frame as the compositor holds a picture: scene-linear, premultiplied."""
    if frame.dtype != np.uint8:
        picture = frame
    else:
        unit = frame.astype(np.float32) / 255
        picture = unit.copy()
        color = unit[..., :3]
        picture[..., :3] = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
        if frame.shape[2] == 4:
            picture[..., :3] *= unit[..., 3:]
    opaque = np.ones((*frame.shape[:2], 1), np.float32)
    return picture if frame.shape[2] == 4 else np.concatenate([picture, opaque], axis=2)


@pytest.mark.skipif(not EXACT, reason="the exact node group needs the Displace node of 5.x")
@pytest.mark.parametrize("kind", STILLS)
def test_the_nodes_render_the_engines_frames(saved, kind):
    mask = inset()
    still = solve(STILLS[kind](saved), mask)
    tree = new_tree(bpy.context.scene)
    image_node(tree, still)
    plain = render(saved, 1, tuple(still.size))
    assert bpy.ops.endless_loops.to_compositor(image=still.name) == {"FINISHED"}
    for frame in (1, 2, 4, 5, 8, 9, 12):
        rendered = render(saved, frame, tuple(still.size))
        engines = scene_linear(still.endless_loops.loop().frame((frame - 1) % 8 / 8))
        error = np.abs(to_display(rendered) - to_display(engines)) / np.maximum(engines, 1)
        assert error[mask].max() <= TOLERANCE, f"frame {frame}"
        np.testing.assert_array_equal(rendered[~mask], plain[~mask])
        if frame in (1, 9):
            np.testing.assert_array_equal(rendered, plain)


def to_display(linear):
    """Scene-linear values as an sRGB display has them, in which 2/255 is what an eye can tell."""
    low, high = linear * 12.92, 1.055 * np.maximum(linear, 1e-8) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, low, high)
