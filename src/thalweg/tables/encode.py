"""Encode a table as the array that a network takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.cached import cached_property
from thalweg.errors import DataError, ModelFileError
from thalweg.tables.categories import CategoryEncoding, CodeEncoding, fit_categories
from thalweg.tables.cell_report import ColumnReport, Report, marked, unreadable_cells
from thalweg.tables.encodings import Encoding, MomentEncoding, NumberEncoding
from thalweg.tables.forms import USUAL, Form
from thalweg.tables.forms.missing import MISSING_TEXTS
from thalweg.tables.number_block import number_blocks
from thalweg.tables.schema import Column, Schema
from thalweg.tables.splitting.split import RowNumbers
from thalweg.tables.strict import items, require_keys, tag_of
from thalweg.tables.table import Table

PLAIN = USUAL["number"]

_READERS: Mapping[str, Callable[[object, Form], Encoding]] = {
    encoding.tag: encoding.from_dict
    for encoding in (NumberEncoding, MomentEncoding, CategoryEncoding, CodeEncoding)
}


@dataclass(frozen=True)
class Embedded:
    """A feature that holds category numbers for an embedding.

    Args:
        name: the table's column.
        position: the feature's place among the columns of X.
        categories: how many numbers there are, 0 to categories - 1.
        dimension: the length of the vector that should stand for each.
    """

    name: str
    position: int
    categories: int
    dimension: int


@dataclass(frozen=True)
class Encoded:
    """A table as an array.

    Args:
        X: shape (rows, features), float32, rows contiguous.
        report: what was new, missing or not understood in the cells.
    """

    X: NDArray[np.float32]
    report: Report


@dataclass(frozen=True)
class Encoder:
    """How each column of a table becomes features; learned from training rows alone.

    Args:
        schema: what the columns are.
        encodings: one for each feature column; those for embeddings come last.
    """

    schema: Schema
    encodings: tuple[Encoding, ...]

    @classmethod
    def fit(cls, schema: Schema, table: Table, rows: RowNumbers) -> "Encoder":
        """Learn how to encode from some rows of a table.

        Args:
            schema: what the columns are.
            table: the cells.
            rows: positions of the training rows, from 0; no other row is looked at.

        Raises:
            DataError: no column is left to learn from.

        >>> from thalweg.tables.infer import infer
        >>> table = Table.of("people", pl.DataFrame({
        ...     "age": [20, 40, 60, None], "city": list("abba"), "ok": list("yyyn")}))
        >>> encoder = Encoder.fit(infer(table, target="ok"), table, np.arange(4))
        >>> encoder.features
        ('age', 'age missing', 'city=a', 'city=b')
        >>> encoder.transform(table).X.round(1).tolist()[1]
        [0.0, 0.0, 0.0, 1.0]
        """
        if not schema.features:
            why = "; ".join(schema.lines()) or "the table has no other"
            raise DataError(
                f"{table.name}: there must be a column to learn from, but {why}"
            )
        found = _fit_plain(schema.features, table, rows)
        encodings = [
            found.get(column.name)
            or _fit(column, table.column(column.name).gather(rows))
            for column in schema.features
        ]
        return cls(schema, tuple(sorted(encodings, key=_is_embedded)))

    @cached_property
    def features(self) -> tuple[str, ...]:
        """A name for each column of X."""
        return tuple(name for encoding in self.encodings for name in encoding.features)

    @property
    def types(self) -> dict[str, pl.DataType]:
        """What the cells of each column are best read as."""
        return {encoding.name: encoding.type for encoding in self.encodings}

    @property
    def missing(self) -> tuple[str, ...]:
        """The texts of `MISSING_TEXTS` that mean "missing" in each column."""
        texts = pl.Series(MISSING_TEXTS)
        absent = [encoding.form.absent(texts) for encoding in self.encodings]
        return tuple(texts.filter(pl.select(pl.all_horizontal(absent)).to_series()))

    @property
    def embedded(self) -> tuple[Embedded, ...]:
        """The last columns of X, which hold category numbers."""
        codes = [code for code in self.encodings if isinstance(code, CodeEncoding)]
        first = len(self.features) - len(codes)
        return tuple(
            Embedded(code.name, position, len(code.categories) + 2, code.dimension)
            for position, code in enumerate(codes, start=first)
        )

    def transform(self, table: Table) -> Encoded:
        """Encode every row of a table.

        Whatever a cell holds, it gets a number: categories that training rows didn't
        have, missing cells where none was missing, and cells that can't be read are
        counted in the report.

        Args:
            table: with at least the columns that were there when the encoder was
                fitted.

        Raises:
            DataError: a column isn't there.
        """
        X = np.zeros((table.rows, len(self.features)), np.float32)
        return Encoded(X, self.encode_into(table, X))

    def encode_into(self, table: Table, X: NDArray[np.float32]) -> Report:
        """Write what `transform` gives into zeros.

        Args:
            table: with at least the columns that were there when the encoder was
                fitted.
            X: zeros, shape (rows, features), rows contiguous.

        Raises:
            DataError: a column isn't there.
        """
        known = self._encode_plain(table, X)
        reports: list[ColumnReport] = []
        masks: dict[str, pl.Series] = {}
        start = 0
        for encoding in self.encodings:
            if encoding.name in known:
                reports.append(known[encoding.name])
                start += encoding.width
                continue
            column = table.column(encoding.name)
            cells = encoding.understood(column)
            stop = start + encoding.width
            unseen = encoding.encode_into(cells, X[:, start:stop])
            bad = unreadable_cells(column, cells, encoding.form)
            if bad is not None and bad.any():
                masks[encoding.name] = bad
            reports.append(ColumnReport.of(table, encoding, column, cells, unseen, bad))
            start = stop
        names = {column.name for column in self.schema.columns}
        names |= {self.schema.target.name, self.schema.weights or ""}
        extra = tuple(name for name in table.columns if name not in names)
        return Report(table.rows, tuple(reports), extra, table.name, marked(masks))

    def _encode_plain(
        self, table: Table, X: NDArray[np.float32]
    ) -> dict[str, ColumnReport]:
        """Write the features of plain numbers, and say what was found in them."""
        reports: dict[str, ColumnReport] = {}
        for block in number_blocks(table, [*self._plain]):
            if not block.names:
                continue
            found = [self._plain[name] for name in block.names]
            encodings = [encoding for encoding, _ in found]
            starts = [start for _, start in found]
            NumberEncoding.encode_each(encodings, block.values, starts, X)
            missing = block.missing.tolist()
            for encoding, count in zip(encodings, missing, strict=True):
                report = ColumnReport.of_plain(encoding, count)
                reports[encoding.name] = report
        return reports

    @cached_property
    def _plain(self) -> dict[str, tuple[NumberEncoding, int]]:
        """Encodings of numbers as Python writes them, and where features start."""
        found: dict[str, tuple[NumberEncoding, int]] = {}
        start = 0
        for encoding in self.encodings:
            if isinstance(encoding, NumberEncoding) and encoding.form == PLAIN:
                found[encoding.name] = encoding, start
            start += encoding.width
        return found

    def to_dict(self) -> dict[str, Any]:
        """The encoder as JSON."""
        return {
            "schema": self.schema.to_dict(),
            "encodings": [encoding.to_dict() for encoding in self.encodings],
        }

    @classmethod
    def from_dict(cls, data: object) -> "Encoder":
        """The encoder that `to_dict` wrote, read back from JSON.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "an encoder", "schema", "encodings")
        schema = Schema.from_dict(found["schema"])
        forms = {column.name: column.form for column in schema.features}
        listed = items(found["encodings"], "an encoder's encodings")
        encodings = tuple(_encoding(item, forms) for item in listed)
        columns = [(encoding.name, encoding.kind) for encoding in encodings]
        if sorted(columns) != sorted((c.name, c.kind) for c in schema.features):
            raise ModelFileError("an encoder must have an encoding for each feature")
        if list(encodings) != sorted(encodings, key=_is_embedded):
            raise ModelFileError("an encoder's codes for embeddings must come last")
        return cls(schema, encodings)


def _fit_plain(
    columns: Sequence[Column], table: Table, rows: RowNumbers
) -> dict[str, Encoding]:
    """The encodings of columns of plain numbers, without a missing one in the rows."""
    forms = {column.name: column.form for column in columns if column.form == PLAIN}
    found: dict[str, Encoding] = {}
    for block in number_blocks(table, [*forms]):
        values = block.values[:, rows]
        whole = np.flatnonzero(~np.isnan(values).any(axis=1))
        names = [block.names[place] for place in whole]
        chosen = [forms[name] for name in names]
        fitted = NumberEncoding.fit_each(names, values[whole], chosen) if names else []
        found |= zip(names, fitted, strict=True)
    return found


def _fit(column: Column, rows: pl.Series) -> Encoding:
    """The encoding that fits a column's form and its cells in the training rows."""
    cells = column.form.understood(rows)
    if column.kind == "number":
        return NumberEncoding.fit(column.name, cells, column.form)
    if column.kind in ("date", "time"):
        return MomentEncoding.fit(column.name, column.form, cells)
    return fit_categories(column.name, column.form, cells)


def _is_embedded(encoding: Encoding) -> bool:
    return isinstance(encoding, CodeEncoding)


def _encoding(data: object, forms: Mapping[str, Form]) -> Encoding:
    reader, name = _READERS.get(tag_of(data, "encoding")), tag_of(data, "name")
    if reader is None:
        raise ModelFileError(f"an encoding must be one of {', '.join(_READERS)}")
    if name not in forms:
        raise ModelFileError("an encoder must have an encoding for each feature")
    return reader(data, forms[name])
