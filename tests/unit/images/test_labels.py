"""A table says what images show; what it says twice or not at all is named."""

import io

import numpy as np
import pytest

from support.image_files import FORM, classes_of, folder_of, zipped
from thalweg.errors import DataError
from thalweg.images import read_images, read_new_images
from thalweg.images.labels import TARGETS, Labels, read_labels

FILES = ("1.png", "2.png", "3.png", "4.jpg")


def labels_of(text: str, files=FILES) -> Labels:
    return read_labels(io.BytesIO(text.encode()), "labels.csv", files)


@pytest.mark.parametrize(
    "text",
    [
        "file,class\n1.png,a\n2.png,b\n3.png,b\n4.jpg,a\n",
        "class;name\r\na;1.png\r\nb;2.png\r\nb;3.png\r\na;4.jpg\r\n",
        "id\tlabel\n4\ta\n3\tb\n2\tb\n1\ta\n",
        'image,x,Label\n./1.png,5,a\n".\\2.png",6,b\n3.png,7,b\n4.jpg,7,a\n',
    ],
)
def test_the_columns_are_found(text) -> None:
    found = labels_of(text)
    assert found.files == FILES
    assert found.targets.tolist() == ["a", "b", "b", "a"]
    assert not found.left_out


@pytest.mark.parametrize(
    ("cells", "targets"),
    [
        (("0", "1", "1", "0"), ["0", "1", "1", "0"]),
        (("7", "3", "3", "7"), ["7", "3", "3", "7"]),
        (("1", "2", "3", "1"), ["1", "2", "3", "1"]),
        (("yes", "no", "no", "yes"), ["true", "false", "false", "true"]),
        (("1", "2", "4", "1"), [1.0, 2.0, 4.0, 1.0]),
        (("0.5", "1", "2", "-3e2"), [0.5, 1.0, 2.0, -300.0]),
    ],
)
def test_numbers_that_count_are_classes(cells, targets) -> None:
    lines = "".join(f"{f},{c}\n" for f, c in zip(FILES, cells, strict=True))
    assert labels_of("file,it\n" + lines).targets.tolist() == targets


def test_what_is_missing_is_left_out_by_name() -> None:
    found = labels_of("file,class\n1.png,a\n2.png,\n3.png,b\n9.png,b\n8.png,b\n")
    assert found.files == ("1.png", "3.png")
    assert {each.name: each.reason for each in found.left_out} == {
        "2.png": "labels.csv, line 3, column 'class' says nothing of it",
        "4.jpg": "labels.csv has no line for it",
    }
    said = "2 lines of labels.csv name no file that is there: '9.png' on line 5 is the"
    assert any(note.startswith(said) for note in found.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("f,c\n1.png,a\n2.png,b\n1.png,b\n", r"'1.png' stands on line 2 and line 4"),
        ("1.png,a\n2.png,b\n", r"line 1: must have the columns' names"),
        ("f,c\nx.png,a\ny.png,b\n", r"a column must name the image files.*'1.png'"),
        ("f\n1.png\n", r"beside 'f', .* there are none"),
        ("f,a,b\n1.png,1,2\n2.png,2,3\n", r"one called class, label.*are 'a', 'b'"),
        ("f,class,label\n1.png,1,2\n2.png,2,3\n", r"there are 'class', 'label'"),
        ("f,c\n1.png,2020-01-02\n2.png,2020-01-03\n", r"column 'c': .* is a date"),
        (
            "f,c\n1.png,1\n2.png,2\n3.png,x5\n4.jpg,4\n",
            r"labels.csv, line 4, column 'c'",
        ),
        ("f,c\n1.png,a,b\n", r"labels.csv.*line 2"),
        ("", r"labels.csv"),
    ],
)
def test_a_table_that_isnt_clear_is_an_error(text, said) -> None:
    with pytest.raises(DataError, match=said):
        labels_of(text)


def test_names_that_several_files_have_mean_none_of_them() -> None:
    files = ("a/1.png", "b/1.png", "b/2.png")
    found = labels_of("file,class\na/1.png,x\n1.png,y\n2.png,y\n", files)
    assert found.files == ("a/1.png", "b/2.png")
    assert any("'1.png' on line 3" in note for note in found.notes)


@pytest.mark.parametrize("name", TARGETS)
def test_of_several_columns_the_name_decides(name) -> None:
    found = labels_of(f"file,size,{name}\n1.png,4,a\n2.png,5,b\n3.png,5,b\n4.jpg,6,a\n")
    assert found.targets.tolist() == ["a", "b", "b", "a"]


# In folders ---------------------------------------------------------------------------

TABLE = "file,class\n" + "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(6))


@pytest.mark.parametrize("where", ["in", "beside", "archive", "beside the archive"])
def test_the_table_is_in_the_folder_or_beside_it(where, tmp_path) -> None:
    path = folder_of(tmp_path, *(f"{i}.png" for i in range(6)))
    if where in ("in", "archive"):
        (path / "labels.csv").write_text(TABLE)
    if "archive" in where:
        path = zipped(path)
    if "beside" in where:
        (tmp_path / "labels.csv").write_text(TABLE)
    training = read_images(path).training
    assert classes_of(training) == {f"{i}.png": "ab"[i % 2] for i in range(6)}
    assert "labels.csv, column 'class': 2 classes" in training.notes


def test_a_table_beside_is_nothing_to_folders_of_classes(tmp_path) -> None:
    path = folder_of(tmp_path, "x/1.png", "y/2.png")
    (tmp_path / "labels.csv").write_text(TABLE)
    assert set(classes_of(read_images(path).training).values()) == {"x", "y"}


def test_a_table_beside_may_be_about_other_files(tmp_path) -> None:
    """To predict images, no table is needed, and none is spoken of."""
    path = folder_of(tmp_path, "x.png", "y.png")
    (tmp_path / "labels.csv").write_text(TABLE)
    images = read_new_images(path, FORM)
    assert images.names == ["x.png", "y.png"]
    assert images.targets is None
    assert not any("labels" in note for note in images.notes)


def test_a_table_may_say_in_which_folder_files_are(tmp_path) -> None:
    path = folder_of(tmp_path, *(f"{i}.png" for i in range(6)))
    lines = TABLE.replace("\n", "\nphotos/").removesuffix("photos/")
    (tmp_path / "labels.csv").write_text(lines)
    assert len(read_images(path).training) == 6


def test_hidden_files_are_no_other_files_of_a_name(tmp_path) -> None:
    path = folder_of(tmp_path, *(f"{i}.png" for i in range(6)), ".old/1.png")
    (path / "labels.csv").write_text(TABLE)
    assert len(read_images(path).training) == 6


def test_classes_that_look_like_files_are_told_from_them() -> None:
    found = labels_of("class,file\n2,1.png\n3,2.png\n1,3.png\n2,4.jpg\n")
    assert found.targets.tolist() == ["2", "3", "1", "2"]


def test_one_table_says_it_of_sets_that_stand_apart(tmp_path) -> None:
    names = [f"train/{i}.png" for i in range(4)] + ["test/4.png", "test/5.png"]
    path = folder_of(tmp_path, *names)
    (path / "labels.csv").write_text(TABLE)
    data = read_images(path)
    assert data.test is not None
    assert len(data.training) == 4
    assert classes_of(data.test) == {"test/4.png": "a", "test/5.png": "b"}
    assert not data.training.left_out


def test_a_test_set_of_which_nothing_is_said_isnt_tested_on(tmp_path) -> None:
    path = folder_of(tmp_path, *(f"train/{i}.png" for i in range(6)), "test/7.png")
    (path / "labels.csv").write_text(TABLE)
    data = read_images(path)
    assert data.test is None
    said = "no image of 'test/' has a label: it isn't tested on"
    assert said in data.training.notes


def test_test_targets_are_of_the_kind_of_the_others(tmp_path) -> None:
    path = folder_of(
        tmp_path, *(f"train/{i}.png" for i in range(6)), "test/7.png", "test/8.png"
    )
    numbers = "".join(f"{i}.png,{i * i}\n" for i in range(6))
    (path / "train/labels.csv").write_text("file,it\n" + numbers)
    (path / "test/labels.csv").write_text("file,it\n7.png,1\n8.png,2\n")
    data = read_images(path)
    assert data.test is not None
    assert np.asarray(data.test.targets).tolist() == [1.0, 2.0]
    assert read_new_images(path, FORM).names == ["test/7.png", "test/8.png"]


def test_sets_of_different_kinds_arent_joined(tmp_path) -> None:
    path = folder_of(tmp_path, "train/a/1.png", "train/b/2.png", "valid/3.png")
    with pytest.raises(DataError, match=r"'valid/' joins 'train/'.*: both must say"):
        read_images(path)


def test_a_table_that_says_nothing_of_any_image_is_an_error(tmp_path) -> None:
    path = folder_of(tmp_path, "1.png", "2.png")
    (path / "labels.csv").write_text("file,class\n1.png,\n2.png,\n")
    with pytest.raises(
        DataError, match=r"none of 2 images .*line 2, column 'class' says nothing"
    ):
        read_images(path)
