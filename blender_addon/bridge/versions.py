"""Every difference between Blender 4.5 and 5.x that the add-on meets, and nothing else."""

from functools import partial

import bpy
import numpy as np

HAS_OWN_ANNOTATIONS = hasattr(bpy.types, "Annotation")

# 4.5 keeps annotations in the grease pencil type of old; 5.x gave them a type of their own.
AnnotationType = bpy.types.Annotation if HAS_OWN_ANNOTATIONS else bpy.types.GreasePencil

# 4.5's Map UV filters in its own way, so nodes only approximate a frame there.
HAS_EXACT_LOOK_UPS = bpy.app.version >= (5, 0)

# Splines that are holes of a mask: in 5.x only those that turn the other way than the one around them.
HOLES_TURN_BACK = bpy.app.version >= (5, 0)


def annotations():
    """All annotation datablocks of the file."""
    return bpy.data.annotations if HAS_OWN_ANNOTATIONS else bpy.data.grease_pencils


def new_annotation(name):
    """Make an annotation; in 4.5 the context has to be an Image Editor's.

    4.5 marks a datablock as an annotation only where an editor makes it, and of one without that mark it
    makes a Grease Pencil when it is appended or linked.
    """
    if HAS_OWN_ANNOTATIONS:
        return bpy.data.annotations.new(name)
    space = bpy.context.space_data
    before = space.grease_pencil
    bpy.ops.gpencil.annotation_add()
    made = space.grease_pencil
    space.grease_pencil = before
    made.name = name
    made.layers.remove(made.layers[0])  # "Note", which Blender adds
    return made


def can_be_drawn_on(annotation):
    """Whether the annotation tool takes a datablock: not if 4.5 has made a Grease Pencil of it."""
    return isinstance(annotation, AnnotationType)


def layer_name(layer):
    """The name of a layer of an annotation, or of the Grease Pencil that 4.5 made of it."""
    return layer.info if hasattr(layer, "info") else layer.name


def drawn_strokes(layer):
    """(N, 2) UV of every stroke in a layer of either kind, and a function that removes it."""
    for frame in layer.frames:
        if hasattr(frame, "strokes"):
            for stroke in frame.strokes:
                flat = np.empty(len(stroke.points) * 3, np.float32)
                stroke.points.foreach_get("co", flat)
                yield flat.reshape(-1, 3)[:, :2].astype(float), partial(_remove_stroke, frame, stroke)
        else:
            for index, stroke in enumerate(frame.drawing.strokes):
                uv = np.array([point.position[:2] for point in stroke.points])
                yield uv, partial(frame.drawing.remove_strokes, indices=[index])


def clear_layer(layer):
    """Remove all that was drawn in a layer of either kind."""
    for frame in list(layer.frames):
        layer.frames.remove(frame if hasattr(frame, "strokes") else frame.frame_number)


def space_annotation(space):
    """The annotation that an editor draws on, or None."""
    return space.annotation if HAS_OWN_ANNOTATIONS else space.grease_pencil


def set_space_annotation(space, annotation):
    """Make an editor draw on `annotation`."""
    if HAS_OWN_ANNOTATIONS:
        space.annotation = annotation
    else:
        space.grease_pencil = annotation


def draw_stroke(frame, uv):
    """Draw a stroke, (N, 2) UV, on an annotation's frame as the Image Editor's tool does; 5.x only."""
    stroke = frame.strokes.new()
    stroke.display_mode = "2DSPACE"
    stroke.points.add(count=len(uv))
    for point, (u, v) in zip(stroke.points, uv, strict=True):
        point.co = (u, v, 0)


def _remove_stroke(frame, stroke):
    """Remove a stroke from an annotation's frame; 4.5 can only make it a dot far outside of every picture."""
    if HAS_OWN_ANNOTATIONS:
        frame.strokes.remove(stroke)
        return
    for point in stroke.points:
        point.co = (-1e4, -1e4, 0)


def unified_paint_settings(tool_settings):
    """Where the brush's shared color and size live: they moved to each paint mode in 5.x."""
    own = getattr(tool_settings.image_paint, "unified_paint_settings", None)
    return own if own is not None else tool_settings.unified_paint_settings


def edited_scene(context):
    """The scene whose edit the sequencer shows: 5.x lets a workspace pin one of its own."""
    pinned = getattr(context.workspace, "sequencer_scene", None) if context.workspace else None
    return pinned or context.scene


def show_in_sequencer(context, scene):
    """Let the workspace's sequencer show `scene`: in 5.x it shows nothing until it is told which one."""
    workspace = context.workspace
    if workspace and hasattr(workspace, "sequencer_scene") and workspace.sequencer_scene is None:
        workspace.sequencer_scene = scene


def strip_end(strip):
    """First frame after a strip as it is trimmed now."""
    return int(strip.right_handle if hasattr(strip, "right_handle") else strip.frame_final_end)


def strip_begin(strip):
    """First frame of a strip as it is trimmed now."""
    return int(strip.left_handle if hasattr(strip, "left_handle") else strip.frame_final_start)


def content_end(strip):
    """First frame after what a strip would show if its end were not trimmed."""
    has_handles = hasattr(strip, "right_handle_offset")
    return strip_end(strip) + int(strip.right_handle_offset if has_handles else strip.frame_offset_end)


def set_strip_end(strip, frame):
    """Trim a strip, or let it hold its last picture, so that `frame` is the first one after it."""
    setattr(strip, "right_handle" if hasattr(strip, "right_handle") else "frame_final_end", frame)


def set_still_format(image_settings, file_format):
    """Ask for a still format: 5.x hides those until the media type is an image."""
    if hasattr(image_settings, "media_type"):
        image_settings.media_type = "IMAGE"
    image_settings.file_format = file_format


# What asks for a movie, in this order: 5.x offers FFmpeg only among the videos.
MOVIE_FORMAT = (
    *((("media_type", "VIDEO"),) if "media_type" in bpy.types.ImageFormatSettings.bl_rna.properties else ()),
    ("file_format", "FFMPEG"),
)


def compositor_tree(scene):
    """Give `scene` an empty compositor; returns its tree and the socket that is the picture."""
    if hasattr(scene, "compositing_node_group"):
        tree = bpy.data.node_groups.new(scene.name, "CompositorNodeTree")
        scene.compositing_node_group = tree
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        return tree, tree.nodes.new("NodeGroupOutput").inputs[0]
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    return tree, tree.nodes.new("CompositorNodeComposite").inputs[0]


def remove_with_compositor(scene):
    """Remove `scene` and its compositor, which is a datablock of its own in 5.x."""
    tree = getattr(scene, "compositing_node_group", None)
    bpy.data.scenes.remove(scene)
    if tree is not None:
        bpy.data.node_groups.remove(tree)


def scene_compositor(scene):
    """The compositor of a scene, or None when it has none."""
    if hasattr(scene, "compositing_node_group"):
        return scene.compositing_node_group
    return scene.node_tree if scene.use_nodes else None


def remove_compositor(scene):
    """Leave a scene without a compositor, as `compositor_tree` found it."""
    if hasattr(scene, "compositing_node_group"):
        bpy.data.node_groups.remove(scene.compositing_node_group)
    else:
        scene.node_tree.nodes.clear()
        scene.use_nodes = False


def compositor_trees():
    """Every compositor tree of the file that can be edited, groups included."""
    trees = [tree for tree in bpy.data.node_groups if tree.bl_idname == "CompositorNodeTree"]
    if "compositing_node_group" not in bpy.types.Scene.bl_rna.properties:
        trees += [scene.node_tree for scene in bpy.data.scenes if scene.node_tree is not None]
    return [tree for tree in trees if tree.library is None]


def set_map_uv(node):
    """Let a Map UV node look up between four pixels and go on at the border, in 5.x."""
    if HAS_EXACT_LOOK_UPS:
        node.inputs["Interpolation"].default_value = "Bilinear"
        node.inputs["Extension X"].default_value = node.inputs["Extension Y"].default_value = "Extend"


def set_nearest(node):
    """Let a Translate node take pixels as they are."""
    if "Interpolation" in node.inputs:
        node.inputs["Interpolation"].default_value = "Nearest"
    else:
        node.interpolation = "NEAREST"


def set_alpha_kind(node, kind):
    """How a Set Alpha node treats the color: "Apply Mask" or "Replace Alpha"."""
    if "Type" in node.inputs:
        node.inputs["Type"].default_value = kind
    else:
        node.mode = "APPLY" if kind == "Apply Mask" else "REPLACE_ALPHA"


def scene_linear_space():
    """What a Convert Colorspace node calls the space that the compositor works in."""
    if bpy.app.version >= (5, 0):
        return "scene_linear"
    image = bpy.data.images.new("Endless Loops", 1, 1, float_buffer=True)
    try:
        return image.colorspace_settings.name
    finally:
        bpy.data.images.remove(image)
