"""A table ``labels.csv`` says of each image what it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from thalweg.errors import DataError
from thalweg.images.formats import is_image_name
from thalweg.images.image_set import LeftOut
from thalweg.tables.counting import name_classes
from thalweg.tables.source import File, Kept
from thalweg.words import counted, listed

if TYPE_CHECKING:
    import polars as pl

    from thalweg.program.types import NumpyArray
    from thalweg.tables.table import Table

LABELS = "labels.csv"

TARGETS = ("class", "label", "target", "category", "y", "number", "value")
"""What the column is called that says what images show, where there are several."""


@dataclass(frozen=True)
class Labels:
    """What a table says of images.

    Arguments:
        files: the images that it has a line for, sorted.
        targets: the class's name or the number of each.
        left_out: images that it says nothing of.
        notes: what was seen.
    """

    files: tuple[str, ...]
    targets: NumpyArray
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


class NoFileNamedError(DataError):
    """A table names no file of a folder, so it may be about another one."""


def read_labels(
    file: BinaryIO, name: str, images: Iterable[str], folder: str = ""
) -> Labels:
    """Read what a table says of images.

    One column names the files, another one says what they show. Texts name classes;
    of numbers those that are two whole ones, or count from 0 or 1 to at most 10.

    Arguments:
        file: of the table.
        name: of it, for messages.
        images: the names of the files there are.
        folder: what the folder is called that they are in.

    Raises:
        NoFileNamedError: it names none of them.
        DataError: the table can't be read, or it isn't clear which columns say what; it
            says two things of a file. The message names the line.
    """
    # polars, which is loaded here, isn't needed to read images of another kind.
    from thalweg.tables.read import read_file

    table = read_file(File(name, Kept(file, name)))
    found = Names.of(images, folder)
    column = _file_column(table, found)
    rows, notes = _rows(table, column, found)
    target = _target_column(table, column)
    values, said = _values(table, target)
    return _labels(table, target, rows, values, found, (said, *notes))


# Files --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """The files there are, by each way to name them.

    Arguments:
        files: all of them.
        by_name: the file that a name means: with its folder, or without it or its
            suffix if only one file has that name.
    """

    files: tuple[str, ...]
    by_name: dict[str, str]

    @classmethod
    def of(cls, files: Iterable[str], folder: str = "") -> Names:
        """The names of some files, in a folder that has a name, too.

        >>> names = Names.of(["a/1.png", "b/1.png", "b/2.png"])
        >>> sorted(names.by_name)
        ['2', '2.png', 'a/1.png', 'b/1.png', 'b/2.png']
        """
        files = tuple(files)
        ways: dict[str, set[str]] = {}
        for file in files:
            path = PurePosixPath(file)
            for name in {file, f"{folder}/{file}".lstrip("/"), path.name, path.stem}:
                ways.setdefault(name, set()).add(file)
        alone = {name: min(found) for name, found in ways.items() if len(found) == 1}
        return cls(files, alone)

    def file(self, cell: object) -> str | None:
        """The file that a cell names, if any."""
        return self.by_name.get(str(cell).replace("\\", "/").removeprefix("./"))

    def certainty(self, cell: object) -> int:
        """How sure it is that a cell names a file: 2 with a suffix, 1 without, or 0."""
        return 0 if self.file(cell) is None else 1 + is_image_name(str(cell))


def _file_column(table: Table, names: Names) -> str:
    """The column that names the most files.

    Raises:
        NoFileNamedError: none names any.
        DataError: the first line names one.
    """
    if any(is_image_name(name) and names.file(name) for name in table.columns):
        raise DataError(
            f"{table.name}, line 1: must have the columns' names, but names a file; "
            "put a line 'file,class' before it"
        )
    counts = {
        name: sum(map(names.certainty, table.column(name))) for name in table.columns
    }
    best = max(counts, key=lambda name: counts[name])
    if counts[best]:
        return best
    raise NoFileNamedError(
        f"{table.name}: a column must name the image files, such as "
        f"{listed(names.files[:2]) or 'none'}; it has the columns "
        f"{table.listed_columns()}, which name none"
    )


def _rows(
    table: Table, column: str, names: Names
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The row of each file; and what is said if some rows name none.

    Raises:
        DataError: two rows name one file.
    """
    rows, lost = dict[str, int](), list[int]()
    for row, cell in enumerate(table.column(column)):
        file = names.file(cell)
        if file is None:
            lost.append(row)
        elif file in rows:
            raise DataError(
                f"{table.name}: a file must stand on one line, but {file!r} stands on "
                f"{table.where(rows[file])} and {table.where(row)}"
            )
        else:
            rows[file] = row
    if not lost:
        return rows, ()
    first = table.column(column)[lost[0]]
    said = f"{counted(len(lost), 'line')} of {table.name} name no file that is there: "
    return rows, (f"{said}{first!r} on {table.where(lost[0])} is the first",)


# Targets ------------------------------------------------------------------------------


def _target_column(table: Table, file_column: str) -> str:
    """The column of what images show.

    Raises:
        DataError: there is none, or it isn't clear which.
    """
    others = [name for name in table.columns if name != file_column]
    if len(others) == 1:
        return others[0]
    known = [name for name in others if name.lower() in TARGETS]
    if len(known) == 1:
        return known[0]
    raise DataError(
        f"{table.name}: beside {file_column!r}, which names the files, there must be "
        f"one column of classes or numbers, or one called {', '.join(TARGETS)}; there "
        f"are {listed(others) or 'none'}"
    )


def _values(table: Table, name: str) -> tuple[pl.Series, str]:
    """What a column says, texts or float64, null where nothing; and that in words."""
    from thalweg.tables.infer import infer_column

    found, cells = infer_column(table, name), table.column(name)
    if found.kind == "number":
        numbers = found.form.understood(cells)
        different = np.unique(numbers.drop_nulls().to_numpy())
        if len(different) and not name_classes(different):
            said = f"{len(different):,} different numbers, which are predicted"
            return numbers, f"{table.name}, column {name!r}: {said}"
    if found.kind not in ("number", "category", "boolean", "ignored"):
        raise DataError(
            f"{table.name}, column {name!r}: must hold classes or numbers, but is a "
            f"{found.kind}"
        )
    labels = found.form.labels(cells)
    count = counted(labels.drop_nulls().n_unique(), "class", "classes")
    return labels, f"{table.name}, column {name!r}: {count}"


def _labels(
    table: Table,
    target: str,
    rows: dict[str, int],
    values: pl.Series,
    names: Names,
    notes: Sequence[str],
) -> Labels:
    """What is known of which files."""
    kept, left_out = dict[str, object](), list[LeftOut]()
    cells = values.to_list()
    for file in sorted(names.files):
        row = rows.get(file)
        if row is None:
            left_out.append(LeftOut(file, f"{table.name} has no line for it"))
        elif cells[row] is None:
            where = table.place(row, target)
            left_out.append(LeftOut(file, f"{where} says nothing of it"))
        else:
            kept[file] = cells[row]
    dtype = np.float64 if values.dtype.is_numeric() else np.str_
    targets = np.array(list(kept.values()), dtype)
    return Labels(tuple(kept), targets, tuple(left_out), tuple(notes))
