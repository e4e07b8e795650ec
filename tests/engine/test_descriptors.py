"""Descriptors: the published network, and the same one on either backend."""

import logging
import sys

import numpy as np
import pytest

from engine import BadFile, descriptors

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


@pytest.mark.parametrize("size", [(2, 2), (64, 91), (200, 300)])
def test_both_backends_give_the_same_descriptors(size, caplog):
    picture = noise(*size)
    with_onnxruntime = descriptors.describe(picture)
    model = descriptors._model_bytes()
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
    with_opencv = descriptors._opencv_network(model)(planes)[0].transpose(1, 2, 0)
    assert not caplog.records, "onnxruntime did not load: OpenCV was compared with itself"
    assert with_onnxruntime.shape == (*size, 128)
    assert with_onnxruntime.dtype == np.float32
    np.testing.assert_allclose(with_opencv, with_onnxruntime, rtol=1e-5, atol=0.01)


def test_the_network_is_the_published_one_fed_as_it_was_trained():
    """A picture of one color leaves one number a channel, computed here from the published first values."""
    orange = np.broadcast_to(np.array([1.0, 0.6, 0.1], np.float32), (8, 8, 3))
    response = descriptors.describe(orange)
    assert np.ptp(response, axis=(0, 1)).max() < 0.01, (
        "the border is mirrored, so one color stays one response"
    )
    assert response.min() == 0
    means_bgr = np.array([103.939, 116.779, 123.68])
    expected = np.maximum(
        PUBLISHED_KERNEL_SUMS_BGR @ (np.array([25.5, 153.0, 255.0]) - means_bgr) + PUBLISHED_BIASES, 0
    )
    np.testing.assert_allclose(response[4, 4, :3], expected, atol=0.01)


def test_without_onnxruntime_opencv_takes_over_and_says_so(without_onnxruntime, caplog):
    with caplog.at_level(logging.WARNING):
        response = descriptors.describe(noise(40, 50))
    assert response.shape == (40, 50, 128)
    assert "OpenCV" in caplog.text


def test_opencv_results_stay_as_they_were_after_the_next_run(without_onnxruntime):
    first = descriptors.describe(noise(40, 50))
    before = first.copy()
    descriptors.describe(np.zeros((40, 50, 3), np.float32))
    np.testing.assert_array_equal(first, before)


def test_a_missing_model_says_what_to_do(monkeypatch):
    monkeypatch.setattr(descriptors, "MODEL", "not_there.onnx")
    with pytest.raises(BadFile, match="Install Endless Loops again"):
        descriptors.describe(noise(8, 8))
