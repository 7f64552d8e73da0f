"""Estimators among scikit-learn's own tools: pipelines, searches, copies, callbacks."""

import copy
import importlib
import io
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import thalweg as tw
from thalweg.errors import ModelFileError

PENGUINS = pd.read_csv(Path(__file__).parents[3] / "examples" / "penguins.csv")
X, y = load_breast_cancer(return_X_y=True)
QUICK: dict[str, Any] = {"layers": (8,), "epochs": 5}
WITH_CALLBACKS = pytest.mark.skipif(
    importlib.util.find_spec("sklearn.callback") is None,  # pyright: ignore
    reason="this scikit-learn has no callbacks",
)


def rows(frame: bool = False) -> tuple[Any, Any]:
    if frame:
        return PENGUINS.drop(columns="species"), PENGUINS["species"]
    return X, y


def test_grid_search_in_two_processes_takes_own_formulas() -> None:
    pipeline = make_pipeline(StandardScaler(), tw.NetworkClassifier(**QUICK))
    grid = {
        "networkclassifier__layers": [(8, tw.Dropout(0.1), 4)],
        "networkclassifier__activation": ["tanh", lambda z: z * tw.sigmoid(2 * z)],
    }
    search = GridSearchCV(pipeline, grid, n_jobs=2, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("frame", [False, True])
def test_predictions_of_folds(frame: bool) -> None:
    features, target = rows(frame)
    network = tw.NetworkClassifier(layers=(16,), epochs=30)
    probabilities: Any = cross_val_predict(
        network, features, target, cv=3, method="predict_proba"
    )
    right = np.unique(target)[probabilities.argmax(axis=1)] == target
    assert right.mean() > 0.9


def test_calibration_by_folds() -> None:
    calibrated = CalibratedClassifierCV(tw.NetworkClassifier(**QUICK), cv=2).fit(X, y)
    assert calibrated.predict_proba(X).sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("frame", [False, True])
def test_stacked_classifiers_learn_from_each_others_predictions(frame: bool) -> None:
    features, target = rows(frame)
    parts = [
        ("wide", tw.NetworkClassifier(layers=(16,), epochs=30)),
        ("deep", tw.NetworkClassifier(layers=(8, 8), epochs=30)),
    ]
    last = tw.NetworkClassifier(layers=(), epochs=30)
    stacked = StackingClassifier(parts, last, cv=2).fit(features, target)
    assert stacked.score(features, target) > 0.9
    assert last.get_params()["layers"] == ()


def test_stacked_regressors_learn_from_each_others_predictions() -> None:
    numbers = load_diabetes(return_X_y=True)
    parts = [
        ("wide", tw.NetworkRegressor(layers=(16,), epochs=60)),
        ("deep", tw.NetworkRegressor(layers=(8, 8), epochs=60)),
    ]
    stacked = StackingRegressor(parts, tw.NetworkRegressor(layers=()), cv=2)
    assert stacked.fit(*numbers).score(*numbers) > 0.3


def test_targets_may_be_transformed() -> None:
    given: Any = load_diabetes(return_X_y=True)
    features, numbers = given
    regressor: Any = TransformedTargetRegressor(
        tw.NetworkRegressor(layers=(16,), epochs=30), func=np.log, inverse_func=np.exp
    )
    weights = np.where(numbers > 100, 1.0, 0.0)
    regressor.fit(features, numbers, sample_weight=weights)
    inner = regressor.regressor_
    predictions = regressor.predict(features)
    assert np.array_equal(predictions, np.exp(inner.predict(features)))
    assert predictions[weights > 0].mean() == pytest.approx(
        numbers[weights > 0].mean(), rel=0.1
    )
    both = np.stack([numbers, 2 * numbers], axis=1)
    assert regressor.fit(features, both).predict(features).shape == both.shape


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_frames_that_a_step_puts_out_keep_their_names(output: str) -> None:
    frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])])
    pipeline: Any = make_pipeline(StandardScaler(), tw.NetworkClassifier(**QUICK))
    pipeline.set_output(transform=output).fit(frame, y)
    assert pipeline[-1].feature_names_in_.tolist() == frame.columns.tolist()
    assert pipeline.score(frame, y) > 0.9


def test_permuted_columns_of_a_frame_show_what_counts() -> None:
    features, target = rows(frame=True)
    network = tw.NetworkClassifier(layers=(16,), epochs=30).fit(features, target)
    found: Any = permutation_importance(
        network, features, target, n_repeats=2, random_state=0
    )
    importances = dict(zip(features.columns, found.importances_mean, strict=True))
    assert importances["bill_length_mm"] > importances["year"]


def test_weights_and_validation_rows_are_routed() -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        network = tw.NetworkClassifier(**QUICK).set_fit_request(
            sample_weight=True, X_val=True, y_val=True
        )
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        pipeline: Any = make_pipeline(scaler, network, transform_input=["X_val"])
        weights = np.where(y == 1, 3.0, 0.0)
        weights[:20] = 1.0
        pipeline.fit(X, y, sample_weight=weights, X_val=X[:60], y_val=y[:60])
        assert pipeline[-1].history_.settings["validation_rows"] == 60
        assert pipeline[-1].history_.settings["training_rows"] == (weights > 0).sum()
        scorer = get_scorer("accuracy").set_score_request(sample_weight=True)
        validate: Any = cross_validate
        validate(
            pipeline[-1].set_fit_request(X_val=False, y_val=False),
            X,
            y,
            cv=2,
            scoring=scorer,
            params={"sample_weight": np.ones(len(X))},
            error_score="raise",
        )


# Copies -------------------------------------------------------------------------------


def by_joblib(estimator: Any) -> Any:
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def by_pickle(estimator: Any) -> Any:
    return pickle.loads(pickle.dumps(estimator))


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, by_pickle, by_joblib])
@pytest.mark.parametrize("frame", [False, True])
def test_a_copy_predicts_the_same_bits_and_goes_on_the_same(
    frame: bool, copied: Any
) -> None:
    features, target = rows(frame)
    network = tw.NetworkClassifier(**QUICK, warm_start=True).fit(features, target)
    other = copied(network)
    expected = network.predict_proba(features)
    assert np.array_equal(other.predict_proba(features), expected)
    if copied is not copy.copy:
        network.fit(features, target)
        assert np.array_equal(other.predict_proba(features), expected)
        other.fit(features, target)
        assert np.array_equal(
            other.predict_proba(features), network.predict_proba(features)
        )


def test_a_pickle_holds_a_model_file_and_no_network() -> None:
    network = tw.NetworkRegressor(**QUICK).fit(X, y)
    assert b"thalweg.network" not in pickle.dumps(network)
    state = network.__getstate__()
    assert isinstance(state["network_"], bytes)
    content = bytearray(state["network_"])
    content[8 + int.from_bytes(content[:8], "little")] ^= 1  # of the first array
    state["network_"] = bytes(content)
    with pytest.raises(ModelFileError):
        tw.NetworkRegressor().__setstate__(state)


def test_an_unfitted_estimator_pickles_and_clones() -> None:
    network = tw.NetworkClassifier(layers=(3, tw.LayerNorm()), class_weight="balanced")
    assert by_pickle(network).get_params() == network.get_params()
    cloned: Any = clone(network)
    assert cloned.layers == network.layers


def test_parameters_show_in_text_and_html() -> None:
    network = tw.NetworkClassifier(layers=(7,))
    assert repr(network) == "NetworkClassifier(layers=(7,))"
    assert "NetworkClassifier" in network._repr_html_()
    assert "NetworkClassifier" in network.fit(X, y)._repr_html_()


# Callbacks ----------------------------------------------------------------------------


class Listening:
    """Notes what it is told, and may end the fit."""

    def __init__(self, epochs: int = 99) -> None:
        self.epochs = epochs
        self.told: list[str] = []
        self.scores: list[float] = []
        self.kept: list[Any] = []

    def setup(self, estimator: Any, context: Any) -> None:
        self.told.append("setup")

    def teardown(self, estimator: Any, context: Any) -> None:
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.told.append(f"begin {context.task_name}")

    def on_fit_task_end(
        self,
        estimator: Any,
        context: Any,
        *,
        X: Any,
        y: Any,
        fitted_estimator: Any,
        metadata: Any,
    ) -> bool:
        self.told.append(f"end {context.task_name}")
        self.scores.append(fitted_estimator.score(X, y, **metadata))
        self.kept.append(fitted_estimator)
        return len(self.scores) >= self.epochs


@WITH_CALLBACKS
def test_callbacks_follow_every_epoch_and_score_it() -> None:
    listening = Listening()
    network = tw.NetworkClassifier(layers=(8,), epochs=3, early_stopping=False)
    network.set_callbacks(listening).fit(X, y, sample_weight=np.ones(len(y)))
    epochs = ["begin epoch", "end epoch"] * 3
    expected = ["setup", "begin fit", *epochs, "end fit", "teardown"]
    assert listening.told == expected
    assert listening.scores[-1] == listening.scores[-2] == network.score(X, y)
    assert listening.scores[0] != listening.scores[-1]
    assert [each.score(X, y) for each in listening.kept] == listening.scores


@WITH_CALLBACKS
def test_callbacks_follow_a_partial_fit_as_a_fit_of_one_epoch() -> None:
    listening = Listening()
    network = tw.NetworkClassifier(layers=(8,)).set_callbacks(listening)
    expected = ["setup", "begin fit", "begin epoch", "end epoch", "end fit", "teardown"]
    for epoch in (1, 2):
        listening.told.clear()
        network.partial_fit(X, y, classes=[0, 1], sample_weight=np.ones(len(y)))
        assert listening.told == expected
        assert [each.n_iter_ for each in listening.kept[-2:]] == [epoch, epoch]
        assert listening.scores[-1] == listening.scores[-2] == network.score(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        network.partial_fit(X, y[:-1])
    assert network.n_iter_ == 2
    silent = tw.NetworkClassifier(layers=(8,))
    for _ in range(2):
        silent.partial_fit(X, y, classes=[0, 1], sample_weight=np.ones(len(y)))
    assert np.array_equal(silent.predict_proba(X), network.predict_proba(X))
    regressor = tw.NetworkRegressor(layers=(8,)).set_callbacks(listening)
    listening.told.clear()
    regressor.partial_fit(*load_diabetes(return_X_y=True))
    assert listening.told == expected


@WITH_CALLBACKS
def test_a_partial_fit_that_fails_tells_callbacks_that_it_is_over() -> None:
    listening = Listening()
    network = tw.NetworkClassifier(optimizer=tw.SGD(1e30), layers=(8,))
    with pytest.raises(tw.DivergenceError):
        network.set_callbacks(listening).partial_fit(X, y, classes=[0, 1])
    assert listening.told[-1] == "teardown"
    assert not hasattr(network, "_callback_fit_ctx")


@WITH_CALLBACKS
def test_a_callback_can_end_the_fit() -> None:
    network = tw.NetworkClassifier(layers=(8,), epochs=9)
    network.set_callbacks(Listening(epochs=2)).fit(X, y)
    assert network.n_iter_ == 2


@WITH_CALLBACKS
def test_a_fit_that_fails_tells_callbacks_that_it_is_over() -> None:
    listening = Listening()
    network = tw.NetworkClassifier(epochs=2, optimizer=tw.SGD(1e30))
    with pytest.raises(tw.DivergenceError):
        network.set_callbacks(listening).fit(X, y)
    assert listening.told[0] == "setup"
    assert listening.told[-1] == "teardown"


@WITH_CALLBACKS
def test_scikit_learns_own_callbacks_work_through_a_search() -> None:
    callback: Any = importlib.import_module("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    network = tw.NetworkClassifier(layers=(4,), epochs=2, early_stopping=False)
    network.set_callbacks(monitor).fit(X, y)
    scores = [row["accuracy"] for row in monitor.get_logs().data if "accuracy" in row]
    assert len(scores) >= 2
    network.partial_fit(X, y)
    assert network.n_iter_ == 3


def test_thalwegs_callbacks_follow_too() -> None:
    class Count(tw.Callback):
        epochs = 0

        def on_epoch(self, record: tw.EpochRecord) -> bool:
            self.epochs += 1
            return self.epochs == 3

    counting = Count()
    network = tw.NetworkRegressor(layers=(4,), callbacks=[counting])
    network.fit(*load_diabetes(return_X_y=True))
    assert counting.epochs == network.n_iter_ == 3
