"""Files of NumPy's arrays are read under their usual names, or refused by name."""

import io
import zipfile

import numpy as np
import pytest

from thalweg.errors import DataError
from thalweg.images import ImageForm, is_images, read_images, read_new_images
from thalweg.images.arrays import TRAINING
from thalweg.images.digests import digests_of
from thalweg.images.pixels import pixels_from, targets_from, targets_like

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 6, 5, 3), np.uint8)
LABELS = np.arange(20) % 3


def saved(tmp_path, save=np.savez, **arrays):
    path = tmp_path / "data.npz"
    save(path, **arrays)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(("images", "labels"), TRAINING)
def test_every_pair_of_names_is_read(save, images, labels, tmp_path) -> None:
    path = saved(tmp_path, save, **{images: PIXELS, labels: LABELS})
    assert is_images(path)
    data = read_images(path)
    assert np.array_equal(data.training.pixels, PIXELS)
    assert np.asarray(data.training.targets).tolist() == list(map(str, LABELS))
    assert data.training.names[4] == f"{images}[4]"
    assert data.test is None


def test_the_test_set_is_read_beside(tmp_path) -> None:
    arrays = {"x_train": PIXELS, "y_train": LABELS}
    path = saved(tmp_path, **arrays, x_test=PIXELS[:4], y_test=LABELS[:4])
    test = read_images(path).test
    assert test is not None
    assert np.array_equal(test.pixels, PIXELS[:4])


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (np.asfortranarray(PIXELS), PIXELS),
        (PIXELS[..., :1], PIXELS[..., :1]),
        (PIXELS[..., 0], PIXELS[..., :1]),
        (PIXELS.astype(np.float32), PIXELS),
        (PIXELS.astype(">i4"), PIXELS),
    ],
)
def test_what_holds_the_same_numbers_is_the_same(given, read, tmp_path) -> None:
    data = read_images(saved(tmp_path, images=given))
    assert np.array_equal(data.training.pixels, read)
    assert data.training.targets is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (PIXELS / 255, "whole numbers from 0 to 255.*float64 from 0 to 1;"),
        (PIXELS.astype(int) - 1, "int64 from -1 to 254"),
        (PIXELS.astype(int) + 1, "int64 from 1 to 256"),
        (np.full((2, 3, 3), np.nan), "from nan to nan"),
        (PIXELS > 3, "got bool"),
        (PIXELS.reshape(20, -1), r"\(rows, height, width\).*got \(20, 90\)"),
        (PIXELS.transpose(0, 3, 1, 2), r"transpose\(0, 2, 3, 1\)"),
        (PIXELS[:0], r"an image or more, got \(0, 6, 5, 3\)"),
        (np.zeros((3, 4, 4, 4), np.uint8), r"got \(3, 4, 4, 4\)"),
    ],
)
def test_what_is_no_image_is_refused(given, said) -> None:
    with pytest.raises(DataError, match=said):
        pixels_from(given, "images")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (np.array(["b", "a"]), ["b", "a"]),
        (np.array([[3], [1]], np.uint8), ["3", "1"]),
        (np.array([0.5, 2], np.float32), [0.5, 2.0]),
        (np.array([True, False]), ["True", "False"]),
    ],
)
def test_texts_and_whole_numbers_are_classes(given, read) -> None:
    assert targets_from(given, 2, "labels").tolist() == read


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.array([1, 2, 3]), r"shape \(2,\), got \(3,\)"),
        (np.eye(2), r"got \(2, 2\)"),
        (np.array([1, 2j]), "got complex128"),
        (np.array([1.0, np.nan]), r"labels\[1\]: a number must be finite, got nan"),
    ],
)
def test_what_is_no_target_is_refused(given, said) -> None:
    with pytest.raises(DataError, match=said):
        targets_from(given, 2, "labels")


def test_names_that_arent_known_are_listed(tmp_path) -> None:
    with pytest.raises(DataError, match=r"data.npz: must hold.*holds 'faces'"):
        read_images(saved(tmp_path, faces=PIXELS))


def test_objects_are_never_read(tmp_path) -> None:
    path = saved(tmp_path, images=PIXELS, labels=np.array([{}] * 20, object))
    with pytest.raises(DataError, match=r"data.npz, labels: .*got object"):
        read_images(path)


def npy(array) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def archive(tmp_path, *members: tuple[str, bytes]):
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members:
            out.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (npy(PIXELS)[:-1], "must end 1,800 bytes after"),
        (npy(PIXELS) + b"\0", "goes on"),
        (npy(PIXELS).replace(b"(20, 6", b"(9**9,"), "as NumPy saves it"),
        (npy(PIXELS).replace(b"(20, 6,", b"(2000000,"), "asks for 30,000,000 bytes"),
        (npy(PIXELS)[:9], "as NumPy saves it"),
        (b"", "as NumPy saves it"),
    ],
)
def test_a_broken_array_is_refused(content, said, tmp_path) -> None:
    with pytest.raises(DataError, match=f"data.npz, images: .*{said}"):
        read_images(archive(tmp_path, ("images.npy", content)))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path) -> None:
    path = archive(tmp_path, ("images.npy", bytes(2**28 + 1)))
    with pytest.raises(DataError, match="must unpack to at most 268,435,456 bytes"):
        read_images(path)


def test_each_name_must_be_there_once(tmp_path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(tmp_path, *[("images.npy", npy(PIXELS))] * 2)
    with pytest.raises(DataError, match=r"has more 'images.npy'"):
        read_images(path)


@pytest.mark.parametrize("cut", [1, 100, 500])
def test_a_file_that_was_cut_is_refused(cut, tmp_path) -> None:
    path = saved(tmp_path, images=PIXELS)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataError, match=r"data.npz: must be a whole .npz file"):
        read_images(path)


def test_arrays_are_brought_to_what_is_asked(tmp_path) -> None:
    arrays = {"x_train": PIXELS, "x_test": PIXELS[:4, :, :, 0]}
    data = read_images(saved(tmp_path, **arrays), height=3)
    form = ImageForm(3, 2, 3)  # 2.5, to the even number
    assert data.test is not None
    for images in (data.training, data.test):
        assert images.form == form
        assert images.pixels.shape[1:] == form.shape
        assert np.array_equal(images.digests, digests_of(images.pixels))
    assert "each is brought from 6 × 5, in color to 3 × 2, in color" in (
        data.training.notes
    )
    grey = read_images(saved(tmp_path, **arrays), color=False)
    luminance = PIXELS @ np.array([0.299, 0.587, 0.114])
    assert abs(grey.training.pixels[..., 0] - luminance).max() < 1


def test_new_images_of_arrays_are_those_to_test_on(tmp_path) -> None:
    arrays = {"x_train": PIXELS, "x_test": PIXELS[:4], "y_test": LABELS[:4]}
    form = ImageForm(6, 5, 3)
    images = read_new_images(saved(tmp_path, **arrays), form)
    assert np.array_equal(images.pixels, PIXELS[:4])
    assert np.asarray(images.targets).tolist() == ["0", "1", "2", "0"]
    images = read_new_images(saved(tmp_path, X=PIXELS), ImageForm(6, 5, 1))
    assert images.pixels.shape == (20, 6, 5, 1)


@pytest.mark.parametrize(
    ("given", "others", "read"),
    [
        (np.array(["7", "2.5"]), np.array([0.5]), [7.0, 2.5]),
        (np.array([7.0, 2.5]), np.array(["7"]), ["7", "2.5"]),
        (np.array(["b"]), np.array(["a"]), ["b"]),
    ],
)
def test_targets_become_what_others_are(given, others, read) -> None:
    assert targets_like(given, others).tolist() == read


def test_a_class_is_no_number() -> None:
    with pytest.raises(DataError, match=r"each image must have a number, but .*'cat'"):
        targets_like(np.array(["1", "cat"]), np.array([0.5]))


def test_arrays_of_one_class_teach_nothing(tmp_path) -> None:
    path = saved(tmp_path, images=PIXELS, labels=np.full(20, 3))
    with pytest.raises(
        DataError, match="two classes or more, but there is only 3, of 20 images"
    ):
        read_images(path)
    path = saved(tmp_path, images=PIXELS, labels=np.full(20, 0.5))
    with pytest.raises(
        DataError, match=r"two numbers or more, but there is only 0\.5, of 20 images"
    ):
        read_images(path)
