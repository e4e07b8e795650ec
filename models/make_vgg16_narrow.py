"""Write vgg16_narrow.onnx: what the 128 responses of vgg16_block1.onnx tell apart, at a fifth of the cost.

Needs ``numpy``, ``opencv-python-headless`` and ``onnx``; no download, no photograph::

    python models/make_vgg16_narrow.py

The first block of VGG-16 says much of what it says several times over. Of the first convolution the channels
stay that the second one can't do without, of the second one those that tell most about all others, and its
kernels are fitted anew to what is left (channel pruning, He, Zhang and Sun 2017). A third convolution, of
single pixels, turns both into as many principal components of all 128 responses: squared differences of its
output are those of the whole block. Everything is fitted on pictures of dead leaves (Lee, Mumford and Huang
2001): disks and bars that hide each other, whose edges and sizes are spread as in photographs.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
from make_vgg16_block1 import TARGET as SOURCE
from make_vgg16_block1 import as_model, mirrored_layers
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Doubles = NDArray[np.float64]

TARGET = Path(__file__).with_name("vgg16_narrow.onnx")
FIRST, SECOND, COMPONENTS = 16, 32, 24
"""Channels of each convolution. OpenCV and onnxruntime work on sixteen, or eight, at a time."""
PICTURES, SIDE, PLACES = 24, 160, 1200
"""Pictures of leaves, their pixels a side, and the places in each whose responses are fitted."""
LEAVES = 700
HELD = 1e-3
"""Weight of the kernels' own squares: without, channels that hardly ever answer would get any."""


def leaves(generator: np.random.Generator) -> Doubles:
    """Paint a picture, (SIDE, SIDE, 3), 0 to 1, of leaves of all sizes, with some texture and blur."""
    picture = np.full((SIDE, SIDE, 3), generator.uniform(0.1, 0.9, 3))
    for _ in range(LEAVES):
        radius = min(3 / generator.uniform(0.02, 1) ** 0.7, 70)
        center = tuple(map(int, generator.uniform(0, SIDE, 2)))
        hue = generator.normal(0, 0.12) * np.array([1, 0.1, -1]) + generator.normal(0, 0.05) * np.array(
            [1, -2, 1]
        )
        color = np.clip(generator.uniform(0.05, 0.95) + hue, 0, 1).tolist()
        kind = generator.integers(3)
        if kind == 0:
            cv2.circle(picture, center, int(radius), color, -1)
            continue
        size = (
            (2 * radius, radius * generator.uniform(0.2, 2))
            if kind == 1
            else (3 * radius, max(1, radius * 0.15))
        )
        corners = cv2.boxPoints((center, size, generator.uniform(0, 180)))
        cv2.fillConvexPoly(picture, corners.astype(int), color)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    frequency[0, 0] = 1
    texture = np.fft.ifft2(np.fft.fft2(generator.normal(size=(SIDE, SIDE))) / frequency**0.7).real
    picture += 0.06 * (texture / texture.std())[..., None]
    return np.clip(cv2.GaussianBlur(picture, (0, 0), generator.uniform(0.4, 1.0)), 0, 1)


def windows(planes: Doubles) -> Doubles:
    """Return the 3 x 3 pixels around each one, (h, w, C, 9) of (h, w, C), mirrored at the border."""
    height, width = planes.shape[:2]
    wide = np.pad(planes, ((1, 1), (1, 1), (0, 0)), "reflect")
    return np.stack([wide[y : y + height, x : x + width] for y in range(3) for x in range(3)], -1)


def responses(weights: dict[str, Doubles]) -> tuple[Doubles, Doubles]:
    """Return what the second convolution sees at places, (N, 64, 9), and the first one's answers, (N, 64)."""
    generator = np.random.default_rng(0)
    kernels = weights["kernels1"].reshape(-1, 3, 9)
    seen, first = [], []
    for _ in range(PICTURES):
        picture = leaves(generator)
        answers = np.maximum(np.einsum("hwcn,ocn->hwo", windows(picture), kernels) + weights["biases1"], 0)
        row, column = generator.integers(0, SIDE, (2, PLACES))
        seen.append(windows(answers)[row, column])
        first.append(answers[row, column])
    return np.concatenate(seen), np.concatenate(first)


def telling(answers: Doubles, count: int) -> list[int]:
    """Choose, one after the other, the channels from which all others can be told best by a linear map."""
    left = np.cov(answers.T)
    least = 1e-6 * np.trace(left)
    chosen: list[int] = []
    for _ in range(count):
        told = np.square(left).sum(0) / np.maximum(np.diag(left), least)
        told[chosen] = -1
        best = int(told.argmax())
        chosen.append(best)
        left = left - np.outer(left[:, best], left[best]) / left[best, best]
    return sorted(chosen)


def refitted(seen: Doubles, sums: Doubles) -> tuple[list[int], Doubles, Doubles]:
    """Drop channels of (N, 64, 9) windows that sums, (N, M), hardly need; fit kernels to those that stay.

    Returns the channels, kernels (M, FIRST, 3, 3) and biases (M,).
    """
    channels, places = list(range(seen.shape[1])), seen.shape[2]
    rows = np.concatenate([seen.reshape(len(seen), -1), np.ones((len(seen), 1))], axis=1)
    square = rows.T @ rows / len(rows) + HELD * np.eye(rows.shape[1])
    asked = rows.T @ sums / len(rows)

    def numbers() -> NDArray[np.intp]:
        return np.concatenate(
            [*(np.arange(places) + places * channel for channel in channels), [rows.shape[1] - 1]]
        )

    while len(channels) > FIRST:
        kept = numbers()
        inverse = np.linalg.inv(square[np.ix_(kept, kept)])
        fitted = inverse @ asked[kept]
        blocks = [slice(start, start + places) for start in range(0, len(kept) - 1, places)]
        # By how much the error grows without each channel, all others fitted anew.
        losses = [
            np.sum(fitted[block] * np.linalg.solve(inverse[block, block], fitted[block])) for block in blocks
        ]
        del channels[int(np.argmin(losses))]
    kept = numbers()
    fitted = np.linalg.solve(square[np.ix_(kept, kept)], asked[kept])
    return channels, fitted[:-1].T.reshape(-1, FIRST, 3, 3), fitted[-1]


def components(answers: Doubles, everything: Doubles) -> tuple[Doubles, Doubles]:
    """Turn answers, (N, n), into principal components of everything, (N, 128), as far as they tell it.

    Returns a matrix, (COMPONENTS, n), and what to add, (COMPONENTS,): the mean becomes 0.
    """
    mean = answers.mean(0)
    away = answers - mean
    square = away.T @ away / len(away)
    held = 1e-4 * np.trace(square) / len(square) * np.eye(len(square))
    told = np.linalg.solve(square + held, away.T @ (everything - everything.mean(0)) / len(away))
    _, directions = np.linalg.eigh(told.T @ square @ told)
    matrix = (told @ directions[:, : -COMPONENTS - 1 : -1]).T
    return matrix, -matrix @ mean


def narrow_block(weights: dict[str, Doubles]) -> onnx.ModelProto:
    """Fit the narrow network and build it: mirror, convolve, rectify, twice, then the third convolution."""
    seen, first = responses(weights)
    sums = np.einsum("ncp,ocp->no", seen, weights["kernels2"].reshape(-1, *seen.shape[1:]), optimize=True)
    sums += weights["biases2"]
    second = telling(np.maximum(sums, 0), SECOND)
    channels, kernels, biases = refitted(seen, sums[:, second])
    answers = (
        np.einsum("ncp,ocp->no", seen[:, channels], kernels.reshape(SECOND, FIRST, -1), optimize=True)
        + biases
    )
    known = np.concatenate([first[:, channels], np.maximum(answers, 0)], axis=1)
    matrix, offset = components(known, np.concatenate([first, np.maximum(sums, 0)], axis=1))
    parts = {
        "kernels1": weights["kernels1"][channels],
        "biases1": weights["biases1"][channels],
        "kernels2": kernels,
        "biases2": biases,
        "kernels3": matrix[..., None, None],
        "biases3": offset,
    }
    nodes = [
        *mirrored_layers(),
        helper.make_node("Concat", ["features1", "features2"], ["features"], "concat", axis=1),
        helper.make_node("Conv", ["features", "kernels3", "biases3"], ["descriptors"], "conv3"),
    ]
    return as_model("vgg16_narrow", nodes, parts, COMPONENTS, "; channels pruned")


if __name__ == "__main__":
    whole = onnx.load(str(SOURCE))
    weights = {item.name: numpy_helper.to_array(item).astype(np.float64) for item in whole.graph.initializer}
    TARGET.write_bytes(narrow_block(weights).SerializeToString(deterministic=True))
