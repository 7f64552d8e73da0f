"""Long lists of a document as arrays, and back.

A document is small by rule; what grows with a table is not: its columns, categories and
classes. So a list of many items is written as a *column* for each kind of item, and in
its place the document says which arrays hold it::

    [{"name": "age", "missing": false}, {"name": "height", "missing": true}, ...]

    {"packed": {"object": {"name": {"text": "lists/0", "ends": "lists/1"},
                           "missing": {"truth": "lists/2"}}, "count": 50000}}

Items of several kinds are told apart by a number each. Whatever JSON a list holds, this
holds too. Read back, a list is a `PackedColumn`, which makes its items as they are
asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any, cast

import numpy as np

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.program.types import NumpyArray

Data = dict[str, Any]
Arrays = dict[str, NumpyArray]

LISTS = "lists/"  # how the arrays' names begin
PACKED = "packed"  # the key of what stands in a list's place
SHORT = 64  # a list of fewer items stays as it is
MOST_ITEMS = 2**21  # in all columns; numbers aside, which stay in their array
ITEMS_A_TEXT = 3  # that a text counts as, by the memory that it takes
AT_ONCE = 4096  # items that are made from an array at a time


# To arrays ----------------------------------------------------------------------------


def pack(data: Mapping[str, Any]) -> tuple[Data, Arrays]:
    """The data with arrays in the place of its long lists, and those arrays.

    A vector of float64 counts as a list of numbers.

    Raises:
        ArgumentError: a list holds what isn't JSON, or a whole number beyond 64 bits.
        ModelFileError: the lists have more items than a reader would take.

    Example:
        >>> data, arrays = pack({"names": ["age", "height"] * 50})
        >>> data
        {'names': {'packed': {'text': 'lists/0', 'ends': 'lists/1'}}}
        >>> list(unpack(data, arrays)["names"])[:3]
        ['age', 'height', 'age']
    """
    packing = Packing()
    packed = {name: packing.value(value) for name, value in data.items()}
    unpack(packed, packing.arrays)  # a reader does the same
    return packed, packing.arrays


class Packing:
    """The arrays that were made of lists so far."""

    def __init__(self) -> None:
        self.arrays: Arrays = {}

    def value(self, value: Any) -> Any:
        """A value of JSON without long lists."""
        if isinstance(value, dict):
            data = cast(Data, value)
            return {name: self.value(each) for name, each in data.items()}
        if isinstance(value, np.ndarray):
            return {PACKED: self.numbers(cast(NumpyArray, value))}
        if not isinstance(value, list):
            return value
        items = cast(list[Any], value)
        if len(items) < SHORT:
            return [self.value(each) for each in items]
        return {PACKED: self.column(items)}

    def column(self, items: Sequence[Any]) -> Data:
        """The arrays of some items, as the document names them."""
        kinds = [kind_of(item) for item in items]
        numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
        if len(numbers) <= 1:
            return self.of_kind(kinds[0] if kinds else type(None), items)
        if len(numbers) > 256:
            raise ArgumentError("a list in a model file may have 256 kinds of items")
        of_each: dict[Any, list[Any]] = {kind: [] for kind in numbers}
        for kind, item in zip(kinds, items, strict=True):
            of_each[kind].append(item)
        which = self.stored([numbers[kind] for kind in kinds], np.uint8)
        parts = [self.of_kind(kind, part) for kind, part in of_each.items()]
        return {"mixed": which, "parts": parts}

    def of_kind(self, kind: Any, items: Sequence[Any]) -> Data:
        """The arrays of items of one kind."""
        if kind is np.ndarray:
            ends = self.ends(map(len, items))
            return {"list": self.numbers(np.concatenate(items)), "ends": ends}
        if kind is list:
            every = [each for item in items for each in item]
            return {"ends": self.ends(map(len, items)), "list": self.column(every)}
        if isinstance(kind, tuple):
            keys = cast(tuple[str, ...], kind)
            columns = {key: self.column([item[key] for item in items]) for key in keys}
            return {"object": columns, "count": len(items)}
        if kind is type(None):
            return {"null": len(items)}
        if kind is str:
            return self.texts(items)
        if kind not in DTYPES:
            raise ArgumentError(f"a model file's document must be JSON, got {kind}")
        word, dtype = DTYPES[kind]
        return {word: self.stored(items, dtype)}

    def texts(self, items: Sequence[str]) -> Data:
        """All texts one after the other in UTF-8, and where each ends."""
        try:
            encoded = [item.encode() for item in items]
        except UnicodeEncodeError as error:
            raise ArgumentError(
                f"a model file's texts must be UTF-8: {error}"
            ) from None
        content = self.kept(np.frombuffer(b"".join(encoded), np.uint8))
        return {"text": content, "ends": self.ends(map(len, encoded))}

    def numbers(self, array: NumpyArray) -> Data:
        """Numbers that are in an array already."""
        if array.dtype != np.float64 or array.ndim != 1:
            raise ArgumentError(
                f"an array in a model file's document must be a vector of float64, got "
                f"{array.dtype} of shape {array.shape}"
            )
        return {"number": self.kept(array)}

    def ends(self, lengths: Iterable[int]) -> str:
        """Where items end that stand one after the other."""
        return self.stored([*accumulate(lengths)], np.uint32)

    def stored(self, items: Sequence[Any], dtype: Any) -> str:
        """The name of the array that holds these items."""
        try:
            return self.kept(np.array(items, dtype))
        except OverflowError:
            raise ArgumentError(
                "whole numbers in a list of a model file must have at most 64 bits"
            ) from None

    def kept(self, array: NumpyArray) -> str:
        """The name that the array has from now on."""
        name = f"{LISTS}{len(self.arrays)}"
        self.arrays[name] = array
        return name


DTYPES: Mapping[Any, tuple[str, Any]] = {
    bool: ("truth", np.bool_),
    int: ("whole", np.int64),
    float: ("number", np.float64),
}
"""The word and the dtype of items that are the elements of an array."""


def kind_of(item: Any) -> Any:
    """The type of an item; of an object its keys."""
    kind: Any = item.__class__
    return tuple(cast(Data, item)) if kind is dict else kind


def require_few(items: int) -> None:
    """What comes back from a file has bounded size.

    Raises:
        ModelFileError: it would have more items.
    """
    if items > MOST_ITEMS:
        raise ModelFileError(
            f"the long lists of a model (columns, categories, classes) may have "
            f"{MOST_ITEMS:,} items in all, each text counting as {ITEMS_A_TEXT}, got "
            f"{items:,}"
        )


# From arrays --------------------------------------------------------------------------


class PackedColumn(ABC, Iterable[Any]):
    """A long list. Its items are made whenever one goes through them."""

    @abstractmethod
    def __len__(self) -> int:
        """How many items there are."""

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """All items in order."""


@dataclass(frozen=True)
class Nulls(PackedColumn):
    """Nothing, so many times."""

    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[None]:
        return iter([None] * self.count)


@dataclass(frozen=True)
class Elements(PackedColumn):
    """The elements of an array: truth values, whole or other numbers."""

    array: NumpyArray

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self.array), AT_ONCE):
            yield from self.array[start : start + AT_ONCE].tolist()


@dataclass(frozen=True)
class Texts(PackedColumn):
    """Texts in UTF-8, one after the other."""

    content: NumpyArray
    ends: NumpyArray

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[str]:
        content, before = self.content.data, ""
        for start, end in spans(self.ends):
            text = str(content[start:end], "utf-8")
            if text != before:  # one text may stand for many that are equal
                before = text
            yield before


@dataclass(frozen=True)
class Lists(PackedColumn):
    """Lists, whose items stand one after the other; a list of numbers is a view."""

    items: PackedColumn
    ends: NumpyArray

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[Any]:
        if is_numbers(self.items):
            array = cast(Elements, self.items).array
            yield from (array[start:end] for start, end in spans(self.ends))
            return
        items = iter(self.items)
        for start, end in spans(self.ends):
            yield [*islice(items, end - start)]


@dataclass(frozen=True)
class Objects(PackedColumn):
    """Objects of the same keys."""

    columns: Mapping[str, PackedColumn]
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Data]:
        keys = tuple(self.columns)
        if not keys:
            return ({} for _ in range(self.count))
        rows = zip(*self.columns.values(), strict=True)
        return (dict(zip(keys, row, strict=True)) for row in rows)


@dataclass(frozen=True)
class Mixed(PackedColumn):
    """Items of several kinds: the number of each one's kind, and those of each kind."""

    which: NumpyArray
    parts: Sequence[PackedColumn]

    def __len__(self) -> int:
        return len(self.which)

    def __iter__(self) -> Iterator[Any]:
        parts: list[Iterator[Any]] = [iter(part) for part in self.parts]
        return (next(parts[int(number)]) for number in Elements(self.which))


def spans(ends: NumpyArray) -> Iterator[tuple[int, int]]:
    """Where each item starts and ends."""
    start = 0
    for end in Elements(ends):
        yield start, end
        start = end


def is_numbers(column: PackedColumn) -> bool:
    """Whether its items are numbers with fractions, as computing wants them."""
    return isinstance(column, Elements) and column.array.dtype == np.float64


def unpack(data: Mapping[str, Any], arrays: Mapping[str, NumpyArray]) -> Data:
    """The data with its long lists again: `PackedColumn`s, or vectors of numbers.

    Raises:
        ModelFileError: an array isn't there, or can't be what it is said to be.
        LookupError, TypeError, ValueError: the data doesn't say what a list is.
    """
    unpacking = Unpacking(arrays)
    return {name: unpacking.value(value) for name, value in data.items()}


class Unpacking:
    """The arrays that weren't made lists again yet; each is one list's alone."""

    def __init__(self, arrays: Mapping[str, NumpyArray]) -> None:
        self._arrays = {k: v for k, v in arrays.items() if k.startswith(LISTS)}
        self._items = 0

    def value(self, value: Any) -> Any:
        """A value of JSON with its long lists."""
        if isinstance(value, list):
            return [self.value(each) for each in cast(list[Any], value)]
        if not isinstance(value, dict):
            return value
        data = cast(Data, value)
        if data.keys() != {PACKED}:
            return {name: self.value(each) for name, each in data.items()}
        column = self.column(data[PACKED])
        if is_numbers(column):
            return cast(Elements, column).array
        self._count(column)
        return column

    def column(self, data: Data) -> PackedColumn:
        """A long list from its arrays."""
        column = self._column(data)
        for part in parts_of(column):
            self._count(part)
        return column

    def _count(self, column: PackedColumn) -> None:
        weight = ITEMS_A_TEXT if isinstance(column, Texts) else 1
        self._items += weight * len(column)
        require_few(self._items)

    def _column(self, data: Data) -> PackedColumn:
        match data:
            case {"null": int(count)} if count >= 0:
                return Nulls(count)
            case {"text": content, "ends": ends}:
                found = self._vector(content, np.uint8)
                return Texts(found, self._ends(ends, len(found)))
            case {"list": items, "ends": ends}:
                column = self.column(items)
                return Lists(column, self._ends(ends, len(column)))
            case {"object": columns, "count": int(count)} if count >= 0:
                every = {str(key): self.column(each) for key, each in columns.items()}
                if any(len(each) != count for each in every.values()):
                    raise ModelFileError(f"{count:,} objects must have as many fields")
                return Objects(every, count)
            case {"mixed": which, "parts": parts}:
                found = self._vector(which, np.uint8)
                columns = [self.column(each) for each in parts]
                require_all(found, columns)
                return Mixed(found, columns)
            case _:
                ((word, name),) = data.items()
                dtypes = dict(DTYPES.values())
                return Elements(self._vector(name, dtypes[word]))

    def _ends(self, name: str, length: int) -> NumpyArray:
        """Where items end, each not before the one before it."""
        ends = self._vector(name, np.uint32)
        if (ends[1:] < ends[:-1]).any() or (
            int(ends[-1]) if len(ends) else 0
        ) != length:
            raise ModelFileError(f"{name} must rise to {length:,}")
        return ends

    def _vector(self, name: str, dtype: Any) -> NumpyArray:
        array = self._arrays.pop(name, None)
        if array is None or array.dtype != dtype or array.ndim != 1:
            raise ModelFileError(
                f"{name!r:.60} must be a vector of {np.dtype(dtype)} that no "
                "other list has"
            )
        return array


def parts_of(column: PackedColumn) -> Sequence[PackedColumn]:
    """The columns inside another that make items of their own."""
    if isinstance(column, Lists):
        return [] if is_numbers(column.items) else [column.items]
    if isinstance(column, Objects):
        return [*column.columns.values()]
    return column.parts if isinstance(column, Mixed) else []


def require_all(which: NumpyArray, columns: Sequence[PackedColumn]) -> None:
    """Each kind has as many items as are said to be of it.

    Raises:
        ModelFileError: one hasn't.
    """
    require_few(len(which))
    found = np.bincount(which, minlength=len(columns)).tolist()
    if found != [len(column) for column in columns]:
        raise ModelFileError("a list of several kinds must have all items of each")
