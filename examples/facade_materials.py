"""The materials and the sky of the example's street, all procedural."""

from __future__ import annotations

import bpy

PLAIN = {  # base color, roughness, metallic
    "stone": ((0.60, 0.55, 0.46), 0.85, 0),
    "paint": ((0.78, 0.76, 0.70), 0.45, 0),
    "shutter": ((0.10, 0.19, 0.17), 0.55, 0),
    "iron": ((0.018, 0.018, 0.02), 0.45, 0.4),
    "room": ((0.07, 0.055, 0.045), 0.9, 0),
    "linen": ((0.80, 0.78, 0.74), 0.9, 0),
    "cream": ((0.68, 0.58, 0.42), 0.9, 0),
    "terracotta": ((0.40, 0.15, 0.07), 0.8, 0),
    "awning": ((0.30, 0.035, 0.03), 0.85, 0),
    "slate": ((0.11, 0.12, 0.14), 0.55, 0),
    "brick": ((0.35, 0.14, 0.09), 0.9, 0),
    "bark": ((0.09, 0.065, 0.045), 0.95, 0),
    "pavement": ((0.30, 0.29, 0.27), 0.9, 0),
    "asphalt": ((0.06, 0.06, 0.065), 0.9, 0),
}
WEATHERED = {
    "stucco": ((0.72, 0.42, 0.20), (0.50, 0.27, 0.13)),
    "plaster": ((0.62, 0.53, 0.42), (0.45, 0.38, 0.3)),
}


def make_materials():
    """Return every material by its name."""
    made = {name: plain(name, *look) for name, look in PLAIN.items()}
    made |= {name: weathered(name, *colors) for name, colors in WEATHERED.items()}
    made |= {"leaves": leafy("leaves", (0.17, 0.3, 0.05)), "petals": leafy("petals", (0.75, 0.04, 0.07))}
    made |= {"glass": glass("glass"), "lantern": glowing("lantern", 1.5)}
    return made


class Nodes:
    """A node tree, with its nodes made and wired in one call each."""

    def __init__(self, tree):
        self.tree = tree
        tree.nodes.clear()

    def add(self, kind, inputs=None, **settings):
        """Add a node; an input is a value or another node's output socket."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for name, value in (inputs or {}).items():
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[name])
            else:
                node.inputs[name].default_value = (
                    (*value, 1) if isinstance(value, tuple) and node.inputs[name].type == "RGBA" else value
                )
        return node


def nodes_of(name):
    """Return a new material and its empty node tree."""
    material = bpy.data.materials.new(name)
    return material, Nodes(material.node_tree)


def plain(name, color, roughness, metallic):
    """Make one color, slightly uneven."""
    material, nodes = nodes_of(name)
    place = nodes.add("ShaderNodeNewGeometry").outputs["Position"]
    grain = nodes.add("ShaderNodeTexNoise", {"Vector": place, "Scale": 2.3, "Detail": 6.0, "Roughness": 0.65})
    darker = tuple(0.62 * part for part in color)
    tint = nodes.add(
        "ShaderNodeMix",
        {0: grain.outputs[0], 6: darker, 7: tuple(min(1, 1.25 * c) for c in color)},
        data_type="RGBA",
    )
    look = {"Base Color": tint.outputs[2], "Roughness": roughness, "Metallic": float(metallic)}
    surface = nodes.add("ShaderNodeBsdfPrincipled", look)
    nodes.add("ShaderNodeOutputMaterial", {"Surface": surface.outputs[0]})
    return material


def weathered(name, color, stain):
    """Make stucco: rough, patched, with the marks that rain leaves below every ledge."""
    material, nodes = nodes_of(name)
    place = nodes.add("ShaderNodeNewGeometry").outputs["Position"]
    streaked = nodes.add("ShaderNodeMapping", {"Vector": place, "Scale": (3.0, 3.0, 0.35)})
    streaks = nodes.add("ShaderNodeTexNoise", {"Vector": streaked.outputs[0], "Scale": 1.0, "Detail": 8.0})
    patches = nodes.add("ShaderNodeTexNoise", {"Vector": place, "Scale": 0.55, "Detail": 5.0})
    both = nodes.add("ShaderNodeMath", {0: streaks.outputs[0], 1: patches.outputs[0]}, operation="MULTIPLY")
    share = nodes.add("ShaderNodeMapRange", {"Value": both.outputs[0], "From Min": 0.13, "From Max": 0.38})
    tint = nodes.add("ShaderNodeMix", {0: share.outputs[0], 6: stain, 7: color}, data_type="RGBA")
    grain = nodes.add("ShaderNodeTexNoise", {"Vector": place, "Scale": 38.0, "Detail": 4.0})
    bump = nodes.add("ShaderNodeBump", {"Height": grain.outputs[0], "Strength": 0.35, "Distance": 0.02})
    look = {"Base Color": tint.outputs[2], "Roughness": 0.92, "Normal": bump.outputs[0]}
    surface = nodes.add("ShaderNodeBsdfPrincipled", look)
    nodes.add("ShaderNodeOutputMaterial", {"Surface": surface.outputs[0]})
    return material


def leafy(name, color):
    """Make what is thin and lit from either side, each leaf of its own shade."""
    material, nodes = nodes_of(name)
    shade = nodes.add("ShaderNodeNewGeometry").outputs["Random Per Island"]
    darker = tuple(0.45 * part for part in color)
    tint = nodes.add(
        "ShaderNodeMix", {0: shade, 6: darker, 7: tuple(1.3 * c for c in color)}, data_type="RGBA"
    ).outputs[2]
    front = nodes.add("ShaderNodeBsdfPrincipled", {"Base Color": tint, "Roughness": 0.5})
    through = nodes.add("ShaderNodeBsdfTranslucent", {"Color": tint})
    surface = nodes.add("ShaderNodeMixShader", {0: 0.4, 1: front.outputs[0], 2: through.outputs[0]})
    nodes.add("ShaderNodeOutputMaterial", {"Surface": surface.outputs[0]})
    return material


def glass(name):
    """Make a pane that mirrors the sky by Fresnel's law; old panes are not quite flat."""
    material, nodes = nodes_of(name)
    place = nodes.add("ShaderNodeNewGeometry").outputs["Position"]
    waves = nodes.add("ShaderNodeTexNoise", {"Vector": place, "Scale": 1.1, "Detail": 1.0})
    bump = nodes.add("ShaderNodeBump", {"Height": waves.outputs[0], "Strength": 0.25, "Distance": 0.03})
    share = nodes.add("ShaderNodeFresnel", {"IOR": 2.1, "Normal": bump.outputs[0]})
    mirror = nodes.add("ShaderNodeBsdfGlossy", {"Roughness": 0.01, "Normal": bump.outputs[0]})
    clear = nodes.add("ShaderNodeBsdfTransparent", {"Color": (0.86, 0.9, 0.88)})
    surface = nodes.add(
        "ShaderNodeMixShader", {0: share.outputs[0], 1: clear.outputs[0], 2: mirror.outputs[0]}
    )
    nodes.add("ShaderNodeOutputMaterial", {"Surface": surface.outputs[0]})
    return material


def glowing(name, strength):
    """Make a lamp's warm light."""
    material, nodes = nodes_of(name)
    light = nodes.add("ShaderNodeEmission", {"Color": (1.0, 0.62, 0.28), "Strength": float(strength)})
    nodes.add("ShaderNodeOutputMaterial", {"Surface": light.outputs[0]})
    return material


def make_sky():
    """Return a world: blue, paler towards the horizon, with clouds drawn on a plane far above."""
    world = bpy.data.worlds.new("Sky")
    nodes = Nodes(world.node_tree)
    direction = nodes.add("ShaderNodeTexCoord").outputs["Generated"]
    parts = nodes.add("ShaderNodeSeparateXYZ", {0: direction})
    height = nodes.add("ShaderNodeMath", {0: parts.outputs[2], 1: 0.06}, operation="MAXIMUM").outputs[0]
    plane = nodes.add("ShaderNodeCombineXYZ")
    for axis in range(2):
        flat = nodes.add("ShaderNodeMath", {0: parts.outputs[axis], 1: height}, operation="DIVIDE")
        nodes.tree.links.new(flat.outputs[0], plane.inputs[axis])
    blue = nodes.add("ShaderNodeMapRange", {"Value": height, "From Min": 0.06, "From Max": 0.75}).outputs[0]
    clear = nodes.add(
        "ShaderNodeMix", {0: blue, 6: (0.60, 0.72, 0.86), 7: (0.11, 0.26, 0.58)}, data_type="RGBA"
    )
    puffs = nodes.add(
        "ShaderNodeTexNoise",
        {"Vector": plane.outputs[0], "Scale": 1.25, "Detail": 10.0, "Roughness": 0.58, "Distortion": 0.25},
    )
    cover = nodes.add(
        "ShaderNodeMapRange", {"Value": puffs.outputs[0], "From Min": 0.5, "From Max": 0.72}
    ).outputs[0]
    color = nodes.add(
        "ShaderNodeMix", {0: cover, 6: clear.outputs[2], 7: (1.0, 0.97, 0.93)}, data_type="RGBA"
    )
    light = nodes.add("ShaderNodeBackground", {"Color": color.outputs[2], "Strength": 0.85})
    nodes.add("ShaderNodeOutputWorld", {"Surface": light.outputs[0]})
    return world
