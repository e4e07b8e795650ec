"""The compositor in a real window: strokes on the backdrop, painting from there, and the loop of nodes."""

import bpy
import numpy as np

from .conftest import SCREENSHOTS


def color_at(screenshot, x, y):
    """RGB of a pixel of the window, counted from its bottom left corner, 0 to 1."""
    image = bpy.data.images.load(str(SCREENSHOTS / "scenario_compositor" / screenshot))
    width, height = image.size
    flat = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(flat)
    bpy.data.images.remove(image)
    return flat.reshape(height, width, 4)[y, x, :3]


def test_strokes_on_the_backdrop_and_the_loop_of_nodes(play):
    found = play("scenario_compositor")
    for index, view in enumerate(found["views"]):
        # The pointer was on the dots that the backdrop shows, so the stroke must be on the still's dots.
        first, last = (color_at(f"c3_backdrop_{index}.png", *place) for place in view["screen"])
        assert first[0] > 0.5 and first[1] < 0.4 and first[2] > 0.5, f"no magenta dot in view {index}"
        assert last[1] > 0.5 and last[0] < 0.4 and last[2] < 0.4, f"no green dot in view {index}"
        np.testing.assert_allclose(view["stroke"], found["marks"], atol=max(1, 1 / view["zoom"]))
    assert len({(view["zoom"], view["scale"]) for view in found["views"]}) == 6
    assert (found["after_undo"], found["after_a_click"], found["after_redrawing"]) == (0, 0, 1)
    assert found["painting_in"] == ["IMAGE_EDITOR", "marked.png Mask", "PAINT", "Endless Loops"]
    assert found["back_in"] == ["CompositorNodeTree", "marked.png"]
    assert found["playing"]
    assert found["nodes"].count("CompositorNodeGroup") == 1
    assert found["renewed"]
    assert found["removed"] == [2, 1, 2]
