"""Files as commands take them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thalweg.data import load
from thalweg.errors import ModelFileError
from thalweg.training.network import Network

if TYPE_CHECKING:
    from thalweg.data.model import TableModel

ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="What thalweg train saved.")
]
TableFile = Annotated[
    Path, typer.Argument(metavar="DATA", help="A table: CSV or Parquet.")
]


def load_model(path: Path) -> TableModel:
    """The model of a table.

    Raises:
        FileError: the file can't be read, or holds something else.
    """
    found = load(path)
    if isinstance(found, Network):
        raise ModelFileError(
            f"{path}: must hold a network with its table, as thalweg train saves it, "
            "but holds a network alone; thalweg.load takes that in Python"
        )
    return found
