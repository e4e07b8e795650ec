"""Look-ups, whether or not what they look at is read ahead."""

import numpy as np
import pytest

from engine import resample

RNG = np.random.default_rng(5)
SIZE = 60, 80


def slanted(shape: tuple[int, int], first: tuple[float, float], slope: float):
    rows, columns = np.indices(shape, np.float32)
    return first[0] + columns + slope * rows, first[1] + rows - slope * columns


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [(), (1,), (4,)])
@pytest.mark.parametrize(
    "places",
    [
        slanted((40, 50), (10, 12), 0.2),
        slanted((40, 50), (-20, -30), 0.0),  # partly before the first pixel
        slanted((40, 50), (60, 40), 1.0),  # partly behind the last one
        slanted((40, 50), (-500, 700), 0.1),  # all of it
        slanted((1, 1), (3, 4), 0.0),
    ],
)
def test_reading_ahead_changes_nothing(monkeypatch, dtype, channels, places):
    pixels = (255 * RNG.random((*SIZE, *channels))).astype(dtype)
    plain = resample.sample(pixels, *places)
    monkeypatch.setattr(resample, "CACHE", 0)
    np.testing.assert_array_equal(resample.sample(pixels, *places), plain)
