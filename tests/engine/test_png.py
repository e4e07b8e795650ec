"""PNG files whose unchanging rows are compressed once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.png import PngEncoder

SHAPE = (60, 47)


def decoded(encoded):
    """Read a PNG with OpenCV, which checks every checksum, in RGB(A) order."""
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED).reshape(*SHAPE, -1)
    return picture[..., [2, 1, 0, 3][: picture.shape[2]] if picture.shape[2] > 1 else [0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("rows", [slice(0, 60), slice(0, 1), slice(59, 60), slice(13, 41), None])
def test_pictures_that_differ_in_some_rows_are_read_as_they_are(dtype, channels, rows):
    generator = np.random.default_rng(channels)
    white = np.iinfo(dtype).max
    still = generator.integers(0, white, (*SHAPE, channels), dtype, endpoint=True)
    still[20:30] = white  # runs, and rows whose checksum is large
    encoder = PngEncoder(still, rows)
    for _ in range(2):
        picture = still.copy()
        changed = picture[rows or slice(None)]
        changed[:] = generator.integers(0, white, changed.shape, dtype, endpoint=True)
        np.testing.assert_array_equal(decoded(encoder.encode(picture)), picture)
