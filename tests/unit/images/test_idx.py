"""Files of IDX are read as they were written, or refused by name."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from thalweg.errors import DataError, FileError
from thalweg.images import is_images, read_images
from thalweg.images.idx import read_idx

CODES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def idx(array) -> bytes:
    """An array as the format has it."""
    code = CODES[array.dtype.str.removeprefix("|")]
    return struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape) + (
        array.tobytes()
    )


def digits(rows, seed=0):
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (rows, 5, 4), np.uint8)
    return pixels, generator.integers(0, 10, rows).astype(np.uint8)


def write_mnist(folder: Path, rows=30, tests=10, pack=False, joint="-"):
    """Both sets, as they are downloaded."""
    given = {}
    for name, count in (("train", rows), ("t10k", tests)):
        given[name] = digits(count, seed=count)
        files = zip(
            ("images{}idx3-ubyte", "labels{}idx1-ubyte"), given[name], strict=True
        )
        for file, array in files:
            path = folder / f"{name}-{file.format(joint)}"
            content = idx(array)
            if pack:
                path, content = Path(f"{path}.gz"), gzip.compress(content)
            path.write_bytes(content)
    return given


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("joint", ["-", "."])
@pytest.mark.parametrize("what", ["", "train-images{}idx3-ubyte"])
def test_a_folder_and_a_file_give_both_sets(pack, joint, what, tmp_path) -> None:
    given = write_mnist(tmp_path, pack=pack, joint=joint)
    path = tmp_path / (what.format(joint) + ".gz" * pack if what else "")
    assert is_images(path)
    data = read_images(path)
    assert data.test is not None
    for images, (pixels, labels) in zip(
        (data.training, data.test), given.values(), strict=True
    ):
        assert np.array_equal(images.pixels[..., 0], pixels)
        assert np.asarray(images.targets).tolist() == list(map(str, labels))
        assert images.form.shape == (5, 4, 1)
    assert data.training.names[7] == f"train-images{joint}idx3-ubyte[7]"
    assert data.test.names[9] == f"t10k-images{joint}idx3-ubyte[9]"


def test_folders_of_such_names_are_none_of_the_files(tmp_path) -> None:
    write_mnist(tmp_path, joint=".")
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    assert len(read_images(tmp_path).training) == 30


@pytest.mark.parametrize("code", CODES)
def test_every_type_is_read(code, tmp_path) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(code)
    path = tmp_path / "a"
    path.write_bytes(idx(array))
    assert np.array_equal(read_idx(path), array)


def test_images_without_labels_have_no_targets(tmp_path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "odd").write_bytes(idx(digits(3)[0]))
    data = read_images(tmp_path / "odd")
    assert data.training.targets is None
    assert data.test is None


def broken(name: str, content: bytes) -> bytes:
    """A file that is wrong in a way."""
    return {
        "short": content[:-1],
        "long": content + b"\0",
        "header": content[:9],
        "empty": b"",
        "type": content[:2] + b"\7" + content[3:],
        "axes": content[:3] + b"\xff" + content[4:],
        "claim": content[:4] + b"\xff" * 12 + content[16:],
    }[name]


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize(
    "name", ["short", "long", "header", "empty", "type", "axes", "claim"]
)
def test_a_broken_file_is_refused_by_name(name, pack, tmp_path) -> None:
    write_mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    content = broken(name, path.read_bytes())
    path.write_bytes(gzip.compress(content) if pack else content)
    with pytest.raises(DataError, match="train-images-idx3-ubyte"):
        read_images(tmp_path)


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_packed_file_that_was_cut_is_refused(cut, tmp_path) -> None:
    write_mnist(tmp_path, pack=True)
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz"):
        read_images(tmp_path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    header = struct.pack(">HBB3I", 0, 8, 3, 2**20, 64, 64)
    path.write_bytes(gzip.compress(header + bytes(2**20)))
    with pytest.raises(DataError, match=r"asks for 4,294,967,296 bytes, but there can"):
        read_images(path)


def test_labels_must_be_as_many_as_images(tmp_path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(digits(29)[1]))
    with pytest.raises(DataError, match=r"labels-idx1-ubyte: .*one target an image"):
        read_images(tmp_path)


def test_labels_that_are_missing_are_an_error(tmp_path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileError, match="t10k-labels-idx1-ubyte"):
        read_images(tmp_path)


def test_of_several_sets_one_must_be_given(tmp_path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "letters-images-idx3-ubyte").write_bytes(idx(digits(4)[0]))
    (tmp_path / "letters-labels-idx1-ubyte").write_bytes(idx(digits(4)[1]))
    with pytest.raises(DataError, match="letters-images"):
        read_images(tmp_path)
    data = read_images(tmp_path / "letters-images-idx3-ubyte")
    assert (len(data.training), data.test) == (4, None)


def test_tables_hold_no_images(tmp_path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("a,b\n1,2\n")
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(table.read_bytes()))
    damaged = tmp_path / "b.gz"
    damaged.write_bytes(packed.read_bytes()[:10] + b"\xff" * 20)
    others = tmp_path / "none", "a\0b"
    assert not any(map(is_images, (table, packed, damaged, *others)))
