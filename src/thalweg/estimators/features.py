"""How the user's X becomes what the network takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.estimators.scaling import LIMIT, Scaling
from thalweg.estimators.sequences import Sequences
from thalweg.files.columnar import pack
from thalweg.formulas.embedding import Embedding
from thalweg.formulas.layers import Columns, Layer
from thalweg.formulas.preparation import Rescale, Reshape
from thalweg.kinds.pipeline import ArrayInputs, Inputs, TableInputs
from thalweg.network import Network
from thalweg.program import ops
from thalweg.program.types import Dtype, NumpyArray, Shape

if TYPE_CHECKING:
    from thalweg.tables.encode import Encoder
    from thalweg.tables.table import Table


class Features(ABC):
    """How X becomes inputs; learned from training rows alone."""

    @abstractmethod
    def transform(self, X: Any, dtype: Dtype) -> NumpyArray | Sequences:
        """The inputs of every row, shape (rows, inputs) or as that of images."""

    def layers(self) -> list[Layer]:
        """What must come first in the network."""
        return []

    def row_shape(self, X: Any) -> Shape:
        """The shape of a row that the network takes."""
        return tuple(X.shape[1:])

    @abstractmethod
    def inputs(self, network: Network) -> Inputs:
        """The same for exports.

        Arguments:
            network: the one that takes them.
        """

    @abstractmethod
    def to_data(self) -> tuple[dict[str, Any], dict[str, NumpyArray]]:
        """Plain data, and arrays by name, as model files have them."""


@dataclass(frozen=True)
class ArrayFeatures(Features):
    """Numbers, standardized by the training rows' mean and deviation."""

    scaling: Scaling

    @classmethod
    def fit(
        cls, X: Any, weights: NumpyArray | None, layers: Sequence[Any]
    ) -> ArrayFeatures:
        """Learn the scaling from training rows, but for what layers read as it is.

        Of rows of different lengths each time counts as often as its row.
        """
        kept = columns_as_they_are(layers, X.shape[-1])
        times: Any = X
        if isinstance(X, Sequences):
            times, counts = X.end_to_end, [len(row) for row in X]
            weights = None if weights is None else np.repeat(weights, counts)
        return cls(Scaling.fit(times, weights).without(kept))

    def transform(self, X: Any, dtype: Dtype) -> NumpyArray | Sequences:
        """Standardized numbers, limited to ±10."""
        if isinstance(X, Sequences):
            return Sequences(self.scaling(row, dtype, LIMIT) for row in X)
        return self.scaling(X, dtype, LIMIT)

    def inputs(self, network: Network) -> ArrayInputs:
        """Numbers in float64, as they are standardized in it."""
        row, dtype = network.shapes.outputs[0], network.dtype

        def formula(X: Any) -> Any:
            return self.scaling.standardized(X, LIMIT).astype(dtype)

        return ArrayInputs(row, "float64", formula, True, network.takes_lengths)

    def to_data(self) -> tuple[dict[str, Any], dict[str, NumpyArray]]:
        """Mean and deviation."""
        return {"kind": "array"}, asdict(self.scaling)


@dataclass(frozen=True)
class RawFeatures(Features):
    """Numbers as they are; images of bytes are read where they lie.

    Arguments:
        first: what the network begins with, which brings bytes to a scale.
    """

    first: tuple[Layer, ...] = ()

    @classmethod
    def of_bytes(
        cls, X: NumpyArray, weights: NumpyArray | None, layers: Sequence[Any]
    ) -> RawFeatures:
        """Learn from training rows the scale to which the network brings bytes.

        Standardized here, they would take four times their memory, or eight.
        """
        kept = columns_as_they_are(layers, X.shape[-1])
        scaling = Scaling.fit(X, weights).reaching(X, LIMIT).without(kept)
        return cls((rescaled_by(scaling),) if scaling.changes.any() else ())

    def layers(self) -> list[Layer]:
        """The layer that standardizes bytes, if they are to be."""
        return list(self.first)

    def transform(self, X: Any, dtype: Dtype) -> NumpyArray | Sequences:
        """The numbers in the network's dtype; bytes of images stay bytes."""
        if isinstance(X, Sequences):
            return Sequences(row.astype(dtype) for row in X)
        if hasattr(X, "toarray"):
            return X.astype(dtype).toarray(order="C")
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(X, X.dtype if are_bytes(X) else dtype)

    def inputs(self, network: Network) -> ArrayInputs:
        """Bytes as a network alone takes them; else float64, which holds all others."""
        row, dtype = network.shapes.outputs[0], network.dtype
        given: Dtype = "uint8" if network.input_dtype == "uint8" else "float64"
        lengths = network.takes_lengths
        return ArrayInputs(row, given, lambda X: ops.cast(X, dtype), True, lengths)

    def to_data(self) -> tuple[dict[str, Any], dict[str, NumpyArray]]:
        """Nothing but what it is: the layer is one of the network's."""
        return {"kind": "raw"}, {}


@dataclass(frozen=True)
class TableFeatures(Features):
    """The columns of a frame, each encoded by what it holds.

    Arguments:
        names: of the frame's columns, in order.
        encoder: how each becomes inputs.
    """

    names: tuple[str, ...]
    encoder: Encoder

    @classmethod
    def fit(cls, table: Table, rows: NumpyArray) -> TableFeatures:
        """Learn from some rows of a table.

        Raises:
            DataError: a cell can't be used, or no column is left to learn from.
            ModelFileError: there are more columns than a pickle, or a file, can hold.
        """
        from thalweg.tables.encode import Encoder
        from thalweg.tables.infer import infer_features
        from thalweg.tables.schema import Column, Schema

        target = "target"
        while target in table.columns:
            target += "_"
        found = infer_features(table, table.columns)
        columns = tuple(found[name] for name in table.columns)
        schema = Schema(Column(target, "ignored", "given as y"), None, columns)
        found = cls(tuple(table.columns), Encoder.fit(schema, table, rows))
        pack(found.to_data()[0])  # what a file couldn't hold isn't trained either
        return found

    def transform(self, X: Any, dtype: Dtype) -> NumpyArray:
        """The features of every row; cells here and there may hold anything.

        Raises:
            DataError: most of a column isn't what it was in training.
        """
        encoded = self.encoder.transform(table_of(X, self.names))
        encoded.report.require_readable("make such cells missing")
        return encoded.X.astype(dtype, copy=False)

    def inputs(self, network: Network) -> TableInputs:
        """The frame's columns."""
        return TableInputs(self.encoder, partial(table_of, names=self.names))

    def row_shape(self, X: Any) -> Shape:
        """As many numbers as the encoder makes of a row."""
        return (len(self.encoder.features),)

    def layers(self) -> list[Layer]:
        """Embeddings for columns of many categories."""
        from thalweg.tabular.learn import embedding_layers

        return embedding_layers(self.encoder)

    def to_data(self) -> tuple[dict[str, Any], dict[str, NumpyArray]]:
        """The columns and their encoder."""
        encoder = self.encoder.to_dict()
        return {"kind": "table", "names": list(self.names), "encoder": encoder}, {}


def features_from(data: dict[str, Any], arrays: dict[str, NumpyArray]) -> Features:
    """What `to_data` gave, read back.

    Raises:
        ModelFileError: a part of the encoder can't be.
    """
    if data["kind"] == "table":
        from thalweg.tables.encode import Encoder

        return TableFeatures(tuple(data["names"]), Encoder.from_dict(data["encoder"]))
    return ArrayFeatures(Scaling(**arrays)) if arrays else RawFeatures()


def are_bytes(X: Any) -> bool:
    """Whether it is images or series of bytes; a table of small numbers isn't.

    >>> are_bytes(np.zeros((9, 4, 4), np.uint8)), are_bytes(np.zeros((9, 4), np.uint8))
    (True, False)
    """
    return X.dtype == np.uint8 and X.ndim > 2


def rescaled_by(scaling: Scaling) -> Rescale:
    """The layer that does what a scaling does: (x - mean) / deviation.

    >>> rescaled_by(Scaling(np.array([10.0]), np.array([4.0])))
    Rescale(scale=(0.25,), offset=(-2.5,))
    """
    scale = 1 / scaling.deviation
    return Rescale(scale.tolist(), (-scaling.mean * scale).tolist())


def is_frame(X: Any) -> bool:
    """Whether it is a frame of pandas, polars or pyarrow."""
    if isinstance(X, np.ndarray | list | tuple) or hasattr(X, "toarray"):
        return False
    import narwhals as nw

    return nw.dependencies.is_into_dataframe(X)


def is_table(X: Any) -> bool:
    """Whether it is a frame that was read; arrays never are."""
    return hasattr(X, "frame")


def table_of(X: Any, names: Sequence[str] = ()) -> Table:
    """A frame's cells; those of an array under the names of a frame seen before."""
    from thalweg.tables.read import read

    if is_table(X):
        return X
    if is_frame(X):
        return read(X)
    import polars as pl

    columns = {
        # NaN beside texts would become one of them.
        name: [None if cell != cell else cell for cell in X[:, place].tolist()]
        for place, name in enumerate(names)
    }
    return read(pl.DataFrame(columns, strict=False))


def columns_as_they_are(layers: Sequence[Any], columns: int) -> list[int]:
    """The columns whose numbers the first layers read as they are.

    Those that go through an embedding hold category numbers; `Rescale` brings all to a
    scale by itself.
    """
    first = next((each for each in layers if not isinstance(each, Reshape)), None)
    if isinstance(first, Embedding | Rescale):
        return list(range(columns))
    if not isinstance(first, Columns):
        return []
    parts = [p for p in first.parts if isinstance(p[2], Embedding | Rescale)]
    return [column for start, stop, _ in parts for column in range(start, stop)]
