"""What a pixel's surroundings look like: the first block of VGG-16, or what it comes to (3.1.2)."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadFile
from .threads import thread_count

Floats = NDArray[np.float32]
Network = Callable[[Floats], Floats]
"""Maps a (1, 3, H, W) picture to its (1, C, H, W) descriptors."""

NARROW, WHOLE = "vgg16_narrow.onnx", "vgg16_block1.onnx"
"""VGG-16's first block in 24 principal components, at a fifth of the cost, and as it was published."""

NO_REPORTS = "ORT_DISABLE_TELEMETRY"

_log = logging.getLogger(__name__)


def describe(picture: Floats, model: str = NARROW) -> Floats:
    """Describe each pixel by how VGG-16's first two convolutions respond to what is around it.

    Parameters
    ----------
    picture : (H, W, 3) float32
        RGB as displayed (not scene-linear), 0 to 1, at least 2 pixels high and wide.
    model : str
        `NARROW`, or `WHOLE` to compare with.

    Returns
    -------
    (H, W, C) float32
        Not normalized: they reach some thousands. A transposed view: each channel's plane is contiguous.
        WHOLE has 64 responses to 3 x 3 pixels, then 64 to 5 x 5 pixels, 0 or more. NARROW has 24 channels,
        whose squared differences between two pixels are nearly those of WHOLE.

    Raises
    ------
    BadFile
        The network's file is missing or can't be read.

    Notes
    -----
    All convolutions mirror the picture at its border. The network runs in onnxruntime, or in OpenCV where
    onnxruntime can't be loaded (some builds of Blender on Windows); both give the same descriptors.
    """
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32)
    descriptors: Floats = _network(model, thread_count())(planes)[0].transpose(1, 2, 0)
    return descriptors


@cache
def _network(name: str, threads: int) -> Network:
    """Return a network on the best backend that loads here."""
    model = _model_bytes(name)
    try:
        return _onnxruntime_network(model, threads)
    except (ImportError, OSError, RuntimeError) as error:  # a broken DLL shows as any of the three
        _log.warning("onnxruntime can't be loaded, descriptors come from OpenCV: %s", error)
        return _opencv_network(model)


def _onnxruntime_network(model: bytes, threads: int) -> Network:
    onnxruntime = _import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Waiting threads sleep: spinning ones would take the cores from the solver's own threads.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda planes: session.run(None, {"picture": planes})[0]


def _import_onnxruntime() -> Any:
    """Import onnxruntime without the reports on its use that it sends to its maker over the network.

    From 1.29 on it writes an identifier into the home folder on Linux and macOS, and sends it with each
    session. The environment variable is looked at once, while it's imported: nothing is written or sent.
    """
    before = os.environ.get(NO_REPORTS)
    os.environ[NO_REPORTS] = "1"
    try:
        import onnxruntime
    finally:
        if before is None:
            del os.environ[NO_REPORTS]
        else:
            os.environ[NO_REPORTS] = before
    onnxruntime.disable_telemetry_events()  # on Windows there is this alone
    return onnxruntime


def _opencv_network(model: bytes) -> Network:
    import cv2

    net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    turn = threading.Lock()  # a cv2 network holds its input: two solves must not interleave

    def run(planes: Floats) -> Floats:
        with turn:
            net.setInput(planes)
            return np.array(net.forward(), np.float32)  # a copy: its buffer is used again by the next run

    return run


def _model_bytes(name: str) -> bytes:
    """Read a network from `models`, which lies beside this package, or inside it once installed by pip."""
    package = Path(__file__).resolve().parent
    places = (package.parent / "models" / name, package / "models" / name)
    for place in places:
        if place.is_file():
            return place.read_bytes()
    raise BadFile(f"The file {places[0]} is missing. Install Endless Loops again.")
