"""The node group that plays a loop: plain nodes, which render without the add-on.

It does what `engine.Loop.frame` does. With s for the phase, the sheet of the continued texture is looked up
s times the inverse field and 1 - s times the forward field away, the two are mixed by s, the details that
differ get their contrast back, and the result covers the still inside the mask, with a ramp at its edge.
"""

import bpy

from . import versions

GROUP = "CompositorNodeTree"
GROUP_NODE = "CompositorNodeGroup"


def make_interface(group, settings):
    """Give a new group its sockets; they start from the settings of the still."""
    group.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    group.interface.new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
    for name, kind, tip, first, last, value in (
        ("Frames per Turn", "Int", "Frames until the loop begins again", 2, 100000, settings.frame_count),
        ("Offset", "Float", "Frames by which the loop is ahead of the scene", None, None, 0.0),
        ("Speed", "Int", "Repetitions the motion passes in that time", 1, 100, settings.turns),
        ("Reverse", "Bool", "Move against the directions", None, None, settings.reverse),
        ("Mix", "Float", "0 is the still, 1 the loop", 0.0, 1.0, 1.0),
    ):
        socket = group.interface.new_socket(name, in_out="INPUT", socket_type=f"NodeSocket{kind}")
        socket.description = tip
        if first is not None:
            socket.min_value, socket.max_value = first, last
        socket.default_value = value
    group.interface.items_tree["Mix"].subtype = "FACTOR"


def build(group, still, images, laid_out):
    """Fill `group` anew; its interface, and so what is linked to it, stays.

    Parameters
    ----------
    group : bpy.types.CompositorNodeTree
        With the sockets of `make_interface`.
    still : bpy.types.Image
    images : dict
        The maps of `loop_maps` as images, those that there are.
    laid_out : LoopMaps
        What they are.
    """
    group.nodes.clear()
    net = _Net(group)
    net.section("Phase of the Frame")
    asked = net.add("NodeGroupInput").outputs
    passed = _passed(net, asked)
    phases = [_phase(net, passed, turns, asked["Frames per Turn"]) for turns in laid_out.turns]
    net.section("Maps")
    maps = {name: net.image(image, name.title()) for name, image in images.items()}
    cover = net.channel(maps["forward"], "Blue")
    pixel = net.add("CompositorNodeImageCoordinates")
    net.put(maps["forward"], pixel.inputs["Image"])
    # In the third place Map UV takes a factor.
    here = net.vector("ADD", pixel.outputs["Normalized"], (*laid_out.here, 1.0))
    blends = [_blend(net, maps, phase, here, laid_out.luminance) for phase in phases]
    net.section("Over the Still")
    shares = [net.channel(maps[f"share_{index}"], "Red") for index in range(len(laid_out.shares))]

    def covering(resting, index):
        return net.mix(cover, resting, _sum(net, [blend[index] for blend in blends], shares))

    alpha = None
    if "sheet_alpha" in maps:
        alpha = net.channel(covering(net.channel(maps["texture"], "Alpha"), 1), "Red")
    picture = _scene_linear(net, still, covering(maps["texture"], 0), alpha)
    latest = phases[0]
    for phase in phases[1:]:
        latest = net.math("MAXIMUM", latest, phase)
    moving = net.math("MULTIPLY", net.math("GREATER_THAN", latest, 0.0), asked["Mix"])
    mask = net.translate(cover, laid_out.offset)
    # Moved by whole pixels, yet not without rounding: outside not a trace of the loop shall be left.
    share = net.math("MULTIPLY", net.math("GREATER_THAN", mask, 1 / 128), moving)
    result = net.mix(share, asked["Image"], net.translate(picture, laid_out.offset))
    group.links.new(result, net.add("NodeGroupOutput").inputs["Image"])
    net.arrange()


def _passed(net, asked):
    """How many frames' worth of the loop have passed at the scene's frame, 0 at frame 1."""
    frame = net.math("SUBTRACT", net.add("CompositorNodeSceneTime").outputs["Frame"], 1.0)
    ahead = net.math("ADD", frame, asked["Offset"])
    direction = net.math("MULTIPLY_ADD", asked["Reverse"], -2.0, 1.0)
    return net.math("MULTIPLY", net.math("MULTIPLY", ahead, asked["Speed"]), direction)


def _phase(net, passed, turns, count):
    """Phase in one repetition of what passes `turns` of them in `count` frames."""
    if turns != 1:
        passed = net.math("MULTIPLY", passed, float(turns))
    # The remainder is taken before the division: whole frames stay exact however late in the scene.
    return net.math("DIVIDE", net.math("FLOORED_MODULO", passed, count), count)


def _blend(net, maps, phase, here, luminance):
    """The texture moved both ways and mixed at a phase: color, and alpha if there is any."""
    net.section("The Texture, Moved Both Ways")
    rest = net.math("SUBTRACT", 1.0, phase)
    bent = net.math("MULTIPLY", phase, rest)
    places = _moved(net, maps, here, "inverse", phase, bent), _moved(net, maps, here, "forward", rest, bent)

    def blend(sheet):
        return net.mix(phase, *(net.look_up(sheet, place) for place in places))

    color = blend(maps["sheet"])
    alpha = blend(maps["sheet_alpha"]) if "sheet_alpha" in maps else None
    net.section("Contrast Where Details Differ")
    mean = net.channel(color, "Alpha")
    strength = _boost(net, phase, rest, net.channel(maps["inverse"], "Blue"))
    detail = net.math("MULTIPLY", net.math("SUBTRACT", net.dot(color, luminance), mean), strength)
    floor = net.vector("MINIMUM", color, (0.0, 0.0, 0.0))
    return net.vector("MAXIMUM", net.vector("ADD", color, detail), floor), alpha


def _sum(net, pictures, shares):
    """Mix what moves at each speed by their shares; without shares there is one speed."""
    if not shares:
        return pictures[0]
    parts = [net.scale(picture, share) for picture, share in zip(pictures, shares, strict=True)]
    total = parts[0]
    for part in parts[1:]:
        total = net.vector("ADD", total, part)
    return total


def _moved(net, maps, place, way, share, bent):
    """A place moved along a part of a displacement field; `bent` is of its path's curve."""
    place = net.vector("MULTIPLY_ADD", maps[way], net.plane(share), place)
    if f"{way}_bend" in maps:
        place = net.vector("MULTIPLY_ADD", maps[f"{way}_bend"], net.plane(bent), place)
    return place


def _boost(net, phase, rest, similarity):
    """By how much details have to grow: `engine.contrast.boost`."""
    alone = net.math("ADD", net.math("MULTIPLY", phase, phase), net.math("MULTIPLY", rest, rest))
    shared = net.math("MULTIPLY", net.math("MULTIPLY", phase, rest), 2.0)
    kept = net.math("MULTIPLY_ADD", shared, similarity, alone)
    return net.math("SUBTRACT", net.math("INVERSE_SQRT", kept), 1.0)


def _scene_linear(net, still, picture, alpha):
    """From what the engine blends to what the compositor mixes: scene-linear, color premultiplied.

    An 8-bit still is blended as it is stored, encoded for a display; any other is scene-linear already.
    """
    if still.is_float:
        # The fourth channel of the texture isn't alpha.
        return net.set_alpha(picture, alpha or 1.0, "Replace Alpha")
    picture = net.vector("MAXIMUM", picture, (0.0, 0.0, 0.0))
    if alpha:
        picture = net.vector("DIVIDE", picture, net.math("MAXIMUM", alpha, 1e-6))
    picture = net.vector("MINIMUM", picture, (1.0, 1.0, 1.0))
    if not still.colorspace_settings.is_data:
        node = net.add("CompositorNodeConvertColorSpace")
        node.from_color_space = still.colorspace_settings.name
        node.to_color_space = versions.scene_linear_space()
        net.put(picture, node.inputs["Image"])
        picture = node.outputs["Image"]
    if not alpha:
        return picture
    is_packed = still.alpha_mode == "CHANNEL_PACKED"  # then the fourth channel is no cover of the color
    return net.set_alpha(
        picture, net.math("MINIMUM", alpha, 1.0), "Replace Alpha" if is_packed else "Apply Mask"
    )


class _Net:
    """Nodes of a group as functions: sockets or values in, the result's socket out."""

    def __init__(self, group):
        self.group = group
        self.sections = []  # (frame, nodes), from left to right

    def section(self, title):
        frame = self.group.nodes.new("NodeFrame")
        frame.label = title
        self.sections.append((frame, []))

    def add(self, kind, **settings):
        node = self.group.nodes.new(kind)
        self.sections[-1][1].append(node)
        for name, value in settings.items():
            setattr(node, name, value)
        return node

    def put(self, value, socket):
        if isinstance(value, bpy.types.NodeSocket):
            self.group.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation, *values):
        node = self.add("ShaderNodeMath", operation=operation)
        for value, socket in zip(values, node.inputs, strict=False):
            self.put(value, socket)
        return node.outputs[0]

    def vector(self, operation, *values):
        node = self.add("ShaderNodeVectorMath", operation=operation)
        for value, socket in zip(values, node.inputs, strict=False):
            self.put(value, socket)
        return node.outputs["Vector"]

    def scale(self, vector, factor):
        node = self.add("ShaderNodeVectorMath", operation="SCALE")
        self.put(vector, node.inputs[0])
        self.put(factor, node.inputs["Scale"])
        return node.outputs["Vector"]

    def plane(self, value):
        """The vector that scales x and y, and leaves out what a map's third channel holds."""
        node = self.add("ShaderNodeCombineXYZ")
        self.put(value, node.inputs["X"])
        self.put(value, node.inputs["Y"])
        return node.outputs["Vector"]

    def dot(self, color, weights):
        node = self.add("ShaderNodeVectorMath", operation="DOT_PRODUCT")
        self.put(color, node.inputs[0])
        self.put(weights, node.inputs[1])
        return node.outputs["Value"]

    def image(self, image, label):
        return self.add("CompositorNodeImage", image=image, label=label, name=label).outputs["Image"]

    def channel(self, color, name):
        node = self.add("CompositorNodeSeparateColor")
        self.put(color, node.inputs["Image"])
        return node.outputs[name]

    def look_up(self, picture, place):
        node = self.add("CompositorNodeMapUV")
        versions.set_map_uv(node)
        self.put(picture, node.inputs["Image"])
        self.put(place, node.inputs["UV"])
        return node.outputs["Image"]

    def mix(self, factor, first, second):
        node = self.add("ShaderNodeMix", data_type="RGBA")
        sockets = {socket.identifier: socket for socket in node.inputs}
        for value, name in ((factor, "Factor_Float"), (first, "A_Color"), (second, "B_Color")):
            self.put(value, sockets[name])
        return next(socket for socket in node.outputs if socket.identifier == "Result_Color")

    def set_alpha(self, color, alpha, kind):
        node = self.add("CompositorNodeSetAlpha")
        versions.set_alpha_kind(node, kind)
        self.put(color, node.inputs["Image"])
        self.put(alpha, node.inputs["Alpha"])
        return node.outputs["Image"]

    def translate(self, picture, offset):
        node = self.add("CompositorNodeTranslate")
        self.put(picture, node.inputs["Image"])
        node.inputs["X"].default_value, node.inputs["Y"].default_value = offset
        versions.set_nearest(node)
        return node.outputs["Image"]

    def arrange(self):
        """Lay each section out in columns, a node as far left as it is steps away from the section's end."""
        right = 0
        for frame, nodes in reversed(self.sections):
            names = {node.name for node in nodes}
            inner = [k for k in self.group.links if k.from_node.name in names and k.to_node.name in names]
            column = dict.fromkeys(names, 0)
            for _ in nodes:
                for link in inner:
                    before, after = link.from_node.name, link.to_node.name
                    column[before] = max(column[before], column[after] + 1)
            bottom = {}
            for node in nodes:
                place = column[node.name]
                node.parent = frame
                node.location = (right - 200 * place, -bottom.get(place, 0))
                tall = node.bl_idname in {"CompositorNodeImage", "NodeGroupInput", "ShaderNodeMix"}
                bottom[place] = bottom.get(place, 0) + (330 if tall else 200)
            right -= 200 * max(column.values()) + 300
