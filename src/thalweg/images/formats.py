"""The formats of images that are read, and Pillow, which reads them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

from thalweg.errors import ArgumentError

FORMATS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
}
"""Each format by Pillow's name for it, and how names of its files end."""

SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)

LEAST_PILLOW = 13
"""Pillow's first version in which what a TIFF says of itself takes bounded memory."""

MODULES = ("Bmp", "Gif", "Jpeg", "Mpo", "Png", "Ppm", "Tiff", "WebP")
"""What of Pillow reads them; nothing else of it is ever given a file."""


def is_image_name(name: str) -> bool:
    """Whether a name ends as one of an image does.

    >>> is_image_name("Tom.JPG"), is_image_name("tom.txt"), is_image_name("png")
    (True, False, False)
    """
    return name.lower().endswith(SUFFIXES)


@cache
def pillow() -> ModuleType:
    """Pillow's module `Image`, which knows the formats that are read.

    Raises:
        ArgumentError: Pillow isn't installed, or is older than `LEAST_PILLOW`.
    """
    try:
        version = import_module("PIL").__version__
        for name in MODULES:
            import_module(f"PIL.{name}ImagePlugin")
    except ImportError:
        version = "0"
    if int(version.partition(".")[0]) < LEAST_PILLOW:
        found = f", but is {version}" if version != "0" else ""
        raise ArgumentError(
            f"to read images, the package Pillow, {LEAST_PILLOW} or newer, must be "
            f"installed{found}: pip install 'thalweg[images]'"
        )
    return import_module("PIL.Image")
