"""What estimators learn: every kind of rows, targets, weights and losses."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    make_multilabel_classification,
)
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss

import thalweg as tw
from thalweg.errors import ArgumentError, DataError, ShapeError
from thalweg.formulas.losses import LOSSES

PENGUINS = pd.read_csv(Path(__file__).parents[3] / "examples" / "penguins.csv")
random = np.random.default_rng(0)
CANCER: Any = load_breast_cancer(return_X_y=True)
DIABETES: Any = load_diabetes(return_X_y=True)
QUICK: dict[str, Any] = {"layers": (8,), "epochs": 5}


def labeled() -> tuple[Any, Any]:
    made: Any = make_multilabel_classification(400, random_state=0)
    return made


def line(rows: int = 600) -> tuple[Any, Any]:
    X = random.uniform(-1, 1, (rows, 2))
    return X, 1000 + 300 * X[:, 0] + random.normal(0, 30, rows)


# Rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_frames_with_texts_and_missing_cells_go_straight_in(kind: str) -> None:
    frame: Any = PENGUINS.drop(columns="species")
    if kind != "pandas":
        frame = pl.from_pandas(frame)
    if kind == "pyarrow":
        frame = frame.to_arrow()
    network = tw.NetworkClassifier(layers=(16,), epochs=40)
    network.fit(frame, PENGUINS["species"])
    assert network.score(frame, PENGUINS["species"]) > 0.97
    assert network.feature_names_in_.tolist() == list(PENGUINS.columns[1:])
    assert network.n_features_in_ == 7
    assert network.network_.shapes.outputs[0] > (15,)
    assert network.classes_.tolist() == ["Adelie", "Chinstrap", "Gentoo"]


def test_frames_with_categories_and_types_of_their_own_mean_the_same() -> None:
    plain, target = PENGUINS.drop(columns="species"), PENGUINS["species"]
    typed = plain.assign(
        island=plain["island"].astype("category"),
        sex=plain["sex"].astype("category"),
        body_mass_g=plain["body_mass_g"].astype("Int64"),
    )
    places = pl.Enum(sorted(set(plain["island"])))
    enum = pl.from_pandas(plain).with_columns(pl.col("island").cast(places))
    expected = tw.NetworkClassifier(**QUICK).fit(plain, target).predict_proba(plain)
    for frame, y in [
        (typed, target.astype("category")),
        (enum, pl.Series(target.tolist())),
        (enum.to_arrow(), target.tolist()),
    ]:
        network = tw.NetworkClassifier(**QUICK).fit(frame, y)
        assert np.array_equal(network.predict_proba(frame), expected)


def test_many_categories_are_embedded() -> None:
    codes = random.integers(0, 80, 2000)
    shops = [f"shop {code}" for code in codes]
    frame = pd.DataFrame({"shop": shops, "x": random.random(2000)})
    network = tw.NetworkClassifier(layers=(16,), epochs=30).fit(frame, codes % 2)
    assert isinstance(network.network_.layers[0], tw.Columns)
    assert network.score(frame, codes % 2) > 0.95


def test_a_frames_columns_must_be_those_of_training() -> None:
    frame, target = PENGUINS.drop(columns="species"), PENGUINS["species"]
    network = tw.NetworkClassifier(**QUICK).fit(frame, target)
    with pytest.raises(ValueError, match="feature names"):
        network.predict(frame.rename(columns={"sex": "gender"}))
    with pytest.raises(ValueError, match="feature names"):
        network.predict(frame[frame.columns[::-1]])
    with pytest.warns(UserWarning, match="feature names"):
        assert (network.predict(frame.to_numpy()) == network.predict(frame)).all()
    unknown = frame.assign(island="Atlantis", sex=None)
    assert network.predict_proba(unknown).sum(axis=1) == pytest.approx(1)


def test_a_frames_bad_cell_is_named() -> None:
    frame = pd.DataFrame({"x": [*map(str, range(60)), "many"]})
    with pytest.raises(DataError, match="row 61, column 'x'"):
        tw.NetworkClassifier(**QUICK).fit(frame, np.arange(61) % 2)


def test_sparse_rows_give_what_dense_rows_give() -> None:
    X, y = CANCER
    few = np.where(np.median(X, axis=0) < X, X, 0.0)
    expected = tw.NetworkClassifier(**QUICK).fit(few, y).predict_proba(few)
    for form in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        network = tw.NetworkClassifier(**QUICK).fit(form(few), y)
        assert np.array_equal(network.predict_proba(form(few)), expected)


def test_numbers_of_any_size_are_learned_standardized() -> None:
    X, y = line()
    small = tw.NetworkRegressor(**QUICK).fit(X, y)
    large = tw.NetworkRegressor(**QUICK).fit(X * 1e6 + 1e7, y * 1e3)
    assert large.predict(X * 1e6 + 1e7) == pytest.approx(
        1e3 * small.predict(X), rel=1e-4
    )
    raw = tw.NetworkRegressor(**QUICK, standardize=False).fit(X, y)
    assert raw.score(X, y) < -5 < small.score(X, y)


def test_columns_of_an_embedding_keep_their_codes() -> None:
    codes = random.integers(0, 30, 1000)
    X = np.stack([codes, random.normal(50, 9, 1000)], axis=1)
    first = tw.Columns(((0, 1, tw.Embedding(30, 4)), (1, 2, None)))
    network = tw.NetworkClassifier(layers=(first, 16), epochs=40).fit(X, codes % 2)
    assert network.score(X, codes % 2) > 0.99


def test_small_data_is_trained_on_whole_in_float64() -> None:
    X, y = CANCER
    small = tw.NetworkClassifier(**QUICK).fit(X[:64], y[:64])
    settings = small.history_.settings
    assert settings["training_rows"] == settings["batch_size"] == 64
    assert small.validation_curve_ == []
    assert small.network_.dtype == "float64"
    more = tw.NetworkClassifier(**QUICK).fit(X[:65], y[:65])
    assert more.history_.settings["validation_rows"] == 13
    assert len(more.validation_curve_) == more.n_iter_ == len(more.loss_curve_)
    large = tw.NetworkClassifier(**QUICK).fit(X.repeat(2, 0), y.repeat(2))
    assert large.network_.dtype == "float32"
    wanted = tw.NetworkClassifier(**QUICK, dtype="float32").fit(X[:64], y[:64])
    assert wanted.network_.dtype == "float32"


def test_numbers_that_are_missing_or_infinite_are_refused() -> None:
    X, y = CANCER
    for wrong in (np.nan, np.inf):
        spoiled = X.copy()
        spoiled[3, 1] = wrong
        with pytest.raises(ValueError, match="Input X contains"):
            tw.NetworkClassifier().fit(spoiled, y)


# Targets ------------------------------------------------------------------------------


def test_labels_are_learned_and_given_as_zeros_and_ones() -> None:
    X, y = labeled()
    network = tw.NetworkClassifier(layers=(32,), epochs=40).fit(X, y)
    assert network.network_.shapes.outputs[-1] == (5,)
    assert (network.predict(X) == y).mean() > 0.8
    assert network.predict(X).dtype == y.dtype
    from_sparse = tw.NetworkClassifier(layers=(32,), epochs=40)
    from_sparse.fit(X, sparse.csr_array(y))
    assert np.array_equal(from_sparse.predict_proba(X), network.predict_proba(X))


def test_several_numbers_are_learned_each_in_its_unit() -> None:
    X = random.normal(size=(800, 3))
    y = np.stack([X[:, 0] * 1e-3, 1e5 + 1e4 * X[:, 1]], axis=1)
    network = tw.NetworkRegressor(layers=(32,), epochs=60).fit(X, y)
    assert network.predict(X).shape == y.shape
    assert network.score(X, y) > 0.95
    column = tw.NetworkRegressor(**QUICK).fit(X, y[:, :1])
    assert column.predict(X).shape == (800, 1)


@pytest.mark.parametrize("labels", [["no", "yes"], [-1, 1], [False, True], [2.0, 5.0]])
def test_labels_of_any_type_come_back(labels: list[Any]) -> None:
    X, y = CANCER
    target = np.array(labels)[y]
    network = tw.NetworkClassifier(**QUICK).fit(X, target)
    assert network.predict(X).dtype == target.dtype
    assert network.score(X, target) > 0.9
    assert np.exp(network.predict_log_proba(X)) == pytest.approx(
        network.predict_proba(X)
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_tells_classes_apart(loss: str) -> None:
    X, y = CANCER
    network = tw.NetworkClassifier(layers=(16,), epochs=30, loss=loss).fit(X, y)
    assert network.score(X, y) > 0.9
    assert network.predict_proba(X).sum(axis=1) == pytest.approx(1)
    wanted = 1 if loss == "binary_cross_entropy" else 2
    assert network.network_.shapes.outputs[-1] == (wanted,)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_learns_numbers(loss: str) -> None:
    X = random.uniform(-1, 1, (800, 2))
    y = 1 / (1 + np.exp(-3 * X[:, 0]))
    if loss == "cross_entropy":
        y = np.stack([y, 1 - y], axis=1)
    network = tw.NetworkRegressor(layers=(16,), epochs=40, loss=loss).fit(X, y)
    assert network.score(X, y) > 0.9


def test_counts_stay_positive_and_in_their_unit() -> None:
    X = random.uniform(-1, 1, (2000, 1))
    y = random.poisson(np.exp(4 + X[:, 0]))
    network = tw.NetworkRegressor(layers=(16,), epochs=60, loss="poisson").fit(X, y)
    assert network.predict(X).min() > 0
    assert network.predict(X) == pytest.approx(np.exp(4 + X[:, 0]), rel=0.2)
    with pytest.raises(ArgumentError, match="poisson takes counts"):
        network.fit(X, y - 100)


def test_formulas_of_ones_own() -> None:
    def cubic(predictions: Any, targets: Any) -> Any:
        return tw.mean(abs(predictions - targets) ** 3, axis=-1)

    X, y = line()
    network = tw.NetworkRegressor(
        layers=(16, tw.LayerNorm(), 8),
        activation=(lambda z: z * tw.sigmoid(z), "tanh"),
        loss=cubic,
        optimizer=tw.AdamW(0.01),
        epochs=40,
    ).fit(X, y)
    assert network.score(X, y) > 0.9
    assert network.history_.settings["loss"] == "cubic"


# Weights ------------------------------------------------------------------------------


def test_weights_of_rows_and_classes_multiply_everywhere() -> None:
    X, y = CANCER
    own = random.uniform(0.5, 2, len(y))
    factor = {0: 3.0, 1: 0.5}
    together = tw.NetworkClassifier(**QUICK, class_weight=factor)
    together.fit(X, y, sample_weight=own)
    multiplied = tw.NetworkClassifier(**QUICK)
    multiplied.fit(X, y, sample_weight=own * np.where(y == 0, 3.0, 0.5))
    assert together.loss_curve_ == multiplied.loss_curve_
    assert together.validation_curve_ == multiplied.validation_curve_
    assert (
        together.history_.validation_metrics == multiplied.history_.validation_metrics
    )
    plain = tw.NetworkClassifier(**QUICK).fit(X, y)
    assert plain.validation_curve_ != together.validation_curve_


def test_a_fold_that_lacks_a_class_takes_the_weights_of_all() -> None:
    X, y = load_iris(return_X_y=True)
    weights = {0: 1.0, 1: 5.0, 2: 3.0}
    lacking = tw.NetworkClassifier(**QUICK, class_weight=weights).fit(X[:100], y[:100])
    named = tw.NetworkClassifier(**QUICK, class_weight={0: 1.0, 1: 5.0})
    named.fit(X[:100], y[:100])
    assert np.array_equal(lacking.predict_proba(X), named.predict_proba(X))
    foreseen = tw.NetworkClassifier(**QUICK, class_weight=weights)
    with pytest.raises(ArgumentError, match="must be of classes"):
        foreseen.partial_fit(X[:100], y[:100], classes=[0, 1])
    assert foreseen.partial_fit(X[:100], y[:100], classes=[0, 1, 2]).n_iter_ == 1


def test_weights_of_rows_and_labels_multiply_everywhere() -> None:
    X, y = labeled()
    own = random.uniform(0, 2, len(y))
    twice = [{0: 1, 1: 2}] * 5
    together = tw.NetworkClassifier(**QUICK, class_weight=twice)
    together.fit(X, y, sample_weight=own)
    multiplied = tw.NetworkClassifier(**QUICK)
    multiplied.fit(X, y, sample_weight=own * 2.0 ** y.sum(axis=1))
    assert together.history_.validation_loss == multiplied.history_.validation_loss
    assert (
        together.history_.validation_metrics == multiplied.history_.validation_metrics
    )


def test_the_split_holds_out_a_share_of_all_weights_together() -> None:
    X, y = CANCER
    own = random.uniform(0.5, 2, len(y))
    own *= np.where(X[:, 0] > 14, 9.0, 1.0)

    class Watched(tw.NetworkClassifier):
        def _split(self, *given: Any) -> Any:
            self.split = super()._split(*given)
            return self.split

    network = Watched(**QUICK, class_weight={0: 5.0}).fit(X, y, sample_weight=own)
    validating = network.split.validating
    for each in (0, 1):
        weights = own * np.where(y == each, 1.0, 0.0)
        assert weights[validating].sum() / weights.sum() == pytest.approx(0.2, abs=0.02)
    share = own[validating].sum() / own.sum()
    assert abs(len(validating) / len(y) - 0.2) > abs(share - 0.2)


def test_classes_count_the_same_in_validation_rows_of_ones_own() -> None:
    X, y = CANCER
    shifted = np.r_[np.flatnonzero(y == 0)[:30], np.flatnonzero(y == 1)[:90]]
    balanced = tw.NetworkClassifier(**QUICK, class_weight="balanced")
    balanced.fit(X, y, X_val=X[shifted], y_val=y[shifted])
    totals = np.bincount(y)
    factors = {k: len(y) / (2 * totals[k]) for k in (0, 1)}
    named = tw.NetworkClassifier(**QUICK, class_weight=factors)
    named.fit(X, y, X_val=X[shifted], y_val=y[shifted])
    assert balanced.validation_curve_ == pytest.approx(named.validation_curve_)


def test_balanced_classes_are_found_more_often() -> None:
    X = random.normal(size=(3000, 2))
    y = (X[:, 0] + random.normal(size=3000) > 2.5).astype(int)
    plain = tw.NetworkClassifier(layers=(8,), epochs=15).fit(X, y)
    balanced = tw.NetworkClassifier(layers=(8,), epochs=15, class_weight="balanced")
    balanced.fit(X, y)
    assert balanced.predict(X)[y == 1].mean() > plain.predict(X)[y == 1].mean() + 0.3


def test_weight_zero_is_as_if_the_row_were_not_there() -> None:
    X, y = CANCER
    keep = np.arange(len(y)) % 3 > 0
    zero = tw.NetworkClassifier(**QUICK).fit(X, y, sample_weight=keep.astype(float))
    gone = tw.NetworkClassifier(**QUICK).fit(X[keep], y[keep])
    assert zero.predict_proba(X) == pytest.approx(gone.predict_proba(X), rel=1e-9)


# Validation ---------------------------------------------------------------------------


def test_validation_rows_of_ones_own_in_either_way() -> None:
    X, y = DIABETES
    weights = np.arange(100.0)
    rows = (X[:100], y[:100], weights)
    first = tw.NetworkRegressor(**QUICK, validation=rows).fit(X[100:], y[100:])
    second = tw.NetworkRegressor(**QUICK).fit(
        X[100:],
        y[100:],
        X_val=X[:100],
        y_val=y[:100],
        sample_weight_val=weights,
    )
    assert first.validation_curve_ == second.validation_curve_
    settings = first.history_.settings
    assert (settings["training_rows"], settings["validation_rows"]) == (342, 99)


def test_early_stopping_keeps_the_best_epoch() -> None:
    X, y = DIABETES
    network = tw.NetworkRegressor(patience=3).fit(X, y)
    assert network.best_epoch_ == np.argmin(network.validation_curve_) + 1
    assert network.n_iter_ == network.best_epoch_ + 3
    every = tw.NetworkRegressor(early_stopping=False, epochs=20).fit(X, y)
    assert every.n_iter_ == every.best_epoch_ == 20


def test_validation_rows_of_an_unknown_class_are_refused() -> None:
    X, y = load_iris(return_X_y=True)
    network = tw.NetworkClassifier(**QUICK)
    with pytest.raises(ArgumentError, match="one of the classes '0', '1', got '2'"):
        network.fit(X[:100], y[:100], X_val=X[90:], y_val=y[90:])
    with pytest.raises(ArgumentError, match="X_val and y_val must be given together"):
        network.fit(X, y, X_val=X)


# Going on -----------------------------------------------------------------------------


def test_two_warm_fits_are_one_of_both_lengths() -> None:
    X, y = CANCER
    two = tw.NetworkClassifier(**QUICK, warm_start=True, early_stopping=False)
    two.fit(X, y).fit(X, y)
    one = tw.NetworkClassifier(layers=(8,), epochs=10, early_stopping=False).fit(X, y)
    assert np.array_equal(two.predict_proba(X), one.predict_proba(X))
    cold = tw.NetworkClassifier(**QUICK, early_stopping=False).fit(X, y).fit(X, y)
    assert cold.loss_curve_ == one.loss_curve_[:5]


def test_partial_fits_count_on_and_keep_the_optimizer() -> None:
    X, y = CANCER
    network = tw.NetworkClassifier(layers=(8,), schedule="constant")
    for _ in range(4):
        network.partial_fit(X, y, classes=[0, 1])
    assert network.n_iter_ == 4
    assert network.network_.optimizer_state is not None
    assert network.network_.optimizer_state.epochs == 4
    assert network.loss_curve_[3] < network.loss_curve_[0]
    assert network.fit(X, y).n_iter_ > 4


def test_partial_fits_are_a_fit_of_as_many_epochs_also_through_a_copy() -> None:
    X, y = CANCER
    how: dict[str, Any] = {"layers": (8,), "schedule": "constant", "validation": None}
    how |= {"early_stopping": False, "batch_size": 32}
    whole = tw.NetworkClassifier(**how, epochs=3).fit(X, y)
    parts = tw.NetworkClassifier(**how)
    for _ in range(3):
        parts = pickle.loads(pickle.dumps(parts.partial_fit(X, y, classes=[0, 1])))
    assert parts.loss_curve_ == whole.loss_curve_
    assert np.array_equal(parts.predict_proba(X), whole.predict_proba(X))


def test_partial_fit_needs_its_classes_at_first_and_they_stay() -> None:
    X, y = load_iris(return_X_y=True)
    network = tw.NetworkClassifier(**QUICK)
    with pytest.raises(ArgumentError, match="classes must be given in the first call"):
        network.partial_fit(X, y)
    network.partial_fit(X[:50], y[:50], classes=[0, 1, 2])
    assert network.predict_proba(X).shape == (150, 3)
    network.partial_fit(X[50:], y[50:])
    with pytest.raises(ArgumentError, match=r"classes must be those of the first"):
        network.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ArgumentError, match="class_weight must be None or a dict"):
        tw.NetworkClassifier(class_weight="balanced").partial_fit(X, y, [0, 1, 2])


def test_a_fit_that_fails_leaves_what_was_learned() -> None:
    X, y = CANCER
    network = tw.NetworkClassifier(**QUICK).fit(X, y)
    before = network.predict_proba(X)
    network.set_params(loss="cross_entrpy")
    with pytest.raises(ArgumentError, match="did you mean 'cross_entropy'"):
        network.fit(X[:, :3], y)
    assert np.array_equal(network.predict_proba(X), before)
    fresh = tw.NetworkClassifier(layers=(8, tw.Embedding(2, 1)))
    with pytest.raises((ArgumentError, ShapeError, ValueError)):
        fresh.fit(X, np.ones(len(X)))
    with pytest.raises(NotFittedError):
        fresh.predict(X)


def test_the_same_random_state_gives_the_same_network() -> None:
    X, y = DIABETES
    first, same, other = (
        tw.NetworkRegressor(**QUICK, random_state=seed).fit(X, y).predict(X)
        for seed in (3, np.int64(3), 4)
    )
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    drawn = [
        tw.NetworkRegressor(**QUICK, random_state=None).fit(X, y).predict(X)
        for _ in range(2)
    ]
    assert not np.array_equal(drawn[0], drawn[1])


# Honest probabilities and intervals ---------------------------------------------------


def test_calibrated_probabilities_are_nearer_to_the_truth() -> None:
    X = random.normal(size=(3000, 5))
    noise = random.random(3000) < 0.2
    y = (X[:, 0] > 0) ^ noise
    options: dict[str, Any] = {"epochs": 60, "schedule": "constant"}
    options |= {"early_stopping": False}
    plain = tw.NetworkClassifier(**options).fit(X[:1000], y[:1000])
    honest = tw.NetworkClassifier(**options, calibrate=True).fit(X[:1000], y[:1000])
    losses = [log_loss(y[1000:], n.predict_proba(X[1000:])) for n in (plain, honest)]
    assert honest.temperature_ > 1.5
    assert losses[1] < 0.7 * losses[0]
    assert np.array_equal(honest.predict(X), plain.predict(X))


def test_calibration_holds_rows_out_of_small_data_too() -> None:
    X, y = load_iris(return_X_y=True)
    few = np.arange(0, 150, 3)
    network = tw.NetworkClassifier(**QUICK, calibrate=True).fit(X[few], y[few])
    assert network.history_.settings["validation_rows"] == 9
    assert network.temperature_ > 0
    assert not hasattr(network.set_params(calibrate=False).fit(X, y), "temperature_")
    with pytest.raises(ArgumentError, match="validation must be a fraction, or rows"):
        tw.NetworkClassifier(calibrate=True, validation=None).fit(X, y)


def test_few_rows_that_are_all_right_do_not_make_it_certain() -> None:
    X, y = CANCER
    few, new = slice(0, 200), slice(200, None)
    honest = tw.NetworkClassifier(calibrate=True).fit(X[few], y[few])
    loss = log_loss(y[new], honest.predict_proba(X[new]))
    assert loss < 0.25
    assert honest.predict_proba(X).max() < 1


def test_labels_are_calibrated_each_by_itself() -> None:
    X, y = labeled()
    network = tw.NetworkClassifier(**QUICK, calibrate=True).fit(X, y)
    assert network.predict_proba(X).shape == y.shape
    assert 0 < network.predict_proba(X).min() < network.predict_proba(X).max() < 1


def wavy(rows: int, seed: int) -> tuple[Any, Any]:
    """Numbers whose noise grows from left to right."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(0, 4, (rows, 1))
    noise = generator.normal(size=rows) * (0.1 + 0.3 * x[:, 0])
    return x, 50 + 10 * (np.sin(x[:, 0]) + noise)


@pytest.mark.parametrize("quantiles", [None, (0.05, 0.95)])
@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_intervals_hold_as_many_new_rows_as_they_say(
    quantiles: Any, coverage: float
) -> None:
    network = tw.NetworkRegressor(layers=(32, 32), epochs=60, quantiles=quantiles)
    network.fit(*wavy(3000, seed=1))
    x, y = wavy(20_000, seed=2)
    low, high = network.predict_interval(x, coverage).T
    inside = (low <= y) & (y <= high)
    # 600 held-out rows: the coverage's own deviation over draws is about 0.02.
    assert inside.mean() == pytest.approx(coverage, abs=0.05)
    if quantiles is not None:
        right = x[:, 0] > 2
        for half in (right, ~right):
            assert inside[half].mean() == pytest.approx(coverage, abs=0.1)
        assert (high - low)[right].mean() > 1.5 * (high - low)[~right].mean()


def test_quantiles_are_in_order_and_the_median_is_the_prediction() -> None:
    x, y = wavy(1000, seed=3)
    targets = np.stack([y, 1 - 2 * y], axis=1)
    near = (0.9, 0.1, 0.49, 0.51)  # of which some cross before they are sorted
    network = tw.NetworkRegressor(layers=(16,), epochs=30, quantiles=near)
    network.fit(x, targets)
    found = network.predict_quantiles(x)
    assert found.shape == (1000, 2, 5)
    assert (np.diff(found, axis=2) >= 0).all()
    assert np.array_equal(found[:, :, 2], network.predict(x))
    assert network.score(x, targets) > 0.2
    below = (targets[:, :, None] <= found).mean(axis=0)
    assert below[:, [0, -1]] == pytest.approx(np.array([[0.1, 0.9]] * 2), abs=0.08)
    assert network.predict_interval(x).shape == (1000, 2, 2)


def test_intervals_need_rows_that_were_held_out() -> None:
    x, y = wavy(50, seed=4)
    with pytest.raises(ArgumentError, match="needs rows that were held out"):
        tw.NetworkRegressor(**QUICK).fit(x, y).predict_interval(x)
    network = tw.NetworkRegressor(**QUICK, quantiles=(0.1, 0.9)).fit(x, y)
    assert network.predict_interval(x, 0.8).shape == (50, 2)
    with pytest.raises(ArgumentError, match="quantiles must be levels"):
        tw.NetworkRegressor(**QUICK).fit(x, y).predict_quantiles(x)
    with pytest.raises(ArgumentError, match="loss must be left out beside quantiles"):
        tw.NetworkRegressor(loss="huber", quantiles=(0.1,)).fit(x, y)


# Parameters ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"optimizer": 3}, "optimizer must be a name, or an optimizer"),
        ({"optimizer": tw.SGD(), "learning_rate": 0.1}, "learning_rate must be left"),
        ({"activation": "rlu"}, "did you mean 'relu'"),
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"validation": 1.5}, "validation must be a fraction"),
        ({"dtype": "float16"}, "dtype must be float32 or float64"),
        ({"random_state": -1}, "random_state must be a whole number, 0"),
        ({"class_weight": {7: 1}}, "class_weight must be of classes"),
        ({"loss": "binary_cross_entropy"}, "needs two classes, y has 3"),
        ({"callbacks": [3]}, "callbacks must be"),
    ],
)
def test_wrong_parameters_are_refused_by_fit(
    wrong: dict[str, Any], message: str
) -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ArgumentError, match=message):
        tw.NetworkClassifier(**wrong).fit(X, y)


def test_classes_that_cannot_be_learned_are_refused() -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ArgumentError, match="two classes or more"):
        tw.NetworkClassifier().fit(X, np.zeros(150))
    with pytest.raises(ArgumentError, match="two classes or more"):
        tw.NetworkClassifier(class_weight={1: 0, 2: 0}).fit(X, y)
    with pytest.raises(ValueError, match="continuous"):
        tw.NetworkClassifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="one class a row"):
        tw.NetworkClassifier().fit(X, np.stack([y, y], axis=1))
