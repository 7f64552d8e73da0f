"""Give what reads images broken files for a while, and count what it says.

    python scripts/fuzz_images.py --count 100000 --seed 1

Image files of every format are broken and put beside whole ones. Whatever is in such a
file, the whole ones must be read to the pixel, and the broken one is read or left out
by name; read alone, it must be the same or an error that names it. Files of IDX and of
NumPy's arrays, and archives, must be read or refused with an error of thalweg's own
that names the file. Anything else is a finding: it is told, its file is kept, and the
exit status is 1.
"""

from __future__ import annotations

import gzip
import io
import random
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import fuzzing
import numpy as np
from fuzzing import BrokenPromiseError, Meter
from image_mutations import broken_file
from PIL import Image

from thalweg.errors import DataError, ThalwegError
from thalweg.images import ImageData, is_images, read_image, read_images
from thalweg.images.decode import MOST_PIXELS, MOST_SIDE
from thalweg.images.formats import FORMATS
from thalweg.images.labels import LABELS

fuzzing.MOST_SECONDS = 10.0
fuzzing.MOST_MEMORY = 1280 * 2**20
"""What an image of as many pixels as may be takes, in the dearest format."""

WHOLE = {"a/whole.png": 1, "b/whole.png": 2}
SIZE = (6, 5)
SAMPLES: list[tuple[str, bytes]] = []
BOMBS: list[tuple[str, bytes]] = []
BOMB_SHARE = 0.005  # each takes a second or two


def whole(number: int) -> Any:
    """The pixels of a file that isn't broken."""
    return np.random.default_rng(number).integers(0, 256, SIZE, np.uint8)


# Samples ------------------------------------------------------------------------------


def prepare_samples(folder: Path) -> None:
    """Write images in every format and kind of pixels, arrays and archives."""
    samples = folder / "samples"
    samples.mkdir()
    for number, (name, content) in enumerate(sample_files()):
        (samples / f"{number}{name}").write_bytes(content)
    bombs = folder / "bombs"
    bombs.mkdir()
    for number, (name, content) in enumerate(bomb_files()):
        (bombs / f"{number}{name}").write_bytes(content)


def bomb_files() -> list[tuple[str, bytes]]:
    """Small files that become as many pixels as an image may have."""
    side, narrow = int(MOST_PIXELS**0.5), MOST_PIXELS // MOST_SIDE
    quick: dict[str, Any] = {"lossless": True, "method": 0, "quality": 0}
    cases: list[tuple[str, Any, dict[str, Any]]] = [
        ("PNG", Image.new("RGBA", (side, side)), {"compress_level": 1}),
        ("PNG", Image.new("LA", (MOST_SIDE, narrow)), {"compress_level": 1}),
        ("WEBP", Image.new("RGBA", (side, side)), quick),
    ]
    return [(FORMATS[kind][0], saved(image, kind, **how)) for kind, image, how in cases]


def sample_files() -> list[tuple[str, bytes]]:
    """The end of a name, and the content, of each sample."""
    made = [*image_files(), *array_files()]
    images = [each for each in made if not each[0].endswith(("ubyte", ".gz", ".npz"))]
    return [*made, *archives(images)]


def image_files() -> list[tuple[str, bytes]]:
    """Images in every format."""
    color = np.random.default_rng(0).integers(0, 256, (23, 19, 4), np.uint8)
    rgba = Image.fromarray(color)
    rgb, grey = rgba.convert("RGB"), rgba.convert("L")
    deep = Image.fromarray(color[..., 0].astype(np.uint16) * 200)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    frames: dict[str, Any] = {"save_all": True, "append_images": [grey, rgb]}
    cases: list[tuple[str, Any, dict[str, Any]]] = [
        *(("PNG", image, {}) for image in (rgba, rgb, grey, deep, rgba.convert("LA"))),
        ("PNG", rgb.quantize(9), {"transparency": 3}),
        ("PNG", grey.convert("1"), {"exif": exif}),
        ("PNG", rgb, frames),
        *(("JPEG", rgb, {"progressive": each, "exif": exif}) for each in (True, False)),
        *(("JPEG", image, {}) for image in (grey, rgb.convert("CMYK"))),
        *(("GIF", image, frames) for image in (grey, rgb)),
        *(("BMP", image, {}) for image in (rgba, rgb, grey, grey.convert("1"))),
        *(("TIFF", image, {}) for image in (rgba, grey, deep, rgb.quantize(9))),
        *(
            ("TIFF", rgb, {"compression": each})
            for each in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
        ),
        ("TIFF", grey.convert("1"), {"compression": "group4"}),
        ("TIFF", rgb, frames),
        *(("WEBP", rgba, {"lossless": each, "exif": exif}) for each in (True, False)),
        ("WEBP", rgb, frames),
        *(("PPM", image, {}) for image in (rgb, grey, grey.convert("1"))),
    ]
    return [(FORMATS[kind][0], saved(image, kind, **how)) for kind, image, how in cases]


def saved(image: Any, kind: str, **how: Any) -> bytes:
    """An image as a file."""
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def array_files() -> list[tuple[str, bytes]]:
    """Files of IDX and of NumPy's arrays."""
    pixels = np.random.default_rng(3).integers(0, 256, (12, 7, 5), np.uint8)
    labels = np.arange(12, dtype=np.uint8) % 3
    images = struct.pack(">HBB3I", 0, 8, 3, *pixels.shape) + pixels.tobytes()
    made = [("-images-idx3-ubyte", images)]
    made.append(("-images-idx3-ubyte.gz", gzip.compress(images, mtime=0)))
    arrays = {"x_train": pixels, "y_train": labels, "x_test": pixels[:3]}
    for save in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        save(out, **arrays, y_test=np.array(["a", "b", "c"]))
        made.append((".npz", out.getvalue()))
    return made


def archives(images: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Archives of folders of classes, and of one with a table."""
    named = [
        (f"{number}{name}", content) for number, (name, content) in enumerate(images)
    ]
    classes = [(f"{'ab'[len(content) % 2]}/{name}", content) for name, content in named]
    lines = "".join(f"{name},{number}\n" for number, (name, _) in enumerate(named))
    table = [*named, (LABELS, f"file,number\n{lines}".encode())]
    return [(".zip", zipped(members)) for members in (classes[:9], table[-9:])]


def zipped(members: list[tuple[str, bytes]]) -> bytes:
    """An archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


# Cases --------------------------------------------------------------------------------


def judge(choose: random.Random, case: Path, meter: Meter) -> str:
    """Break a file, and read it."""
    samples = BOMBS if choose.random() < BOMB_SHARE else SAMPLES
    name, content = choose.choice(samples)
    kind = name.rpartition(".")[2]
    whole_bomb = samples is BOMBS and choose.random() < 0.5
    broken = content if whole_bomb else broken_file(kind, content, choose)
    if name in (each for suffixes in FORMATS.values() for each in suffixes):
        return f"{kind} {judge_image(case, name, broken, choose, meter)}"
    return f"{kind} {judge_file(case / f'broken{name}', broken, meter)}"


def judge_image(
    case: Path, suffix: str, content: bytes, choose: random.Random, meter: Meter
) -> str:
    """A broken file between whole ones."""
    root = case / "photos"
    for name, number in WHOLE.items():
        (root / name).parent.mkdir(parents=True)
        Image.fromarray(whole(number)).save(root / name)
    # A name may lie, too.
    lie = choose.choice([suffixes[0] for suffixes in FORMATS.values()])
    broken = root / f"a/broken{suffix if choose.random() < 0.9 else lie}"
    broken.write_bytes(content)
    asked = choose.choice(({}, dict(zip(("height", "width"), SIZE, strict=True))))
    data = meter.measure(lambda: read_images(root, **asked), len(content))
    require_whole(data, bool(asked))
    return require_told(broken, data)


def require_whole(data: ImageData, in_their_size: bool) -> None:
    """What isn't broken is there, and as it was if it needn't be scaled."""
    images = data.training
    require_sound(data)
    for name, number in WHOLE.items():
        if name not in images.names:
            raise BrokenPromiseError(f"{name} isn't there: {images.left_out}")
        found = images.pixels[list(images.names).index(name)]
        if in_their_size and (found != whole(number)[..., None]).any():
            raise BrokenPromiseError(f"{name} has other pixels")


def require_told(broken: Path, data: ImageData) -> str:
    """The broken file is read, alone too, or it's said why not."""
    images, name = data.training, f"a/{broken.name}"
    reasons = {each.name: each.reason for each in images.left_out}
    if (name in images.names) == (name in reasons):
        raise BrokenPromiseError(f"{name} must be read or left out: {reasons}")
    try:
        pixels = read_image(broken, images.form)
    except DataError as error:
        if name not in reasons or broken.name not in str(error):
            raise BrokenPromiseError(f"alone: {error}; else: {reasons}") from error
        return f"left out: {reasons[name]}"
    at = [*images.names, name].index(name)
    if name in reasons or (pixels != images.pixels[at]).any():
        raise BrokenPromiseError(f"alone it is read otherwise: {reasons}")
    return "read"


def judge_file(path: Path, content: bytes, meter: Meter) -> str:
    """A broken file of arrays, or an archive."""
    path.write_bytes(content)
    if not isinstance(is_images(path), bool):
        raise BrokenPromiseError("it must be said whether it holds images")
    labels = path.with_name("broken-labels-idx1-ubyte")
    labels.write_bytes(struct.pack(">HBBI", 0, 8, 1, 12) + bytes(range(12)))
    try:
        data = meter.measure(lambda: read_images(path), len(content))
    except ThalwegError as error:
        said = str(error)
        if path.name not in said and labels.name not in said and LABELS not in said:
            raise BrokenPromiseError(f"the file isn't named: {said}") from error
        return f"refused: {said.replace(str(path), '').replace(path.name, '')}"
    require_sound(data)
    return "read"


def require_sound(data: ImageData) -> None:
    """Arrays fit together, and texts can be shown."""
    for images in (data.training, data.test):
        if images is None:
            continue
        rows = len(images)
        sizes = {rows, len(images.names), len(images.digests)}
        if images.targets is not None:
            sizes.add(len(images.targets))
        if len(sizes) > 1 or not rows or images.pixels.dtype != np.uint8:
            raise BrokenPromiseError(f"arrays of {sizes} rows")
        if images.pixels.shape[1:] != images.form.shape:
            raise BrokenPromiseError(f"{images.pixels.shape} in the form {images.form}")
        texts = [*images.names, *images.notes]
        texts += [text for each in images.left_out for text in (each.name, each.reason)]
        if not all(text.isprintable() for text in texts):
            raise BrokenPromiseError(f"not all can be shown: {texts}")


def warm_up(folder: Path) -> None:
    """Every sample as it is must be read."""
    warnings.simplefilter("ignore")
    for path in sorted((folder / "bombs").iterdir()):
        BOMBS.append((path.name.lstrip("0123456789"), path.read_bytes()))
    paths = sorted((folder / "samples").iterdir())
    for path in paths:
        name = path.name.lstrip("0123456789")
        SAMPLES.append((name, path.read_bytes()))
        case = folder / "warm" / path.name
        case.mkdir(parents=True, exist_ok=True)
        if name.endswith(("ubyte", ".gz", ".npz", ".zip")):
            said = judge_file(case / f"broken{name}", path.read_bytes(), Meter())
        else:
            read_image(path)
            said = "read"
        if said != "read":
            raise BrokenPromiseError(f"of {path.name}, which is whole, it says: {said}")


def main() -> None:
    """Read the command line, and judge."""
    fuzzing.main((__doc__ or "").partition("\n")[0], prepare_samples, warm_up, judge)


if __name__ == "__main__":
    main()
