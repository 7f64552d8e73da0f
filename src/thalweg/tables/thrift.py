"""Structs of Thrift's compact protocol, which Parquet writes its footer and headers in.

Source: `thrift-compact-protocol.md` in the repository apache/thrift.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Struct: TypeAlias = dict[int, Any]
"""Values by the numbers of their fields; what isn't looked at may be None."""

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = range(
    1, 14
)
WIDTHS = {BYTE: 1, DOUBLE: 8, UUID: 16}


class Decoder:
    """Reads values one after the other.

    Arguments:
        data: the bytes.
        at: where the next value starts.

    Raises:
        IndexError: the bytes end within a value.
        ValueError: there is no such type.

    Example:
        >>> Decoder(bytes([0x15, 0x50, 0x11, 0x18, 0x02, 0x61, 0x62, 0])).struct()
        {1: 40, 2: True, 3: b'ab'}
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def struct(self) -> Struct:
        """Fields up to the stop."""
        found: Struct = {}
        field = 0
        while head := self._byte():
            kind = head & 0x0F
            field = field + (head >> 4) if head >> 4 else self._integer()
            found[field] = kind == TRUE if kind in (TRUE, FALSE) else self._value(kind)
        return found

    def _value(self, kind: int) -> Any:
        if kind in (I16, I32, I64):
            return self._integer()
        if kind == BINARY:
            return self._bytes(self._unsigned())
        if kind in WIDTHS:
            return self._bytes(WIDTHS[kind])
        if kind in (LIST, SET):
            return self._list()
        if kind == STRUCT:
            return self.struct()
        if kind == MAP:
            return self._map()
        raise ValueError(f"kind must be a type of Thrift's, got {kind}")

    def _list(self) -> list[Any]:
        head = self._byte()
        kind = head & 0x0F
        count = head >> 4 if head >> 4 < 15 else self._unsigned()
        # Within a list, a boolean is a byte.
        kind = BYTE if kind in (TRUE, FALSE) else kind
        return [self._value(kind) for _ in range(count)]

    def _map(self) -> None:
        count = self._unsigned()
        kinds = self._byte() if count else 0
        for _ in range(count):
            self._value(kinds >> 4)
            self._value(kinds & 0x0F)

    def _integer(self) -> int:
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)

    def _unsigned(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        start, self.at = self.at, self.at + count
        if self.at > len(self.data):
            raise IndexError("the bytes must go on, but end")
        return self.data[start : self.at]
