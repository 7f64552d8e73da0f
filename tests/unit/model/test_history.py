import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.model.history import EpochRecord, History

FINITE = st.floats(allow_nan=False, allow_infinity=False)
METRICS = st.dictionaries(st.sampled_from(["accuracy", "rmse", "r2"]), FINITE)


@st.composite
def histories(draw: st.DrawFn) -> History:
    rows = draw(
        st.lists(
            st.tuples(FINITE, st.none() | FINITE, METRICS, METRICS, FINITE, FINITE)
        )
    )
    epochs = [EpochRecord(number, *row) for number, row in enumerate(rows, 1)]
    best = draw(st.integers(0, len(epochs)))
    return History(epochs, best, draw(st.text()), {"loss": "huber", "seed": 3})


@given(histories())
def test_a_history_comes_back_from_json(history: History) -> None:
    text = json.dumps(history.to_dict(), allow_nan=False)
    assert History.from_dict(json.loads(text)) == history


def test_a_metric_that_is_not_finite_can_be_saved() -> None:
    record = EpochRecord(
        1, 0.5, None, {"rmse": math.inf, "r2": -math.inf}, {}, 0.1, 1.0
    )
    text = json.dumps(History([record], 1).to_dict(), allow_nan=False)
    metrics = History.from_dict(json.loads(text)).training_metrics
    assert math.isnan(metrics["rmse"][0])
    assert math.isnan(metrics["r2"][0])


def test_columns_of_the_epochs() -> None:
    history = History(
        [
            EpochRecord(1, 0.9, 0.8, {"accuracy": 0.5}, {"accuracy": 0.6}, 0.1, 1.0),
            EpochRecord(2, 0.7, 0.6, {"accuracy": 0.7}, {"accuracy": 0.8}, 0.2, 2.0),
        ]
    )
    assert history.training_loss == [0.9, 0.7]
    assert history.validation_loss == [0.8, 0.6]
    assert history.training_metrics == {"accuracy": [0.5, 0.7]}
    assert history.validation_metrics == {"accuracy": [0.6, 0.8]}
    assert history.learning_rate == [0.1, 0.2]
    assert history.seconds == [1.0, 2.0]
    assert history.stopped_epoch == 2


def test_an_empty_history_has_empty_columns() -> None:
    history = History()
    assert history.training_loss == history.validation_loss == history.seconds == []
    assert history.training_metrics == {}
    assert (history.best_epoch, history.stopped_epoch) == (0, 0)


GOOD = History([EpochRecord(1, 0.9, 0.8, {"r2": 0.5}, {}, 0.1, 1.0)], 1, "done")


@pytest.mark.parametrize(
    "changes",
    [
        {"best_epoch": 2},
        {"best_epoch": -1},
        {"best_epoch": "1"},
        {"best_epoch": None},
        {"stopped_because": 3},
        {"settings": [1]},
        {"epochs": {"a": 1}},
        {"epochs": 5},
        {"epochs": [{"epoch": 1}]},
        {"epoch": 2},
        {"training_loss": "low"},
        {"training_loss": None},
        {"validation_loss": True},
        {"learning_rate": []},
        {"seconds": {}},
        {"training_metrics": {"r2": "good"}},
        {"validation_metrics": 0.5},
    ],
)
def test_damaged_data_is_no_history(changes: dict[str, Any]) -> None:
    data = GOOD.to_dict()
    of_record = {k: v for k, v in changes.items() if k in data["epochs"][0]}
    data["epochs"][0] |= of_record
    data |= {k: v for k, v in changes.items() if k not in of_record}
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        History.from_dict(data)


@pytest.mark.parametrize(
    "name", ["epochs", "best_epoch", "stopped_because", "settings"]
)
def test_a_part_that_is_missing_is_an_error(name: str) -> None:
    data = GOOD.to_dict()
    del data[name]
    with pytest.raises(KeyError):
        History.from_dict(data)
