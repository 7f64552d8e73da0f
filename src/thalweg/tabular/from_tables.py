"""What kinds of data in tables share: how a table is read, and told from others."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from thalweg.errors import ArgumentError
from thalweg.kinds.kind import Kind, TrainedT
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.trained import ModelT, PartsT
from thalweg.tables.read import read
from thalweg.tabular.fingerprints import difference, fingerprints
from thalweg.tabular.own import Own, ReadTable
from thalweg.tabular.settings import TableRegimen

SettingsT = TypeVar("SettingsT", bound=TableRegimen)


class FromTables(Kind[SettingsT, ReadTable, PartsT, ModelT, TrainedT], ABC):
    """A kind of data that is read from tables.

    Attributes:
        why_no_own: why tables of one's own aren't taken, as a clause; nothing if they
            are.
    """

    noun = "table"
    why_no_own: ClassVar[str] = ""

    def read(
        self, source: Any, settings: SettingsT, own: Sources = NO_SOURCES
    ) -> ReadTable:
        """See `Kind`; a source is a file's path, a frame, or a table that was read."""
        for part in own if self.why_no_own else ():
            raise ArgumentError(f"{part}_data must be left out: {self.why_no_own}")
        dialect = settings.dialect
        return ReadTable(read(source, dialect), Own.read(own, dialect))

    def fingerprint(self, found: ReadTable) -> dict[str, Any]:
        """See `Kind`."""
        return fingerprints(found.table, found.own)

    def difference(self, before: Mapping[str, Any], found: Mapping[str, Any]) -> str:
        """See `Kind`."""
        return difference(before, found)
