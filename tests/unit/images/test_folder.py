"""Folders and archives of images become arrays, and what isn't read is named."""

import os
import shutil
import socket
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from support.image_files import FORM, classes_of, folder_of, shown, why, write, zipped
from thalweg.errors import ArgumentError, DataError, FileError
from thalweg.images import (
    ImageForm,
    is_images,
    read_image,
    read_images,
    read_new_images,
    storage,
    trees,
)
from thalweg.images import formats as formats_module
from thalweg.images.digests import digests_of

CLASSES = ("cats/1.png", "cats/2.png", "dogs/1.png", "dogs/2.JPG", "dogs/3.png")


# Layouts ------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", [None, "", "photos/"])
def test_a_folder_is_a_class(inside, tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    path = root if inside is None else zipped(root, inside)
    assert is_images(path)
    data = read_images(path)
    inside = inside or ""
    assert data.test is None
    assert classes_of(data.training) == {
        inside + name: name.partition("/")[0] for name in CLASSES
    }
    assert data.training.form == ImageForm(6, 5, 1)
    assert not data.training.left_out
    row = data.training.names.index(f"{inside}cats/2.png")
    assert np.array_equal(
        data.training.pixels[row, :, :, 0], shown(root / "cats/2.png")
    )


def test_the_same_in_a_folder_and_in_its_archive(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    one, other = read_images(root).training, read_images(zipped(root)).training
    assert np.array_equal(one.pixels, other.pixels)
    assert np.array_equal(one.digests, other.digests)
    assert one.names == other.names
    assert one.notes == other.notes


def test_sets_that_stand_apart_are_read_apart(tmp_path) -> None:
    kinds = ("Train", "valid", "TEST")
    names = [f"{kind}/{name}" for kind in kinds for name in CLASSES]
    root = folder_of(tmp_path, *names, "odd/1.png", "2.png")
    data = read_images(root)
    assert data.test is not None
    assert classes_of(data.training) == {
        name: name.split("/")[1] for name in names if not name.startswith("TEST")
    }
    assert classes_of(data.test) == {
        name: name.split("/")[1] for name in names if name.startswith("TEST")
    }
    assert why(data.training) == dict.fromkeys(
        ["2.png", "odd/1.png"], "stands in none of 'TEST/', 'Train/', 'valid/'"
    )
    said = "'valid/' joins 'Train/', of which is drawn to validate: 5 images"
    assert said in data.training.notes
    # To predict, those that a network hasn't learned from.
    assert read_new_images(root, FORM).names == data.test.names


def test_the_test_set_gets_the_form_of_the_others(tmp_path) -> None:
    root = folder_of(tmp_path, "train/a/1.png", "train/b/2.png")
    write(root / "test/a/3.png", 3, (20, 30), "RGB")
    data = read_images(root)
    assert data.test is not None
    assert data.test.form == data.training.form == ImageForm(6, 5, 1)
    assert data.test.pixels.shape == (1, 6, 5, 1)


def test_a_class_may_be_called_train(tmp_path) -> None:
    root = folder_of(tmp_path, "train/1.png", "plane/1.png")
    assert set(classes_of(read_images(root).training).values()) == {"train", "plane"}


def test_two_folders_for_one_use_are_an_error(tmp_path) -> None:
    root = folder_of(tmp_path, "train/a/1.png", "training/a/1.png")
    with pytest.raises(DataError, match="one folder of training images"):
        read_images(root)


def test_sets_without_one_to_learn_from_are_an_error(tmp_path) -> None:
    root = folder_of(tmp_path, "val/a/1.png", "test/a/1.png")
    with pytest.raises(DataError, match="a folder 'train', beside 'test', 'val'"):
        read_images(root)


def test_a_folder_around_all_others_is_seen_through(tmp_path) -> None:
    root = folder_of(tmp_path, *(f"deep/down/{name}" for name in CLASSES))
    assert set(classes_of(read_images(root).training).values()) == {"cats", "dogs"}


def test_of_nested_folders_the_outer_one_is_the_class(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES, "cats/tabby/4.png")
    data = read_images(root)
    assert classes_of(data.training)["cats/tabby/4.png"] == "cats"
    said = "in a folder of their class's folder, of which the outer one counts: 1 image"
    assert said in data.training.notes


def test_images_beside_the_classes_are_left_out(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES, "6.png")
    found = why(read_images(root).training)
    assert found == {"6.png": "stands in no folder of a class"}


def test_images_of_which_nothing_is_said_have_no_targets(tmp_path) -> None:
    root = folder_of(tmp_path, "1.png", "2.png")
    training = read_images(root).training
    assert training.targets is None
    assert "no folders of classes, and no labels.csv" in training.notes[0]
    assert "beside" not in training.notes[0]


def test_a_single_class_is_an_error(tmp_path) -> None:
    root = folder_of(tmp_path, "cats/1.png", "cats/2.png")
    (root / "dogs").mkdir()
    with pytest.raises(
        DataError, match="must be of two classes or more, but there is only"
    ):
        read_images(root)
    assert classes_of(read_new_images(root, FORM)) == {
        "cats/1.png": "cats",
        "cats/2.png": "cats",
    }


def test_an_empty_class_and_other_files_are_named(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    (root / "fish").mkdir()
    for name in (
        "cats/Thumbs.db",
        ".DS_Store",
        ".git/a.png",
        "a.txt",
        "__MACOSX/b.png",
    ):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x")
    notes = read_images(root).training.notes
    assert "no image is in 'fish', so there is no class of that name" in notes
    said = "'.DS_Store', '.git/a.png', '__MACOSX/b.png' and 2 more"
    assert f"left out, as they are no images: {said}" in notes


def test_a_class_has_one_name_on_every_system(tmp_path) -> None:
    root = folder_of(tmp_path, "caf\u00e9/1.png", "tea/1.png", "cafe\u0301/2.png")
    data = read_images(root)
    assert set(classes_of(data.training).values()) == {"caf\u00e9", "tea"}


# What is seen -------------------------------------------------------------------------


def test_grey_and_color_and_sizes_are_said(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    write(root / "cats/9.png", 9, (30, 40), "RGB")
    training = read_images(root).training
    assert training.form == ImageForm(5, 5, 3)
    assert "5 are grey, 1 in color: read in color" in training.notes
    assert any("2 sizes, from 6 × 5 to 30 × 40 pixels" in n for n in training.notes)
    assert any(n.startswith("up to 25% of an image") for n in training.notes)


def test_what_is_asked_holds(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    data = read_images(root, height=12, color=True)
    assert data.training.form == ImageForm(12, 10, 3)
    assert "all are grey: read in color" in data.training.notes


@pytest.mark.parametrize("asked", [{"height": 0}, {"width": 2.5}, {"height": 10**9}])
def test_a_size_that_cant_be_is_refused(asked, tmp_path) -> None:
    with pytest.raises(ArgumentError, match=r"height|width"):
        read_images(folder_of(tmp_path, *CLASSES), **asked)


def test_copies_are_counted(tmp_path) -> None:
    root = folder_of(tmp_path, *(f"train/{name}" for name in CLASSES))
    for to in ("train/cats/8.png", "train/dogs/8.png", "test/cats/8.png"):
        (root / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "train/cats/1.png", root / to)
    notes = read_images(root).training.notes
    assert notes[-3:] == (
        "copies of others, pixel by pixel, which stay on one side of a split: 2 images",
        "in several classes at once: 1 picture",
        "also among those to learn from, which makes the test too easy: 1 test image",
    )


def test_grey_saved_in_color_is_said(tmp_path) -> None:
    root = tmp_path / "photos"
    for number, name in enumerate(CLASSES):
        write(root / name, number, mode="RGB")
    said = "all are saved in color, but grey; color=False reads them as grey"
    assert said in read_images(root).training.notes
    assert said not in read_images(root, color=False).training.notes


# What can't be read -------------------------------------------------------------------


def test_what_cant_be_read_is_named_and_the_others_are_kept(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    whole = (root / "cats/1.png").read_bytes()
    (root / "cats/0.png").write_bytes(whole[:50])
    (root / "dogs/0.png").write_bytes(b"")
    training = read_images(root).training
    assert sorted(why(training)) == ["cats/0.png", "dogs/0.png"]
    assert training.names == list(CLASSES)
    for name, pixels in zip(training.names, training.pixels, strict=True):
        assert np.array_equal(pixels[..., 0], shown(root / name))


def test_pixels_that_end_too_soon_leave_no_gap(tmp_path) -> None:
    """The header is whole, so a row was meant for it."""
    root = folder_of(tmp_path, *CLASSES)
    whole = (root / "cats/1.png").read_bytes()
    (root / "cats/1.png").write_bytes(whole[: whole.index(b"IDAT") + 6])
    training = read_images(root).training
    assert list(why(training)) == ["cats/1.png"]
    assert training.names == list(CLASSES[1:])
    assert np.asarray(training.targets).tolist() == ["cats", "dogs", "dogs", "dogs"]
    assert np.array_equal(training.digests, digests_of(training.pixels))
    for name, pixels in zip(training.names, training.pixels, strict=True):
        assert np.array_equal(pixels[..., 0], shown(root / name))


def test_where_no_image_can_be_read_the_first_reason_is_said(tmp_path) -> None:
    root = tmp_path / "photos"
    (root / "a").mkdir(parents=True)
    (root / "a/1.png").write_bytes(b"x")
    with pytest.raises(
        DataError, match=r"photos: none of 1 image can be used: 'a/1.png' isn't"
    ):
        read_images(root)
    with pytest.raises(DataError, match="none of 1 image"):
        read_new_images(root, FORM)


def test_a_folder_without_images_is_an_error(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match=r"holds no images \(.*'a.txt'\)"):
        read_images(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_links_pipes_and_sockets_are_left_out(tmp_path, monkeypatch) -> None:
    root = folder_of(tmp_path, *CLASSES)
    write(tmp_path / "secret/1.png")
    os.mkfifo(root / "cats/pipe.png")
    (root / "cats/inner.png").symlink_to("../dogs/1.png")
    (root / "cats/out.png").symlink_to(tmp_path / "secret/1.png")
    (root / "cats/lost.png").symlink_to("nowhere.png")
    (root / "more").symlink_to(tmp_path / "secret")
    (root / "loop").symlink_to(root)
    (root / "cats/a.png").mkdir()
    monkeypatch.chdir(root / "cats")  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        training = read_images(root).training
    assert why(training) == {
        "cats/pipe.png": trees.NO_FILE,
        "cats/socket.png": trees.NO_FILE,
        "cats/out.png": trees.LINK,
        "cats/lost.png": trees.LINK,
        "loop": trees.LINK,
        "more": trees.LINK,
    }
    assert "cats/inner.png" in training.names


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_what_becomes_a_pipe_or_a_link_after_listing_isnt_opened(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    tree = trees.FolderTree.of(root)
    (root / "cats/1.png").unlink()
    os.mkfifo(root / "cats/1.png")
    (root / "cats/2.png").unlink()
    with pytest.raises(OSError, match="isn't a file but"):
        tree.open("cats/1.png")
    with pytest.raises(FileNotFoundError):
        tree.open("cats/2.png")


def test_a_file_that_vanishes_is_named(tmp_path, monkeypatch) -> None:
    root = folder_of(tmp_path, *CLASSES)
    opened = trees.FolderTree.open

    def vanishing(self, name):
        if name == "dogs/1.png":
            raise FileNotFoundError(2, "No such file or directory")
        return opened(self, name)

    monkeypatch.setattr(trees.FolderTree, "open", vanishing)
    found = why(read_images(root).training)
    assert found == {"dogs/1.png": "can't be read: No such file or directory"}


def test_what_may_not_be_read_is_named(tmp_path, monkeypatch) -> None:
    root = folder_of(tmp_path, *CLASSES, "fish/1.png")
    scandir = os.scandir

    def forbidding(path):
        if str(path).endswith("fish"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidding)
    found = why(read_images(root).training)
    assert found == {"fish/": "can't be read: Permission denied"}


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_arent_utf8_can_be_shown(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    for name in (b"cats/\xff\x1b.png", b"d\xffgs/1.png", b"cats/\xfe.png", b"\xfd.txt"):
        path = os.fsencode(root) + b"/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        whole = (root / "cats/1.png").read_bytes()
        with open(path, "wb") as file:
            file.write(b"x" if b"\xfe" in name else whole)
    training = read_images(root).training
    texts = [*training.names, *np.asarray(training.targets), *training.notes]
    texts += [text for each in training.left_out for text in (each.name, each.reason)]
    assert all(text.isprintable() for text in texts)
    assert classes_of(training)["d\\udcffgs/1.png"] == "d\\udcffgs"
    assert "cats/\\udcff\\x1b.png" in training.names
    assert list(why(training)) == ["cats/\\udcfe.png"]


# Archives -----------------------------------------------------------------------------


def archive_of(tmp_path, **members: bytes) -> Path:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return path


def test_names_that_lead_out_of_an_archive_are_left_out(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    content = (root / "cats/1.png").read_bytes()
    bad = ("../out.png", "/abs.png", ".", "C:/x.png", "cats/../../y.png")
    path = zipped(root)
    with zipfile.ZipFile(path, "a") as out:
        for name in bad:
            out.writestr(name, content)
        out.writestr("birds\\1.png", content)
    training = read_images(path).training
    assert why(training) == dict.fromkeys(bad, trees.OUTSIDE)
    assert classes_of(training)["birds/1.png"] == "birds"
    assert not (tmp_path / "out.png").exists()


def test_links_and_large_members_are_left_out(tmp_path, monkeypatch) -> None:
    root = folder_of(tmp_path, *CLASSES)
    monkeypatch.setattr(trees, "MOST_MEMBER_BYTES", 2000)
    path = zipped(root)
    with zipfile.ZipFile(path, "a") as out:
        link = zipfile.ZipInfo("cats/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        out.writestr(link, "/etc/passwd")
        out.writestr("cats/large.png", bytes(2001))
    assert why(read_images(path).training) == {
        "cats/link.png": trees.LINK,
        "cats/large.png": "takes 2,001 bytes, of 2,000 at most",
    }


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path) -> None:
    path = archive_of(tmp_path, **{"a/1.png": bytes(2**28), "b/1.png": b"x"})
    with pytest.raises(DataError, match=r"a.zip: must unpack to at most"):
        read_images(path)


def test_a_damaged_member_is_left_out(tmp_path) -> None:
    root = folder_of(tmp_path, *CLASSES)
    path = zipped(root)
    content = bytearray(path.read_bytes())
    at = content.index((root / "cats/2.png").read_bytes())
    content[at + 40] ^= 1
    path.write_bytes(content)
    found = why(read_images(path).training)
    assert list(found) == ["cats/2.png"]
    assert "CRC-32" in found["cats/2.png"]


def test_a_damaged_archive_is_an_error(tmp_path) -> None:
    path = zipped(folder_of(tmp_path, *CLASSES))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"PK\x01\x02", b"PK\xff\xff"))
    with pytest.raises(DataError, match=r"photos.zip: must be"):
        read_images(path)


def test_an_archive_of_a_table_holds_no_images(tmp_path) -> None:
    assert not is_images(archive_of(tmp_path, **{"a.csv": b"a,b\n1,2\n"}))


# One file, other forms ----------------------------------------------------------------


def test_one_file_is_read_alone(tmp_path) -> None:
    pixels = write(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png")[..., 0], pixels)
    assert read_image(tmp_path / "a.png", FORM).shape == (4, 4, 1)
    images = read_new_images(tmp_path / "a.png", ImageForm(6, 5, 1))
    assert images.names == ["a.png"]
    assert images.targets is None
    assert np.array_equal(images.pixels[0, ..., 0], pixels)


def test_of_one_file_the_same_is_said_as_of_a_folder(tmp_path) -> None:
    write(tmp_path / "photos" / "wide.png")
    form = ImageForm(6, 2, 1)
    alone = read_new_images(tmp_path / "photos" / "wide.png", form)
    assert alone.notes == read_new_images(tmp_path / "photos", form).notes
    assert alone.notes == (
        "of another size than 6 × 2, scaled to it: 1 image",
        "up to 60% of an image is cut off",
    )


@pytest.mark.parametrize("read", [read_image, lambda path: read_new_images(path, FORM)])
def test_one_file_that_cant_be_read_is_an_error(read, tmp_path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"a.png: isn't an image in one of the formats"):
        read(tmp_path / "a.png")
    with pytest.raises(FileError, match=r"b.png: there is no such file"):
        read(tmp_path / "b.png")


def test_one_image_isnt_enough_to_learn_from(tmp_path) -> None:
    write(tmp_path / "a.png")
    assert is_images(tmp_path / "a.png")
    with pytest.raises(
        DataError, match=r"must be a folder of images.* but is one image"
    ):
        read_images(tmp_path / "a.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_pipe_is_neither_asked_nor_read(tmp_path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert not is_images(tmp_path / "a.png")
    with pytest.raises(FileError, match="must be a file or a folder"):
        read_images(tmp_path / "a.png")
    with pytest.raises(FileError, match="must be a file or a folder"):
        read_image(tmp_path / "a.png")


def test_without_pillow_it_says_what_to_install(tmp_path, monkeypatch) -> None:
    root = folder_of(tmp_path, *CLASSES)
    formats_module.pillow.cache_clear()

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(formats_module, "import_module", missing)
    for call in (
        lambda: read_images(root),
        lambda: read_image(root / "cats/1.png"),
        lambda: read_new_images(root, FORM),
    ):
        with pytest.raises(ArgumentError, match=r"pip install 'thalweg\[images\]'"):
            call()


def test_an_old_pillow_is_refused(monkeypatch) -> None:
    formats_module.pillow.cache_clear()
    monkeypatch.setattr("PIL.__version__", "12.3.0")
    with pytest.raises(ArgumentError, match=r"Pillow, 13 or newer.*but is 12.3.0"):
        formats_module.pillow()


# More than memory ---------------------------------------------------------------------


def test_many_pixels_are_in_a_file_that_goes(tmp_path, monkeypatch) -> None:
    root = folder_of(tmp_path, *CLASSES)
    small = read_images(root).training
    monkeypatch.setattr(storage, "IN_MEMORY", 60)
    monkeypatch.setattr(storage, "SPARE", 0)
    large = read_images(root).training
    assert isinstance(large.pixels, np.memmap)
    assert np.array_equal(large.pixels, small.pixels)
    assert np.array_equal(large.digests, small.digests)
    assert any(
        f"150 bytes of pixels are in a temporary file in {tmp_path}," in n
        for n in large.notes
    )
    taken = large.take(np.array([3, 1, 4]))
    assert isinstance(taken.pixels, np.memmap)
    assert np.array_equal(taken.pixels, small.pixels[[3, 1, 4]])
    assert not isinstance(large.take(np.array([3])).pixels, np.memmap)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_disk_without_room_is_an_error_before_anything_is_written(
    tmp_path, monkeypatch
) -> None:
    root = folder_of(tmp_path, *CLASSES)
    monkeypatch.setattr(storage, "IN_MEMORY", 60)
    monkeypatch.setattr(storage, "SPARE", 2**62)
    with pytest.raises(FileError, match=r"the pixels take 150 bytes, .* but only"):
        read_images(root)


def test_the_number_of_threads_changes_nothing(tmp_path, monkeypatch) -> None:
    root = folder_of(tmp_path, *(f"{c}/{i}.png" for c in "ab" for i in range(30)))
    several = read_images(root).training
    monkeypatch.setattr("thalweg.images.threads.threads", lambda: 1)
    one = read_images(root).training
    assert np.array_equal(one.pixels, several.pixels)
    assert (one.names, one.notes) == (several.names, several.notes)
