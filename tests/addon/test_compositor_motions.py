"""Nodes that play soft edges, several speeds and curved paths, held against the engine's frames."""

import bpy
import numpy as np
import pytest

from .conftest import inset, new_image, windows
from .test_compositor import EXACT, TOLERANCE, image_node, new_tree, render, to_compositor, worst

pytestmark = pytest.mark.skipif(not EXACT, reason="4.5 plays a sequence instead of nodes")


def soft(image):
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    image.endless_loops.soft_edge = 30


def three_speeds(image):
    image.endless_loops.add_direction([(60, 140), (60, 20)])
    image.endless_loops.add_direction([(120, 140), (120, 20)], turns=2)
    image.endless_loops.add_direction([(180, 20), (180, 140)])


def held(image):
    image.endless_loops.add_direction([(60, 140), (60, 20)], turns=3)
    image.endless_loops.add_direction([(180, 60), (180, 100)], turns=0)


def curved(image):
    angles = np.linspace(0, 2 * np.pi, 40)
    image.endless_loops.add_direction(np.stack([120 + 50 * np.cos(angles), 80 + 50 * np.sin(angles)], 1))


def wheel():
    """Petals around the middle, 12 of them."""
    y, x = np.mgrid[-80:80, -120:120]
    angle, radius = np.arctan2(y, x), np.hypot(y, x)
    bright = 128 + 60 * np.sin(12 * angle) * np.sin(radius / 9) + 30 * np.cos(24 * angle)
    return np.repeat(np.clip(bright, 0, 255).astype(np.uint8)[..., None], 3, 2)


@pytest.mark.parametrize(
    ("picture", "draw"),
    [(windows, soft), (windows, three_speeds), (windows, held), (wheel, curved)],
    ids=["soft edge", "three speeds", "held", "curved"],
)
def test_every_frame_is_the_engines(saved, picture, draw):
    still = new_image(picture())
    still.endless_loops.set_mask(inset())
    draw(still)
    assert bpy.ops.endless_loops.solve(image=still.name) == {"FINISHED"}
    assert (still.endless_loops.loop().paths[0].bend is not None) == (draw is curved)
    still.endless_loops.frame_count = 8
    image_node(new_tree(bpy.context.scene), still)
    to_compositor(still)
    for frame in (1, 2, 4, 5, 8):
        rendered = render(saved, frame, size=still.size)
        assert worst(rendered, still, frame, np.ones((160, 240), bool)) <= TOLERANCE


def test_paths_that_are_known_in_cells_are_played_as_exactly(saved):
    still = new_image(windows(322, 481))
    still.endless_loops.set_mask(inset(322, 481))
    still.endless_loops.add_direction([(240, 280), (240, 40)])
    assert bpy.ops.endless_loops.solve(image=still.name) == {"FINISHED"}
    assert still.endless_loops.loop().paths[0].cell > 1
    still.endless_loops.frame_count = 8
    image_node(new_tree(bpy.context.scene), still)
    to_compositor(still)
    for frame in (1, 3, 5, 8):
        rendered = render(saved, frame, size=still.size)
        assert worst(rendered, still, frame, np.ones((322, 481), bool)) <= TOLERANCE
