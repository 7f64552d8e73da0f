"""What a network has to beat: no change, the season before, a linear autoregression."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.forecasting.prepare import PreparedSeries
from thalweg.forecasting.scores import ForecastErrors
from thalweg.kinds.limited import limited
from thalweg.kinds.scores import parts_of
from thalweg.series.seasons import repeated_season
from thalweg.words import counted

LAST, AUTOREGRESSION = "last value", "linear autoregression"
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
"""Of ridge regression; the one is taken that does best on validation windows."""

MOST_CELLS = 2**25
"""Of its windows, side by side; of more the latest are taken."""

ONE_THREAD = 1
"""More would change the last digits of its products."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ForecastBaseline:
    """Another model's forecasts of the test windows.

    Arguments:
        name: what it is.
        errors: what it got wrong.
        seconds: to learn and to forecast.
        note: where it had less than the network had.
    """

    name: str
    errors: ForecastErrors
    seconds: float
    note: str = ""


def baselines(parts: PreparedSeries) -> list[ForecastBaseline]:
    """The last value, the season before, and a linear autoregression.

    Arguments:
        parts: the series; validation windows choose the penalty.
    """
    models: dict[str, Callable[[], tuple[Floats, str]]] = {
        LAST: lambda: (last_value(parts), ""),
    }
    season = parts.season
    if season is not None:
        name = season_name(parts, season)
        models[name] = lambda: (season_before(parts, season), "")
    models[AUTOREGRESSION] = lambda: autoregression(parts)
    found: list[ForecastBaseline] = []
    for name, model in models.items():
        started = time.perf_counter()
        predicted, note = model()
        errors = ForecastErrors(parts.test.truth, predicted)
        seconds = time.perf_counter() - started
        found.append(ForecastBaseline(name, errors, seconds, note))
    return found


def season_name(parts: PreparedSeries, season: int) -> str:
    """What the seasonal baseline is called, such as ``season before (24 rows)``."""
    return f"season before ({counted(season, 'row')})"


def last_value(parts: PreparedSeries) -> Floats:
    """The last known value, however far ahead: ŷ_{t+h} = y_t."""
    return np.repeat(parts.test_last[:, None], parts.ahead, axis=1)


def season_before(parts: PreparedSeries, season: int) -> Floats:
    """What was there a season before: ŷ_{t+h} = y_{t+h−s}."""
    return repeated_season(parts.values, parts.test_origins, parts.ahead, season)


def autoregression(parts: PreparedSeries) -> tuple[Floats, str]:
    """Ridge regression on the windows that the network is given (scikit-learn's).

    ŷ_{t+h} = b_h + Σ_i w_hi x_{t−i}
    """
    linear: Any = import_module("sklearn.linear_model")
    windows, every = weighted_rows(parts)
    most = max(MOST_CELLS // max(windows[0].size, 1), 1)
    X, y = flat(windows[-most:]), every[-most:]
    best: tuple[float, Any] | None = None
    with limited(ONE_THREAD):
        for penalty in PENALTIES:
            model = linear.Ridge(penalty).fit(X, y)
            wrong = validation_loss(parts, model)
            if best is None or wrong < best[0]:
                best = wrong, model
        assert best is not None
        learned = np.concatenate([*outputs(best[1], parts.test.X, parts.ahead)])
    some = len(windows) > most
    note = f"learned from the last {counted(most, 'window')} only" if some else ""
    return parts.inputs.decoded(learned, parts.test_last), note


def weighted_rows(parts: PreparedSeries) -> tuple[NDArray[Any], NDArray[Any]]:
    """The training windows that count."""
    training = parts.training
    if training.weights is None:
        return training.X, training.y
    counting = training.weights > 0
    return training.X[counting], training.y[counting]


def validation_loss(parts: PreparedSeries, model: Any) -> float:
    """The mean squared error of a model on the validation windows that count."""
    validation = parts.validation
    found = np.concatenate([*outputs(model, validation.X, parts.ahead)])
    wrong = np.square(found - validation.y).mean(axis=1)
    return float(np.average(wrong, weights=validation.weights))


def outputs(model: Any, X: NDArray[Any], ahead: int) -> Iterator[Floats]:
    """What a model of scikit-learn gives for windows, in parts."""
    for part in parts_of(len(X), X[0].size):
        yield np.asarray(model.predict(flat(X[part]))).reshape(-1, ahead)


def flat(X: NDArray[Any]) -> NDArray[Any]:
    """Windows as rows of numbers."""
    return X.reshape(len(X), -1)
