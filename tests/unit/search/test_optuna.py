"""Settings from Optuna: what it is told, and where it keeps it."""

import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import thalweg as tw
from support.spaces import space_for
from thalweg.errors import ArgumentError
from thalweg.search import optuna_sampler as module
from thalweg.search.optuna_sampler import OptunaSampler
from thalweg.search.trials import FoldRun, Trial
from thalweg.tabular.settings import Settings

PENGUINS = Path(__file__).parents[3] / "examples" / "penguins.csv"
QUICK: dict[str, Any] = {
    "budget": "60s",
    "folds": 2,
    "epochs": 9,
    "trials": 9,
    "threads": 1,
}
SPACE = space_for(Settings(), 1000)


def trial(number: int, point, epochs: int, loss: float) -> Trial:
    return Trial.of(number, point, epochs, [FoldRun(loss, {}, 1, False, 0.0)])


def test_it_learns_where_the_loss_is_low() -> None:
    pytest.importorskip("optuna")
    sampler = OptunaSampler.new(SPACE, 0, None)
    late = []
    for number in range(1, 61):
        point = sampler.propose(number)
        loss = 0.0 if point["activation"] == "tanh" else 1.0
        sampler.end(number, [trial(number, point, 9, loss)], True)
        late += [point["activation"]] if number > 40 else []
    assert late.count("tanh") > 14


@pytest.mark.parametrize("name", ["ask", "tell"])
def test_a_storage_that_fails_is_a_warning_and_the_search_goes_on(
    tmp_path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever its library raises."""
    optuna = pytest.importorskip("optuna")
    sampler = OptunaSampler.new(SPACE, 0, f"sqlite:///{tmp_path}/tune.db")
    original = getattr(optuna.Study, name)
    points = {1: sampler.propose(1)}

    def failing(*given: Any, **named: Any) -> Any:
        if sampler._stored:
            raise OSError("the disk is full")
        return original(*given, **named)

    monkeypatch.setattr(optuna.Study, name, failing)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", tw.CheckpointWarning)
        points[2] = sampler.propose(2)
        for number, point in points.items():
            sampler.end(number, [trial(number, point, 9, 0.5)], True)
    assert [each.category for each in said] == [tw.CheckpointWarning]
    assert "the disk is full" in str(said[0].message)
    known = [each.params for each in sampler._study.get_trials()]
    assert len(known) == 2
    assert all(point in known for point in points.values())


def test_optuna_is_told_all_that_happened(tmp_path) -> None:
    optuna = pytest.importorskip("optuna")
    storage = f"sqlite:///{tmp_path}/tune.db"
    options: dict[str, Any] = {**QUICK, "sampler": "optuna", "storage": storage}
    found = tw.tune(PENGUINS, "species", **options)
    (name,) = optuna.get_all_study_names(storage)
    study = optuna.load_study(study_name=name, storage=storage)
    states = [t.state.name for t in study.trials]
    assert len(states) == 9
    assert set(states) == {"COMPLETE", "PRUNED"}
    values = {t.value for t in study.trials if t.state.name == "COMPLETE"}
    losses = {t.loss for t in found.trials if t.number and t.is_whole(9)}
    assert values == losses
    for each in study.trials:
        assert each.intermediate_values


def test_a_search_goes_on_with_what_its_folder_holds(tmp_path) -> None:
    optuna = pytest.importorskip("optuna")
    options: dict[str, Any] = {
        **QUICK,
        "sampler": "optuna",
        "folder": tmp_path / "folder",
    }
    tw.tune(PENGUINS, "species", **options)
    storage = f"sqlite:///{tmp_path}/tune.db"
    more: dict[str, Any] = {**options, "trials": 12, "resume": True, "storage": storage}
    tw.tune(PENGUINS, "species", **more)
    (name,) = optuna.get_all_study_names(storage)
    study = optuna.load_study(study_name=name, storage=storage)
    assert len(study.trials) == 12


def test_without_optuna_the_error_says_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ArgumentError, match=r"pip install 'thalweg\[optuna\]'"):
        tw.tune(PENGUINS, "species", sampler="optuna")


def test_a_storage_that_cant_be_used_is_refused() -> None:
    pytest.importorskip("optuna")
    with pytest.raises(ArgumentError, match="storage must be a URL that Optuna can"):
        OptunaSampler.new(SPACE, 0, "nowhere")


def test_another_space_or_seed_is_another_study() -> None:
    smaller = space_for(Settings(), 1000, ["layers"])
    names = {
        module.name_of(SPACE, 0),
        module.name_of(SPACE, 1),
        module.name_of(smaller, 0),
    }
    assert len(names) == 3
    assert module.name_of(SPACE, 0) == module.name_of(space_for(Settings(), 1000), 0)
