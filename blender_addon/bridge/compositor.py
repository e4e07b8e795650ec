"""A loop in a compositor tree: as a node group of its maps, or as an image-sequence node of its frames."""

import os

import bpy

from ..errors import Refused
from . import images, loop_nodes, versions

_STILL = "endless_loops_still"  # on the group: whose loop it is; kept without the add-on as well
_SOURCE = "endless_loops_source"  # on a sequence node: the Image node whose links it took over
_ADDED = "endless_loops_added"  # on an Image node or a tree that wasn't there before


def refusal(node):
    """Why the active node of a tree shows no still, as a sentence; empty when it does or may. Cheap."""
    if node is None:
        return "Select the Image node of a still"
    if node.bl_idname == "CompositorNodeRLayers":
        return "A Render Layers node is rendered anew each time: select the Image node of a still"
    if node.bl_idname == "CompositorNodeMovieClip":
        return "A movie clip isn't a still: select an Image node"
    if still_of(node) is not None:
        return ""
    if node.bl_idname == "CompositorNodeImage":
        return "This Image node has no image: open a still in it"
    return "Select the Image node of a still"


def still_of(node):
    """The image that an Image node shows, or the still whose loop a node plays, or None."""
    if node is None:
        return None
    if node.bl_idname == "CompositorNodeGroup" and node.node_tree is not None:
        return node.node_tree.get(_STILL)
    if node.bl_idname == "CompositorNodeImage" and node.image is not None:
        return node.image.endless_loops.played_still or node.image
    return None


def players(still):
    """Every (tree, node) that plays the loop of a still."""
    return [
        (tree, node)
        for tree in versions.compositor_trees()
        for node in tree.nodes
        if _is_player(node) and still_of(node) == still
    ]


def as_group(node):
    """Whether a player is the node group, rather than a sequence."""
    return node.bl_idname == "CompositorNodeGroup"


def missing_files(still):
    """Paths of the files that a still's players need and that aren't there."""
    needed = [path for _tree, node in players(still) for path in _files(node)]
    return [path for path in dict.fromkeys(needed) if not os.path.isfile(path)]


def tree_in(context):
    """The tree being edited, else the scene's, or None; raises `Refused` when it belongs to another file."""
    space = context.space_data
    tree = None
    if space is not None and space.type == "NODE_EDITOR" and space.tree_type == loop_nodes.GROUP:
        tree = space.edit_tree
    tree = tree or versions.scene_compositor(context.scene)
    if (tree or context.scene).library is not None:
        raise Refused("This compositor belongs to another file: make it local first")
    return tree


def insert_group(context, still, maps, paths):
    """Put the loop's node group between an Image node and what it fed.

    Parameters
    ----------
    still : bpy.types.Image
    maps : LoopMaps
    paths : dict
        The maps' files, by their names.

    Returns
    -------
    (tree, node)
    """
    tree, source = _source(context, still)
    group = renew_group(still, maps, paths)
    if group is None:
        group = bpy.data.node_groups.new(f"{images.file_stem(still.name)} Loop", loop_nodes.GROUP)
        group[_STILL] = still
        loop_nodes.make_interface(group, still.endless_loops)
        _fill(group, still, maps, paths)
    node = _player_after(tree, source, still)
    if node is not None:
        return tree, node
    node = _new_node(tree, source, loop_nodes.GROUP_NODE, f"{images.file_stem(still.name)} Loop")
    node.node_tree = group
    settings = still.endless_loops
    for name, value in (
        ("Frames per Turn", settings.frame_count),
        ("Speed", settings.turns),
        ("Reverse", settings.reverse),
    ):
        node.inputs[name].default_value = value
    _move_links(tree, source.outputs["Image"], node.outputs["Image"])
    tree.links.new(source.outputs["Image"], node.inputs["Image"])
    return tree, node


def renew_group(still, maps, paths):
    """Bring the still's node group up to date; links and values stay. None when there is none."""
    group = next((g for g in bpy.data.node_groups if g.get(_STILL) == still and g.library is None), None)
    if group is not None:
        _fill(group, still, maps, paths)
    return group


def insert_sequence(context, still, files):
    """Put an image-sequence node that repeats `files` in the place of an Image node.

    Returns
    -------
    (tree, node)
    """
    tree, source = _source(context, still)
    image = renew_sequence(still, files)
    if image is None:
        image = bpy.data.images.load(str(files[0]))
        image.name = f"{images.file_stem(still.name)} Loop"
        image.source = "SEQUENCE"
        image.endless_loops.played_still = still
        _read_sequence(image, still, files)
    node = _player_after(tree, source, still)
    if node is None:
        node = _new_node(tree, source, "CompositorNodeImage", f"{images.file_stem(still.name)} Loop")
        node.image = image
        node[_SOURCE] = source.name
        for name in ("Image", "Alpha"):
            _move_links(tree, source.outputs[name], node.outputs[name])
    _play(node, len(files))
    return tree, node


def renew_sequence(still, files):
    """Bring the still's sequence up to date; None when there is none."""
    image = next((i for i in bpy.data.images if i.endless_loops.played_still == still), None)
    if image is not None:
        _read_sequence(image, still, files)
        for _tree, node in players(still):
            if not as_group(node):
                _play(node, len(files))
    return image


def remove(still):
    """Take every player of a still out of its tree again: what it fed is fed by the Image node as before."""
    for tree, node in players(still):
        source = _source_of(tree, node)
        data = node.node_tree if as_group(node) else node.image
        for name, socket in _replaced_sockets(tree, node).items():
            _move_links(tree, node.outputs[name], socket)
        tree.nodes.remove(node)
        if source is not None and source.get(_ADDED):
            tree.nodes.remove(source)
        _remove_unused(data)
    for scene in bpy.data.scenes:
        tree = versions.scene_compositor(scene)
        if tree is not None and tree.get(_ADDED) and len(tree.nodes) == 1:
            del tree[_ADDED]
            versions.remove_compositor(scene)


def _is_player(node):
    if node.bl_idname == "CompositorNodeImage":
        return node.image is not None and node.image.endless_loops.played_still is not None
    return node.bl_idname == "CompositorNodeGroup" and still_of(node) is not None


def _files(node):
    if not as_group(node):
        return [bpy.path.abspath(node.image.filepath)]
    pictures = [inner.image for inner in node.node_tree.nodes if inner.bl_idname == "CompositorNodeImage"]
    return [bpy.path.abspath(image.filepath) for image in pictures if image is not None]


def _fill(group, still, maps, paths):
    """Point the group's images to the files and rebuild its nodes."""
    had = {inner.name.lower(): inner.image for inner in group.nodes if hasattr(inner, "image")}
    pictures = {}
    for name, path in paths.items():
        image = had.pop(name, None) or bpy.data.images.load(str(path))
        image.name = f"{images.file_stem(still.name)} {name.title()}"
        image.filepath = images.portable(path)
        image.reload()
        image.colorspace_settings.name = "Non-Color"
        image.alpha_mode = "CHANNEL_PACKED"  # the fourth channel is data as well
        pictures[name] = image
    loop_nodes.build(group, still, pictures, maps)
    for image in had.values():
        _remove_unused(image)


def _read_sequence(image, still, files):
    image.filepath = images.portable(files[0])
    image.reload()
    if not images.is_float(still):
        image.colorspace_settings.name = still.colorspace_settings.name
        image.alpha_mode = "CHANNEL_PACKED" if still.alpha_mode == "CHANNEL_PACKED" else "STRAIGHT"


def _play(node, count):
    node.frame_duration, node.frame_start, node.frame_offset = count, 1, 0
    node.use_cyclic = node.use_auto_refresh = True


def _source(context, still):
    """The tree to insert a loop into, and the Image node of the still in it; both made when missing."""
    tree, output = tree_in(context), None
    if tree is None:
        tree, output = versions.compositor_tree(context.scene)
        tree[_ADDED] = True
        output.node.location = (600, 0)
    active = tree.nodes.active
    shows = [node for node in tree.nodes if still_of(node) == still]
    nodes = ([active] if active in shows else []) + shows
    if nodes:
        return tree, _source_of(tree, nodes[0]) or nodes[0]
    source = tree.nodes.new("CompositorNodeImage")
    source.image, source[_ADDED] = still, True
    source.location = _free_place(tree, source, (0, 0))
    if output is not None:
        tree.links.new(source.outputs["Image"], output)
    return tree, source


def _source_of(tree, node):
    """The Image node that a player stands after, or None."""
    if _SOURCE in node:
        return tree.nodes.get(node[_SOURCE])
    if as_group(node) and node.inputs["Image"].is_linked:
        return node.inputs["Image"].links[0].from_node
    return None


def _replaced_sockets(tree, node):
    """What fed before what a player feeds now: outputs of the node it stands after, by the player's own."""
    source = _source_of(tree, node)
    if source is None:
        return {}
    if as_group(node):
        return {"Image": node.inputs["Image"].links[0].from_socket}
    return {name: source.outputs[name] for name in ("Image", "Alpha")}


def _player_after(tree, source, still):
    """The node that plays the still's loop in place of `source` already, or None."""
    for candidate in tree.nodes:
        if _is_player(candidate) and still_of(candidate) == still:
            if candidate == source or _source_of(tree, candidate) == source:
                return candidate
    return None


def _new_node(tree, source, kind, label):
    node = tree.nodes.new(kind)
    node.label, node.parent, node.width = label, source.parent, 200
    node.location = _free_place(tree, node, (source.location.x + source.width + 60, source.location.y))
    for other in tree.nodes:
        other.select = other == node
    tree.nodes.active = node
    return node


def _free_place(tree, node, place):
    """The first place at or below `place` where the node covers no other one."""
    x, y = place
    height = 260

    def is_taken(other):
        beside = other.location.x > x + node.width or other.location.x + other.width < x
        return not beside and abs(other.location.y - y) < height

    others = [o for o in tree.nodes if o != node and o.parent == node.parent and o.bl_idname != "NodeFrame"]
    while any(is_taken(other) for other in others):
        y -= 40
    return x, y


def _move_links(tree, old, new):
    for fed in [link.to_socket for link in tree.links if link.from_socket == old]:
        tree.links.new(new, fed)


def _remove_unused(data):
    """Remove a group with its images, or an image, once nothing plays it."""
    if data.users:
        return
    if isinstance(data, bpy.types.Image):
        bpy.data.images.remove(data)
        return
    pictures = [inner.image for inner in data.nodes if inner.bl_idname == "CompositorNodeImage"]
    bpy.data.node_groups.remove(data)
    for image in pictures:
        if image is not None and image.users == 0:
            bpy.data.images.remove(image)
