"""Rows and first parameters: made by a stated rule, or MNIST where a path is given."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np

from benchmarks.layers import Conv, Dense, Network, learns, weights_shape
from benchmarks.work import Start

Rows = tuple[np.ndarray, np.ndarray]


def first_parameters(
    network: Network, seed: int, learning_rate: float = 0.001
) -> Start:
    """Glorot's uniform weights, and biases of zero; a normal scale of one."""
    generator = np.random.default_rng(seed)
    weights: list[np.ndarray] = []
    for layer, given in network.walked:
        shape = weights_shape(layer, given)
        if isinstance(layer, Dense | Conv):
            window = math.prod(shape[:-2])
            limit = np.sqrt(6 / (window * (shape[-2] + shape[-1])))
            weights.append(generator.uniform(-limit, limit, shape).astype(np.float32))
        elif learns(layer):
            weights.append(np.ones(shape, np.float32))
    return Start(
        weights, [np.zeros(w.shape[-1], np.float32) for w in weights], learning_rate
    )


def binary_rows(rows: int, features: int, outputs: int) -> Rows:
    """Normal inputs; outputs of 0 and 1 by a rule that isn't linear."""
    generator = np.random.default_rng(0)
    X = generator.standard_normal((rows, features), np.float32)
    rule = generator.standard_normal((features, outputs), np.float32)
    Y = np.tanh(X) @ rule + X[:, :1] * X[:, 1:2] > 0
    return X, Y.astype(np.float32)


def class_rows(rows: int, features: int, classes: int) -> Rows:
    """Normal inputs; the class is the largest of some functions of them."""
    generator = np.random.default_rng(0)
    X = generator.standard_normal((rows, features), np.float32)
    rule = generator.standard_normal((features, classes), np.float32)
    return X, (np.tanh(X) @ rule).argmax(axis=1)


def matrix_exponentials(rows: int, features: int, outputs: int) -> Rows:
    """2×2 matrices, flattened, and their exponentials, as SimpleChains' example has."""
    from scipy.linalg import expm

    if (features, outputs) != (4, 4):
        raise ValueError(f"a 2×2 matrix has 4 entries, not {features} and {outputs}")
    matrices = np.random.default_rng(0).standard_normal((rows, 2, 2)) / 2
    exponentials = np.array([expm(matrix) for matrix in matrices])
    return (
        matrices.reshape(rows, 4).astype(np.float32),
        exponentials.reshape(rows, 4).astype(np.float32),
    )


MAKERS = {
    "binary": binary_rows,
    "classes": class_rows,
    "squares": matrix_exponentials,
}


def read_idx(path: Path) -> np.ndarray:
    """An array of bytes in MNIST's IDX format: magic number, sizes, then the data."""
    content = gzip.decompress(path.read_bytes())
    dimensions = content[3]
    shape = np.frombuffer(content, ">i4", dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def mnist(folder: Path, part: str) -> Rows:
    """Images (rows, 784) between 0 and 1, and their digits; part is train or t10k."""
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz")
    digits = read_idx(folder / f"{part}-labels-idx1-ubyte.gz")
    X = images.reshape(len(images), -1).astype(np.float32) / 255
    return X, digits.astype(np.int64)
