"""``thalweg explain``: a saved network as the formulas that run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.explain_image import explain_image
from thalweg.cli.explain_text import explain_text
from thalweg.cli.inputs import ModelFile, load_any
from thalweg.cli.outputs import PICTURE
from thalweg.cli.show import column_table, facts, show, tell
from thalweg.errors import ArgumentError
from thalweg.words import counted, listed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from thalweg.forecasting.model import ForecastModel
    from thalweg.kinds.pipeline import Described
    from thalweg.language.model import LanguageModel
    from thalweg.sequences.model import SequenceModel
    from thalweg.tabular.model import TableModel
    from thalweg.vision.model import ImageModel


def explain(
    model: ModelFile,
    program: Annotated[
        bool,
        typer.Option("--program", help="Also the whole program after each pass."),
    ] = False,
    profile: Annotated[
        bool,
        typer.Option("--profile", help="Also how long each kernel takes, measured."),
    ] = False,
    image: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw what the network sees in an image, or in an array (.npy): "
            "feature maps, receptive fields, saliency.",
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Draw what a network of text looks at along a line: its attention, "
            "or its gates; \\n is an end of a line.",
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"With --image or --text: the {PICTURE} to draw [IMAGE-seen.png, "
            "MODEL-seen.png]",
        ),
    ] = None,
) -> None:
    """Show a network's columns, scores, and formulas; or what it sees in one input."""
    from thalweg.forecasting.model import ForecastModel
    from thalweg.network import Network
    from thalweg.sequences.model import SequenceModel

    if image is None and text is None and figure is not None:
        raise ArgumentError("--figure is what --image or --text draws: give both")
    if image is not None and text is not None:
        raise ArgumentError("--image and --text must not be given together")
    if text is not None:
        explain_text(model, text, figure)
        return
    found = load_any(model)
    if isinstance(found, ForecastModel | SequenceModel):
        if image is not None:
            raise ArgumentError("--image must be left out: MODEL is one of a series")
        of_series = isinstance(found, ForecastModel)
        about_it = about_series(model, found) if of_series else about_rows(model, found)
        show(facts(about_it))
        tell()
        tell(found.network.explain(program, profile))
        return
    if image is not None:
        if isinstance(found, Network):
            explain_image(found, model, image, figure)
            return
        pipeline = found.__pipeline__()
        labels: Any = pipeline.about.get("classes")
        names = [str(label) for label in labels] if labels else None
        explain_image(pipeline.network, model, image, figure, names)
        return
    if isinstance(found, Network):
        tell(found.explain(program, profile))
        return
    from thalweg.language.model import LanguageModel
    from thalweg.tabular.model import TableModel
    from thalweg.vision.model import ImageModel

    if isinstance(found, TableModel):
        pairs = about_table(model, found)
    elif isinstance(found, ImageModel):
        pairs = about_images(model, found)
    elif isinstance(found, LanguageModel):
        pairs = about_text(model, found)
    else:
        pairs = about(model, found)
    show(facts(pairs))
    tell()
    tell(found.__pipeline__().network.explain(program, profile))


def about(path: Path, estimator: Described) -> list[tuple[str, RenderableType]]:
    """What the file says about an estimator: what goes in, and what comes out."""
    from thalweg.kinds.pipeline import TableInputs

    pipeline = estimator.__pipeline__()
    pairs: list[tuple[str, RenderableType]] = [
        ("Model", path.name),
        ("Estimator", repr(estimator)),
    ]
    if isinstance(pipeline.inputs, TableInputs):
        pairs.append(("Columns", column_table(pipeline.inputs.encoder.schema)))
    else:
        pairs.append(("X", counted(pipeline.inputs.shape[0], "column")))
    if isinstance(classes := pipeline.about.get("classes"), list):
        pairs.append(("Classes", listed([str(label) for label in classes])))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return pairs


def about_table(path: Path, model: TableModel) -> list[tuple[str, RenderableType]]:
    """What the file says about the table and the training."""
    return [
        ("Model", path.name),
        ("Target", f"{model.target}, as {model.task.line()}"),
        ("Columns", column_table(model.encoder.schema)),
        *about_training(model.results),
    ]


def about_series(path: Path, model: ForecastModel) -> list[tuple[str, RenderableType]]:
    """What the file says about the series and the training."""
    from thalweg.cli.forecast_report import ahead_line

    inputs = model.inputs
    back, ahead = counted(inputs.history, "row"), counted(inputs.ahead, "row")
    return [
        ("Model", path.name),
        ("Forecast", f"{model.target}, {ahead} ahead of a history of {back}"),
        ("Times", f"{model.time.name}, {model.step} apart"),
        ("Columns", column_table(inputs.encoder.schema)),
        ("Ahead", ahead_line(inputs.known, inputs.cycles)),
        ("At a time", listed(inputs.names(model.time.name), 12)),
        *about_training(model.results),
    ]


def about_rows(path: Path, model: SequenceModel) -> list[tuple[str, RenderableType]]:
    """What the file says about the sequences and the training."""
    order = "as they stand" if model.order is None else f"by {model.order.name}"
    return [
        ("Model", path.name),
        ("Target", f"{model.target}, as {model.task.line()}"),
        ("Sequences", f"rows with one {model.sequence}, {order}"),
        ("Columns", column_table(model.encoder.schema)),
        *about_training(model.results),
    ]


def about_images(path: Path, model: ImageModel) -> list[tuple[str, RenderableType]]:
    """What the file says about the images and the training."""
    return [
        ("Model", path.name),
        ("Images", str(model.form)),
        ("Target", model.task.line()),
        *about_training(model.results),
    ]


def about_text(path: Path, model: LanguageModel) -> list[tuple[str, RenderableType]]:
    """What the file says about the text and the training."""
    unit = model.vocabulary.unit
    return [
        ("Model", path.name),
        ("Text", f"windows of {model.length} {unit}"),
        ("Target", model.task.line()),
        ("Known", repr("".join(model.vocabulary.labels()))),
        *about_training(model.results),
    ]


def about_training(results: Mapping[str, Any]) -> list[tuple[str, RenderableType]]:
    """The settings, the test, and the curves in words."""
    pairs: list[tuple[str, RenderableType]] = []
    for word, key in (("Settings", "settings"), ("Test", "test")):
        if isinstance(found := results.get(key), Mapping):
            pairs.append((word, named(found)))  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(reading := results.get("reading"), str):
        pairs.append(("Curves", reading))
    return pairs


def named(values: Mapping[str, Any]) -> str:
    """Names and values that were set, with commas between."""
    return ", ".join(
        f"{name} {text_of(value)}"
        for name, value in values.items()
        if value not in (None, [], ())
    )


def text_of(value: Any) -> str:
    """A setting as it was typed, a metric to four digits."""
    if isinstance(value, list):
        return ",".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return f"{value:.4g}" if isinstance(value, float) else str(value)
