"""Matrix products that stay on the thread that asks for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ALONE = 1 << 18
"""Multiplications; OpenBLAS shares larger products among threads, which then keep a core busy, waiting for
more, for a tenth of a second."""


def product(left: Floats, right: Floats) -> Floats:
    """Multiply a small matrix by a wide one, block of columns by block of columns.

    Parameters
    ----------
    left : (K, M) float32
    right : (M, N) float32

    Returns
    -------
    (K, N) float32
    """
    width = max(1, ALONE // left.size)
    count = right.shape[1]
    found = np.empty((len(left), count), np.float32)
    whole = count - count % width

    def blocks(matrix: Floats) -> Floats:
        return matrix[:, :whole].reshape(len(matrix), -1, width).transpose(1, 0, 2)

    np.matmul(left, blocks(right), out=blocks(found))
    np.matmul(left, right[:, whole:], out=found[:, whole:])
    return found


def covariance(samples: Floats) -> Floats:
    """Average the products of an (M, N) float32 matrix's rows over its columns, but for the last few."""
    width = max(1, ALONE // len(samples) ** 2)
    count = samples.shape[1] // width * width
    blocks = samples[:, :count].reshape(len(samples), -1, width).transpose(1, 0, 2)
    return np.asarray(np.matmul(blocks, blocks.transpose(0, 2, 1)).sum(0) / count, np.float32)
