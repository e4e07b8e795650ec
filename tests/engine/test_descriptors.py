"""Descriptors: the published network, the narrow one that stands for it, and both on either backend."""

import logging
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine import BadFile, descriptors

ROOT = Path(__file__).resolve().parents[2]

PUBLISHED_KERNEL_SUMS_BGR = np.array(
    [
        [0.01799005, -0.03239784, 0.02609783],
        [1.36699462, 0.38189861, -1.52671444],
        [0.03568247, 0.45533022, -0.03898156],
    ]
)
PUBLISHED_BIASES = np.array([0.73429835, 0.09340367, 0.06775674])
"""The first three channels of Oxford's first layer, kernels summed over their 3 x 3 pixels."""


@pytest.fixture(autouse=True)
def fresh_network():
    """Each test loads the network anew, and leaves none that it has tampered with."""
    descriptors._network.cache_clear()
    yield
    descriptors._network.cache_clear()


@pytest.fixture
def without_onnxruntime(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # importing it now raises ImportError


def noise(height, width):
    return np.random.default_rng(7).random((height, width, 3), dtype=np.float32)


@pytest.mark.parametrize(("name", "channels"), [(descriptors.NARROW, 24), (descriptors.WHOLE, 128)])
@pytest.mark.parametrize("size", [(2, 2), (64, 91), (200, 300)])
def test_both_backends_give_the_same_descriptors(size, name, channels, caplog):
    picture = noise(*size)
    with_onnxruntime = descriptors.describe(picture, name)
    model = descriptors._model_bytes(name)
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
    with_opencv = descriptors._opencv_network(model)(planes)[0].transpose(1, 2, 0)
    assert not caplog.records, "onnxruntime did not load: OpenCV was compared with itself"
    assert with_onnxruntime.shape == (*size, channels)
    assert with_onnxruntime.dtype == np.float32
    np.testing.assert_allclose(with_opencv, with_onnxruntime, rtol=1e-5, atol=0.01)


def test_the_network_is_the_published_one_fed_as_it_was_trained():
    """A picture of one color leaves one number a channel, computed here from the published first values."""
    orange = np.broadcast_to(np.array([1.0, 0.6, 0.1], np.float32), (8, 8, 3))
    response = descriptors.describe(orange, descriptors.WHOLE)
    assert np.ptp(response, axis=(0, 1)).max() < 0.01, (
        "the border is mirrored, so one color stays one response"
    )
    assert response.min() == 0
    means_bgr = np.array([103.939, 116.779, 123.68])
    expected = np.maximum(
        PUBLISHED_KERNEL_SUMS_BGR @ (np.array([25.5, 153.0, 255.0]) - means_bgr) + PUBLISHED_BIASES, 0
    )
    np.testing.assert_allclose(response[4, 4, :3], expected, atol=0.01)


@pytest.mark.parametrize("blur", [0.5, 2.0])
def test_the_narrow_network_tells_places_apart_as_the_whole_one_does(blur):
    """On the shipped still, at two sizes of detail: it was fitted on pictures of dead leaves."""
    still = cv2.imread(str(ROOT / "examples" / "facade" / "still.png"))
    picture = cv2.resize(cv2.GaussianBlur(still, (0, 0), 4 * blur), None, fx=0.25, fy=0.25)[..., ::-1] / 255
    generator = np.random.default_rng(3)
    rows, columns = (generator.integers(0, side, (2, 4000)) for side in picture.shape[:2])
    whole, narrow = (
        np.square(answers[rows[0], columns[0]] - answers[rows[1], columns[1]]).sum(1)
        for answers in (
            descriptors.describe(picture, name) for name in (descriptors.WHOLE, descriptors.NARROW)
        )
    )
    assert 0.85 < narrow.sum() / whole.sum() < 1.02
    assert np.corrcoef(np.sqrt(whole), np.sqrt(narrow))[0, 1] > 0.99


def test_without_onnxruntime_opencv_takes_over_and_says_so(without_onnxruntime, caplog):
    with caplog.at_level(logging.WARNING):
        response = descriptors.describe(noise(40, 50))
    assert response.shape == (40, 50, 24)
    assert "OpenCV" in caplog.text


def test_opencv_results_stay_as_they_were_after_the_next_run(without_onnxruntime):
    first = descriptors.describe(noise(40, 50))
    before = first.copy()
    descriptors.describe(np.zeros((40, 50, 3), np.float32))
    np.testing.assert_array_equal(first, before)


def test_a_missing_model_says_what_to_do():
    with pytest.raises(BadFile, match="Install Endless Loops again"):
        descriptors.describe(noise(8, 8), "not_there.onnx")
