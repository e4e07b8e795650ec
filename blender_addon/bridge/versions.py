"""Every difference between Blender 4.5 and 5.x that the add-on meets, and nothing else."""

import bpy

HAS_OWN_ANNOTATIONS = hasattr(bpy.types, "Annotation")

# 4.5 keeps annotations in the grease pencil type of old; 5.x gave them a type of their own.
AnnotationType = bpy.types.Annotation if HAS_OWN_ANNOTATIONS else bpy.types.GreasePencil


def annotations():
    """All annotation datablocks of the file."""
    return bpy.data.annotations if HAS_OWN_ANNOTATIONS else bpy.data.grease_pencils


def space_annotation(space):
    """The annotation that an editor draws on, or None."""
    return space.annotation if HAS_OWN_ANNOTATIONS else space.grease_pencil


def set_space_annotation(space, annotation):
    """Make an editor draw on `annotation`."""
    if HAS_OWN_ANNOTATIONS:
        space.annotation = annotation
    else:
        space.grease_pencil = annotation


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


def strip_start(strip):
    """First frame of a strip's content on the timeline."""
    return int(strip.content_start if hasattr(strip, "content_start") else strip.frame_start)


def set_strip_start(strip, frame):
    """Move a strip so that its content begins at `frame`."""
    if hasattr(strip, "content_start"):
        strip.content_start = frame
    else:
        strip.frame_start = frame


def strip_end(strip):
    """First frame after a strip as it is trimmed now."""
    return int(strip.right_handle if hasattr(strip, "right_handle") else strip.frame_final_end)


def strip_begin(strip):
    """First frame of a strip as it is trimmed now."""
    return int(strip.left_handle if hasattr(strip, "left_handle") else strip.frame_final_start)


def set_still_format(image_settings, file_format):
    """Ask for a still format: 5.x hides those until the media type is an image."""
    if hasattr(image_settings, "media_type"):
        image_settings.media_type = "IMAGE"
    image_settings.file_format = file_format


def set_movie_format(image_settings):
    """Ask for a movie: 5.x offers FFmpeg only among the videos."""
    if hasattr(image_settings, "media_type"):
        image_settings.media_type = "VIDEO"
    image_settings.file_format = "FFMPEG"


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
