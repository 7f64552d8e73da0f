"""What a search does with a series: what there is to choose, and folds of its times."""

from __future__ import annotations

from itertools import pairwise

from thalweg.checks import require_whole
from thalweg.errors import DataError
from thalweg.forecasting.prepare import PreparedSeries, learned_from, require_windows
from thalweg.forecasting.series import series_of
from thalweg.forecasting.settings import NO_CELL, ForecastSettings, SeriesRegimen
from thalweg.kinds.parts import Parts
from thalweg.search.space import Choice, Space, batch_sizes, learning_rates
from thalweg.tables.splitting.split import size_of
from thalweg.tabular.own import ReadTable


def space(base: ForecastSettings, parts: PreparedSeries) -> Space:
    """What there is to choose for a forecast.

    A GRU, an LSTM, or dense layers alone; 32 to 128 units; none or one hidden layer
    after it; the learning rate over two decades; the usual batch size, half, double or
    four times it; dropout; and L2's rate.

    Arguments:
        base: the settings that hold where nothing is chosen.
        parts: the series.
    """
    return space_of_cells(base, parts, ("gru", "gru", "lstm", NO_CELL))


def space_of_cells(base: SeriesRegimen, parts: Parts, cells: tuple[str, ...]) -> Space:
    """What there is to choose where a cell goes through times.

    Arguments:
        base: the settings that hold where nothing is chosen.
        parts: the rows.
        cells: which there are.
    """
    return {
        "cell": Choice(cells),
        "units": Choice((32, 64, 128)),
        "hidden": Choice((0, 0, 32, 64)),
        "learning_rate": learning_rates(base),
        "batch_size": batch_sizes(base, len(parts.training.X)),
        "dropout": Choice((0.0, 0.1, 0.3, 0.3, 0.5)),
        "l2": Choice((0.0, 0.0, 0.00001, 0.0001, 0.001)),
    }


def folds(
    found: ReadTable, parts: PreparedSeries, settings: ForecastSettings, count: int
) -> list[PreparedSeries]:
    """The series for each fold, as if it had ended there: forward chaining.

    The times before the test are cut into one piece more than there are folds, one
    after the other. Each but the first is scored once, by a network that learned from
    all times before it, the last of which choose the epoch. So no time is forecast by
    one that has seen a later one. What is learned from training rows, such as means,
    categories, cycles and the season, is learned anew for each.

    Arguments:
        found: the table.
        parts: its times, and which of them are for the test.
        settings: the shares, and how far to look back and ahead.
        count: how many folds.

    Raises:
        ArgumentError: fewer than 2 folds.
        DataError: a fold has too few times for windows in each part.

    Source: Tashman, "Out-of-sample tests of forecasting accuracy: an analysis and
    review", 2000.
    """
    require_whole("folds", count, least=2)
    series = series_of(found.table, parts.targets.name, settings)
    times = parts.cuts[1]
    ends = [times * part // (count + 1) for part in range(1, count + 2)]
    share = settings.validation / (1 - settings.test)
    every: list[PreparedSeries] = []
    try:
        for start, end in pairwise(ends):
            fold, cuts = series.until(end), (start - size_of(share, start), start)
            require_windows(fold, cuts)
            every.append(learned_from(fold, cuts))
    except DataError as error:
        raise DataError(f"{count} folds: {error}") from None
    return every
