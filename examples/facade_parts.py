"""The pieces of the example's street: boxes, leaves and windows, gathered into one mesh per material."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from math import cos, pi, sin

import bpy
from mathutils import Matrix, Vector

CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
BOX_FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
IN_PLACE = Matrix()
BAY, STOREY, WALL = 3.15, 3.1, 0.35
"""Metres: the width of a window's bay, the height of a storey, the thickness of the wall."""


@dataclass
class Parts:
    """Vertices and faces, by the name of their material."""

    vertices: dict[str, list[Vector]] = field(default_factory=lambda: defaultdict(list))
    faces: dict[str, list[tuple[int, ...]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, material, vertices, faces):
        """Add a mesh of its own."""
        start = len(self.vertices[material])
        self.vertices[material] += vertices
        self.faces[material] += [tuple(start + corner for corner in face) for face in faces]

    def box(self, material, low, high, place=IN_PLACE):
        """Add the box between two corners, moved by `place`."""
        span = [b - a for a, b in zip(low, high, strict=True)]
        corners = [
            place @ Vector([a + t * s for a, t, s in zip(low, at, span, strict=True)]) for at in CORNERS
        ]
        self.add(material, corners, BOX_FACES)

    def rod(self, material, start, end, thick, thin, sides=8):
        """Add a tapering rod between two points."""
        axis = end - start
        turn = axis.to_track_quat("Z", "Y").to_matrix()
        ring = [turn @ Vector((cos(2 * pi * k / sides), sin(2 * pi * k / sides), 0)) for k in range(sides)]
        vertices = [start + thick * v for v in ring] + [end + thin * v for v in ring]
        self.add(
            material,
            vertices,
            [(k, (k + 1) % sides, sides + (k + 1) % sides, sides + k) for k in range(sides)],
        )

    def leaf(self, material, at, size, dice):
        """Add a leaf: a folded diamond, turned at random."""
        turn = Matrix.Rotation(dice.uniform(0, 2 * pi), 3, "Z") @ Matrix.Rotation(
            dice.uniform(-1.2, 1.2), 3, "X"
        )
        outline = [(0, -0.6, 0), (0.3, 0, 0.08), (0, 0.6, 0), (-0.3, 0, 0.08)]
        self.add(material, [at + turn @ (size * Vector(p)) for p in outline], [(0, 1, 2), (0, 2, 3)])

    def curtain(self, material, left, right, bottom, top, depth, dice):
        """Add a hanging cloth in soft folds."""
        steps = max(4, int((right - left) / 0.025))
        phase = dice.uniform(0, 6)
        vertices = []
        for k in range(steps + 1):
            x = left + (right - left) * k / steps
            y = depth + 0.03 * sin(phase + x * 45) + 0.012 * sin(x * 97)
            vertices += [Vector((x, y, bottom)), Vector((x, y, top))]
        faces = [(2 * k, 2 * k + 2, 2 * k + 3, 2 * k + 1) for k in range(steps)]
        self.add(material, vertices, faces)

    def build(self, prefix, materials, soft=()):
        """Make one object per material; the edges of hard things are slightly rounded, as in life."""
        made = []
        for name, vertices in self.vertices.items():
            mesh = bpy.data.meshes.new(f"{prefix} {name}")
            mesh.from_pydata(vertices, [], self.faces[name])
            mesh.materials.append(materials[name])
            thing = bpy.data.objects.new(mesh.name, mesh)
            bpy.context.scene.collection.objects.link(thing)
            if name not in soft:
                bevel = thing.modifiers.new("Rounded", "BEVEL")
                bevel.width, bevel.segments = 0.008, 1
            made.append(thing)
        return made


def facade(parts, left, front, bottom, bays, storeys, wall="stucco", seed=1):
    """Build storeys of windows; each window differs a little from its neighbors."""
    dice = random.Random(seed)
    for storey in range(storeys):
        z = bottom + storey * STOREY
        for bay in range(bays):
            window(parts, left + bay * BAY, front, z, wall, dice)
        right = left + bays * BAY
        parts.box("stone", (left, front - 0.09, z - 0.11), (right, front, z + 0.06))
        parts.box("stone", (left, front - 0.13, z + 0.06), (right, front, z + 0.1))
        for end in (left, right):  # the stones of the corners, long and short in turn
            for row in range(8):
                reach = 0.45 if row % 2 else 0.3
                low, high = sorted((end, end + (reach if end == left else -reach)))
                row_z = z + 0.12 + row * (STOREY - 0.24) / 8
                parts.box("stone", (low, front - 0.04, row_z), (high, front, row_z + 0.335))


def window(parts, x, y, z, wall, dice):
    """Build one bay: the wall around a tall window, and all that hangs on it."""
    a, b, low, top = x + BAY / 2 - 0.58, x + BAY / 2 + 0.58, z + 0.32, z + 2.5
    back = y + WALL
    parts.box(wall, (x, y, z), (a, back, z + STOREY))
    parts.box(wall, (b, y, z), (x + BAY, back, z + STOREY))
    parts.box(wall, (a, y, z), (b, back, low))
    parts.box(wall, (a, y, top), (b, back, z + STOREY))
    surround(parts, a, b, low, top, y)
    casements(parts, a, b, low, top, y + 0.2)
    room(parts, x, z, a, b, low, top, back, dice)
    balcony(parts, a - 0.28, b + 0.28, low, y, dice)
    for hinge, side in ((a - 0.02, -1), (b + 0.02, 1)):
        shutter(parts, hinge, side, low, top, y - 0.03, dice)


def surround(parts, a, b, low, top, y):
    """Build the stone frame and the small cornice above it."""
    for left, right in ((a - 0.14, a), (b, b + 0.14)):
        parts.box("stone", (left, y - 0.05, low), (right, y + 0.02, top + 0.14))
    parts.box("stone", (a, y - 0.05, top), (b, y + 0.02, top + 0.14))
    parts.box("stone", (a - 0.2, y - 0.14, top + 0.16), (b + 0.2, y, top + 0.22))
    parts.box("stone", (a - 0.26, y - 0.22, top + 0.22), (b + 0.26, y, top + 0.28))
    middle = (a + b) / 2
    parts.box("stone", (middle - 0.11, y - 0.1, top - 0.03), (middle + 0.11, y, top + 0.16))


def casements(parts, a, b, low, top, y):
    """Build the two glazed wings of a window."""
    middle, rail = (a + b) / 2, low + 0.72 * (top - low)
    for left, right in ((a, a + 0.06), (middle - 0.05, middle + 0.05), (b - 0.06, b)):
        parts.box("paint", (left, y, low), (right, y + 0.06, top))
    for level, height in ((low, 0.14), (rail, 0.05), (low + 0.36 * (top - low), 0.035), (top - 0.07, 0.07)):
        parts.box("paint", (a, y + 0.005, level), (b, y + 0.055, level + height))
    pane = [
        Vector(p) for p in ((a, y + 0.03, low), (b, y + 0.03, low), (b, y + 0.03, top), (a, y + 0.03, top))
    ]
    parts.add("glass", pane, [(0, 1, 2, 3)])


def room(parts, x, z, a, b, low, top, back, dice):
    """Build what is seen through the glass: a dark room, curtains, here and there a blind."""
    parts.box("room", (x, back + 1.6, z), (x + BAY, back + 1.7, z + STOREY))
    parts.box("room", (x, back, z - 0.05), (x + BAY, back + 1.7, z))
    parts.box("room", (x, back, z + STOREY - 0.05), (x + BAY, back + 1.7, z + STOREY))
    for wall in (x, x + BAY - 0.05):
        parts.box("room", (wall, back, z), (wall + 0.05, back + 1.7, z + STOREY))
    cloth, depth = dice.choice(("linen", "linen", "cream")), back - 0.02
    if dice.random() < 0.85:
        open_by = dice.uniform(0.18, 0.5)
        for left, right in ((a - 0.1, a + open_by), (b - open_by * dice.uniform(0.8, 1.2), b + 0.1)):
            parts.curtain(cloth, left, right, low, top, depth, dice)
    if dice.random() < 0.35:
        parts.box("cream", (a, depth - 0.05, top - dice.uniform(0.4, 1.2)), (b, depth - 0.04, top))


def balcony(parts, a, b, floor, y, dice):
    """Build a slab on brackets with an iron railing, sometimes with flowers."""
    parts.box("stone", (a, y - 0.5, floor - 0.16), (b, y, floor - 0.06))
    for bracket in (a + 0.12, b - 0.26):
        parts.box("stone", (bracket, y - 0.34, floor - 0.32), (bracket + 0.14, y, floor - 0.16))
        parts.box("stone", (bracket, y - 0.18, floor - 0.46), (bracket + 0.14, y, floor - 0.32))
    edge, top = y - 0.46, floor + 0.86
    for level, half in ((top, 0.022), (top - 0.14, 0.01), (floor + 0.04, 0.012)):
        parts.box("iron", (a, edge - half, level - half), (b, edge + half, level + half))
        for side in (a, b):
            parts.box("iron", (side - half, edge, level - half), (side + half, y, level + half))
    for k in range(17):
        bar = a + (b - a) * k / 16
        parts.box("iron", (bar - 0.008, edge - 0.008, floor - 0.06), (bar + 0.008, edge + 0.008, top))
    for k in range(1, 5):
        for side in (a, b):
            bar = edge + 0.46 * k / 5
            parts.box("iron", (side - 0.008, bar - 0.008, floor - 0.06), (side + 0.008, bar + 0.008, top))
    if dice.random() < 0.4:
        flowers(parts, a + 0.1, b - 0.1, edge - 0.14, top - 0.2, dice)


def flowers(parts, a, b, y, z, dice):
    """Build a box of geraniums on the railing."""
    parts.box("terracotta", (a, y - 0.09, z - 0.2), (b, y + 0.09, z))
    for _ in range(420):
        at = Vector((dice.uniform(a, b), y + dice.gauss(0, 0.09), z + abs(dice.gauss(0, 0.11)) - 0.04))
        parts.leaf("leaves", at, dice.uniform(0.05, 0.1), dice)
    for _ in range(130):
        at = Vector((dice.uniform(a, b), y + dice.gauss(-0.03, 0.09), z + dice.uniform(0.03, 0.26)))
        parts.leaf("petals", at, dice.uniform(0.04, 0.08), dice)


def shutter(parts, hinge, side, low, top, y, dice):
    """Build a louvered shutter, folded back against the wall, rarely half closed."""
    angle = -side * dice.choice((2, 3, 3, 4, 6, 9, 24))
    place = Matrix.Translation((hinge, y, 0)) @ Matrix.Rotation(pi / 180 * angle, 4, "Z")

    def piece(inner, outer, bottom, height, near=0.0, far=0.04):
        left, right = sorted((inner * side, outer * side))
        parts.box("shutter", (left, near - 0.04, bottom), (right, far - 0.04, bottom + height), place)

    for inner in (0.16, 0.55):
        piece(inner, inner + 0.06, low + 0.02, top - low)
    for level in (low + 0.02, (low + top) / 2, top - 0.05):
        piece(0.16, 0.61, level, 0.07)
    for k in range(30):
        piece(0.2, 0.57, low + 0.1 + k * (top - low - 0.2) / 30, 0.045, 0.008, 0.03)
