"""Folders and archives of images that tests read."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from thalweg.images import ImageForm, ImageSet

FORM = ImageForm(4, 4, 1)


def write(path: Path, number=0, size=(6, 5), mode="L", **options):
    """An image that is told from others by its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, size, np.uint8)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return pixels


def folder_of(tmp_path: Path, *names: str) -> Path:
    """A folder `photos` with images of these names."""
    root = tmp_path / "photos"
    for number, name in enumerate(names):
        write(root / name, number)
    return root


def zipped(root: Path, inside: str = "") -> Path:
    """An archive beside the folder."""
    path = root.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as out:
        for file in sorted(root.rglob("*")):
            out.write(file, inside + file.relative_to(root).as_posix())
    return path


def shown(path: Path) -> np.ndarray:
    """The pixels of an image as Pillow reads them."""
    return np.asarray(Image.open(path))


def classes_of(images: ImageSet) -> dict[str, str]:
    return dict(zip(images.names, np.asarray(images.targets).tolist(), strict=True))


def why(images: ImageSet) -> dict[str, str]:
    return {each.name: each.reason for each in images.left_out}
