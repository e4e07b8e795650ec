"""PNG files whose unchanging rows are compressed once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.png import BAND, PngEncoder, write_png
from engine.threads import limited_threads

SHAPE = (60, 47)


def decoded(encoded):
    """Read a PNG with OpenCV, which checks every checksum, in RGB(A) order."""
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    picture = picture.reshape(*picture.shape[:2], -1)
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


@pytest.mark.parametrize("height", [1, BAND, BAND + 1, 3 * BAND - 1])
@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 4), (np.uint8, 1), (np.uint16, 3)])
def test_a_picture_that_is_written_in_bands_is_read_as_it_is(tmp_path, dtype, channels, height):
    picture = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, (height, 47, channels), dtype)
    done, written = [], []
    for threads in (1, 3):
        with limited_threads(threads):
            write_png(tmp_path / "large.png", picture, done.append)
        written.append((tmp_path / "large.png").read_bytes())
    np.testing.assert_array_equal(decoded(written[0]), picture)
    assert written[0] == written[1]
    assert done[0] == 0 and sorted(done[: len(done) // 2]) == done[: len(done) // 2] and max(done) < 1
