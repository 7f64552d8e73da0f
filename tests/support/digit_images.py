"""Scikit-learn's digits as images: in files of NumPy, of IDX, and as PNGs."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits


def digits(rows: int = 300, first: int = 0) -> tuple[Any, Any]:
    """Some of them: pixels of shape (rows, 8, 8), uint8, and what they are."""
    found: Any = load_digits()
    some = slice(first, first + rows)
    pixels = np.minimum(found.images[some] * 16, 255).astype(np.uint8)
    return pixels, found.target[some]


def write_npz(path: Path, rows: int = 300) -> Path:
    """One file of NumPy."""
    pixels, classes = digits(rows)
    np.savez(path, X=pixels, y=classes)
    return path


def write_idx(folder: Path, rows: int = 300, tests: int = 100) -> Path:
    """Files of IDX to learn from and to test on, packed, as MNIST comes."""
    folder.mkdir()
    for name, count, first in (("train", rows, 0), ("t10k", tests, rows)):
        pixels, classes = digits(count, first)
        head = struct.pack(">4BIII", 0, 0, 8, 3, *pixels.shape)
        images = gzip.compress(head + pixels.tobytes())
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(images)
        head = struct.pack(">4BI", 0, 0, 8, 1, count)
        labels = gzip.compress(head + classes.astype(np.uint8).tobytes())
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(labels)
    return folder


def write_folder(folder: Path, rows: int = 120, classes: int = 3) -> Path:
    """A PNG of each digit below a number, in the folder of its class."""
    from PIL import Image

    pixels, numbers = digits(rows)
    for row, (image, number) in enumerate(zip(pixels, numbers.tolist(), strict=True)):
        if number < classes:
            place = folder / f"digit {number}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{row}.png")
    return folder
