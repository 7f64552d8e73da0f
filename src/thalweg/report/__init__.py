"""A trained model as one page: what was learned, how well, and whether it was worth it.

This file stays light: what the page is made with is imported when one is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thalweg.kinds.trained import Model, TrainedModel


def write_report(
    model: Model | TrainedModel[Any, Any],
    path: str | Path,
    data: Any = None,
    *,
    threads: int | None = None,
    validation_data: Any = None,
    test_data: Any = None,
) -> Path:
    """Write a report: one HTML file without scripts, which needs no network.

    It shows what each column became, the split, the learning curves, the test with
    confidence intervals, the errors, which columns matter, and how a constant guess, a
    linear model and boosted trees do on the same rows. Cells of the ten rows that the
    network got most wrong are in it. Of a model of images it shows the classes that are
    confused and the images that are most wrong, with their pictures; of one of text the
    bits by the place in a window, and what it writes at several temperatures; of one of
    sequences the error by length, and those that are most wrong, drawn; of a forecast
    the test period with forecasts of it, residuals by the calendar, and the windows
    that are most wrong.

    Arguments:
        model: what `train` gave; or a model that `load` gave, whose table is needed for
            all that has to be computed again.
        path: the file, ``*.html`` by custom.
        data: the table that the model was trained on, a file's path or a frame, or the
            path of its images or text. None looks in the current folder for what has
            the recorded name; without it the report shows what the model holds, and
            says what is missing.
        threads: at most; None for as many as are fastest.
        validation_data, test_data: tables or images of one's own that the model was
            validated and tested on, if it was; None looks for them as for `data`.

    Returns:
        The file's path.

    Raises:
        ArgumentError: the path doesn't end in .html, or it is no model of data.
        DataError: the data isn't what the model was trained on.
        FileError: the table can't be read, or the report can't be written.

    Example:
        >>> import thalweg as tw
        >>> trained = tw.train("examples/penguins.csv", target="species", epochs=5)
        >>> tw.write_report(trained, "penguins.html").name
        'penguins.html'
    """
    from thalweg.tables.room import PICTURES, require_room

    require_room(PICTURES, "loading the libraries for a report")
    from thalweg.kinds.own import own_sources
    from thalweg.report.evaluate import evaluated
    from thalweg.report.write import require_html, write
    from thalweg.training.execution import Execution

    target = require_html(path)
    own = own_sources(validation_data, test_data, {})
    return write(evaluated(model, data, Execution(threads=threads), own), target)
