"""Files as commands take them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.images.read import is_images

if TYPE_CHECKING:
    from thalweg.estimators import NetworkClassifier, NetworkRegressor
    from thalweg.forecasting.model import ForecastModel
    from thalweg.language.model import LanguageModel
    from thalweg.network import Network
    from thalweg.sequences.model import SequenceModel
    from thalweg.tables.dialect import Dialect
    from thalweg.tabular.model import TableModel
    from thalweg.training.execution import Execution
    from thalweg.vision.model import ImageModel

ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="What thalweg train saved.")
]
A_TABLE = (
    "A table: CSV or Parquet, also packed (.gz, .xz, .zst, .zip); - is standard input."
)
TableFile = Annotated[Path, typer.Argument(metavar="DATA", help=A_TABLE)]
TO_PREDICT = (
    f"{A_TABLE} For a model of images: a folder, IDX files, .npz, or one image; for "
    "one of a text: a text."
)
ToPredict = Annotated[Path, typer.Argument(metavar="DATA", help=TO_PREDICT)]
Target = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", metavar="COLUMN", help="The column to predict [required]"
    ),
]
A_TABLE_OR_IMAGES = f"{A_TABLE} Or images: a folder, IDX files, .npz."
A_TABLE_IMAGES_OR_TEXT = (
    f"{A_TABLE_OR_IMAGES} Or a text: a file named .txt or .md, without a target."
)
Data = Annotated[Path, typer.Argument(metavar="DATA", help=A_TABLE_IMAGES_OR_TEXT)]
DataToTrainOn = Annotated[
    Path | None,
    typer.Argument(metavar="DATA", show_default=False, help=A_TABLE_IMAGES_OR_TEXT),
]

ValidationData = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A table, images or text of your own to choose the best epoch by "
        "[some of DATA]",
    ),
]
TestData = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A table, images or text of your own to test on, once [some of DATA]",
    ),
]

Threads = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Threads, at most; the results are the same to the bit "
        "[as many as the work is worth]",
    ),
]

Lenient = Annotated[
    bool,
    typer.Option(
        "--lenient",
        help="Go on where most cells of a column can't be read, and mark the rows.",
    ),
]


def execution_on(threads: str | None) -> Execution:
    """What runs a network, on as many threads as were asked for.

    Raises:
        ArgumentError: that isn't a whole number of 1 or more.
    """
    from thalweg.training.execution import Execution

    if threads is None:
        return Execution()
    try:
        return Execution(threads=int(threads))
    except ValueError:
        raise ArgumentError(
            f"threads must be a whole number, 1 or more, got {threads!r}"
        ) from None


def whole_number(name: str, text: str) -> int:
    """What was typed for an option, as a whole number.

    Raises:
        ArgumentError: it isn't one.
    """
    try:
        return int(text)
    except ValueError:
        raise ArgumentError(f"{name} must be a whole number, got {text!r}") from None


def load_any(
    path: Path,
) -> (
    Network
    | TableModel
    | ImageModel
    | LanguageModel
    | ForecastModel
    | SequenceModel
    | NetworkClassifier
    | NetworkRegressor
):
    """Whatever a model file holds.

    Raises:
        FileError: the file can't be read, or breaks a rule of the format.
    """
    from thalweg.files.document import ESTIMATOR
    from thalweg.files.modelfile import opened_model
    from thalweg.loading import held_in

    with opened_model(path) as content:
        if content.document.get("kind") != ESTIMATOR:
            return held_in(content)
        from thalweg.estimators import estimator_in

        return estimator_in(content)


def load_text_model(path: Path, command: str) -> LanguageModel:
    """The model of a text.

    Raises:
        FileError: the file can't be read, or holds something else.
    """
    from thalweg.language.model import LanguageModel
    from thalweg.loading import load

    found = load(path)
    if not isinstance(found, LanguageModel):
        raise ModelFileError(
            f"{path}: must hold a model of text for thalweg {command}, as thalweg "
            "train saves it of a .txt"
        )
    return found


def load_model(
    path: Path,
) -> TableModel | ImageModel | LanguageModel | ForecastModel | SequenceModel:
    """The model of a table, images, a text, a series or sequences.

    Raises:
        FileError: the file can't be read, or holds something else.
    """
    from thalweg.loading import load
    from thalweg.network import Network

    found = load(path)
    if isinstance(found, Network):
        raise ModelFileError(
            f"{path}: must hold a network with its table, or one for images or text, "
            "as thalweg train saves it, but holds a network alone; thalweg.load takes "
            "that in Python"
        )
    return found


def require_table(data: Path, command: str) -> None:
    """What a command of tables is given isn't images.

    Raises:
        ArgumentError: it is.
    """
    if is_images(data):
        raise ArgumentError(f"thalweg {command} takes tables, but {data} is images")


def require_target(data: Path, target: str | None, dialect: Dialect) -> str:
    """The target; without one the error says what it could be.

    Raises:
        ArgumentError: none was given.
        FileError, DataError: the table can't be read.
    """
    if target is not None:
        return target
    from thalweg.tables.read import read

    table = read(data, dialect)
    raise ArgumentError(
        f"target must name the column to predict; {table.name} has "
        f"{table.listed_columns(most=30)}"
    )
