"""Defaults stand in one place, and what is written about them says the same."""

import inspect
from pathlib import Path

import pytest

import thalweg as tw
import thalweg.defaults as defaults
from thalweg.search.tuning import Request
from thalweg.tabular.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
FIT = {
    name: each.default
    for name, each in inspect.signature(tw.Network.fit).parameters.items()
}
SHARED = sorted(FIT.keys() & set(Settings.__dataclass_fields__))


@pytest.mark.parametrize("name", SHARED)
def test_where_fit_and_train_differ_both_stand_side_by_side(name: str) -> None:
    of_tables = getattr(Settings, name)
    if FIT[name] != of_tables:
        assert FIT[name] == getattr(defaults, f"FIT_{name.upper()}")


def test_early_stopping_is_as_patient_as_its_entrance() -> None:
    assert FIT["early_stopping"].patience == defaults.FIT_PATIENCE
    assert Settings().early_stopping().patience == defaults.PATIENCE


@pytest.mark.parametrize("estimator", [tw.NetworkClassifier, tw.NetworkRegressor])
def test_estimators_train_as_tables_do(estimator: type) -> None:
    parameters = inspect.signature(estimator).parameters
    shared = parameters.keys() & set(Settings.__dataclass_fields__) - {"class_weight"}
    assert {"epochs", "patience", "learning_rate", "layers"} <= shared
    for name in shared:
        assert parameters[name].default == getattr(Settings, name)


def test_a_range_test_steps_as_fit_does() -> None:
    found = inspect.signature(tw.find_learning_rate).parameters
    for name in found.keys() & FIT.keys():
        assert found[name].default == FIT[name]


def test_a_search_asks_for_the_same_in_python_and_by_command() -> None:
    given = inspect.signature(tw.tune).parameters
    asked = Request(1.0)
    assert (given["folds"].default, given["sampler"].default) == (
        asked.folds,
        asked.sampler,
    )


def words_of(thing: object) -> str:
    """A docstring on one line."""
    return " ".join((inspect.getdoc(thing) or "").split())


BATCHES = (
    f"{defaults.SMALL_BATCH} below {defaults.SMALL_TABLE:,}",
    f"else {defaults.LARGE_BATCH}",
)
FEW = (
    f"Of up to {defaults.WHOLE_BATCH_ROWS} rows none is held out",
    f"all of up to {defaults.WHOLE_BATCH_ROWS} rows",
    f"Below {defaults.DOUBLE_ROWS:,} rows the arithmetic is in float64",
    f"None is float64 below {defaults.DOUBLE_ROWS:,} rows",
)


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (Settings, BATCHES),
        (tw.NetworkClassifier, (*BATCHES, *FEW)),
        (tw.NetworkRegressor, (*BATCHES, *FEW)),
    ],
)
def test_docstrings_say_the_numbers_that_hold(
    thing: object, said: tuple[str, ...]
) -> None:
    for words in said:
        assert words in words_of(thing)


def test_the_docs_say_the_numbers_that_hold() -> None:
    page = (DOCS / "how-to" / "learning-rate.md").read_text(encoding="utf-8")
    assert f"its default of {defaults.LEARNING_RATE}," in page
    page = (DOCS / "how-to" / "estimators.md").read_text(encoding="utf-8")
    rows, few = defaults.WHOLE_BATCH_ROWS, defaults.DOUBLE_ROWS
    small, large = defaults.SMALL_BATCH, defaults.LARGE_BATCH
    from_here = f"{small}; {large} from {defaults.SMALL_TABLE:,} training rows on"
    assert f"| {rows + 1} to {few - 1} | a fifth | {small} | float64 |" in page
    assert f"| {few:,} or more | a fifth | {from_here} | float32 |" in page
