"""What the panels know of a still after it, its mask or its directions have changed."""

import pytest


@pytest.fixture
def facts(addon):
    """Read what the panels show, as the timer does after a change."""
    return addon("freshness")._read


def test_the_mask_is_read_once_after_a_brush_stroke(solved, addon, facts, monkeypatch):
    read = []
    read_pixels = addon("bridge.images").read_pixels
    for module in ("bridge.images", "bridge.masks"):
        monkeypatch.setattr(
            addon(module), "read_pixels", lambda image: read.append(image.name) or read_pixels(image)
        )
    facts(solved)
    read.clear()
    solved.endless_loops.mask_image.update()
    assert facts(solved).coverage > 0.4
    assert read == [solved.endless_loops.mask_image.name]
