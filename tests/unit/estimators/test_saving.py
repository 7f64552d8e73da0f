"""Estimators as model files: what comes back, what doesn't, and what is refused."""

import copy
import pickle
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import thalweg as tw
from thalweg.cli import run
from thalweg.errors import ArgumentError, ModelFileError
from thalweg.estimators.parameters import parameter_data, parameter_from
from thalweg.files.modelfile import read_model, write_model

generator = np.random.default_rng(0)
ROWS = 120
X = generator.normal(size=(ROWS, 3))
CLASSES = np.digitize(X[:, 0], [-0.5, 0.5])
NAMES = np.array(["low", "middle", "high"])[CLASSES]
LABELS = (X > 0).astype(int)
NUMBERS = 100 + 20 * X[:, 0] + generator.normal(size=ROWS)
FRAME = pd.DataFrame({"size": X[:, 0], "color": ["red", "blue", "green"] * 40})
QUICK: dict[str, Any] = {"layers": (4,), "epochs": 3}
Change = Callable[[Any, Any], object]


def swish(z: Any) -> Any:
    return z * tw.sigmoid(z)


FITTED: dict[str, Callable[[], Any]] = {
    "classes": lambda: tw.NetworkClassifier(**QUICK).fit(X, NAMES),
    "a frame": lambda: tw.NetworkClassifier(**QUICK, calibrate=True).fit(FRAME, NAMES),
    "labels": lambda: tw.NetworkClassifier(**QUICK, calibrate=True).fit(X, LABELS),
    "one output": lambda: tw.NetworkClassifier(
        **QUICK, loss="binary_cross_entropy"
    ).fit(X, NAMES == "low"),
    "as they are": lambda: tw.NetworkClassifier(
        **QUICK, standardize=False, class_weight={"low": 2, "middle": 1, "high": 0.5}
    ).fit(pd.DataFrame(X, columns=["a", "b", "c"]), NAMES),
    "numbers": lambda: tw.NetworkRegressor(
        **QUICK, loss=tw.huber.with_parameters(delta=2.0)
    ).fit(X, NUMBERS),
    "several": lambda: tw.NetworkRegressor(**QUICK).fit(X, X[:, :2]),
    "quantiles": lambda: tw.NetworkRegressor(
        **QUICK, quantiles=[0.1, 0.9], optimizer=tw.SGD(0.01, momentum=0.9)
    ).fit(FRAME, NUMBERS),
    "in parts": lambda: (
        tw.NetworkClassifier(**QUICK)
        .partial_fit(X, NAMES, classes=["high", "low", "middle", "never"])
        .partial_fit(X, NAMES)
    ),
}


def rows_for(estimator: Any) -> Any:
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return X
    return FRAME if len(names) == 2 else pd.DataFrame(X, columns=names)


def answers(estimator: Any) -> list[Any]:
    rows = rows_for(estimator)
    methods = ["predict", "predict_proba", "predict_quantiles", "predict_interval"]
    if getattr(estimator, "quantiles", None) is None:
        methods.remove("predict_quantiles")
    return [getattr(estimator, m)(rows) for m in methods if hasattr(estimator, m)]


def loaded(estimator: Any, path: Path) -> Any:
    estimator.save(path)
    return type(estimator).load(path)


@pytest.mark.parametrize("name", FITTED)
def test_what_was_learned_comes_back_to_the_bit(name: str, tmp_path: Path) -> None:
    estimator = FITTED[name]()
    other = loaded(estimator, tmp_path / "m.thalweg")
    pairs = zip(answers(estimator), answers(other), strict=True)
    for one, two in pairs:
        assert one.dtype == two.dtype
        assert np.array_equal(one, two)
    assert other.history_ == estimator.history_
    assert other.n_features_in_ == estimator.n_features_in_
    names: list[Any] = [
        getattr(each, "feature_names_in_", None) for each in (estimator, other)
    ]
    assert np.array_equal(names[0], names[1])
    assert repr(other) == repr(estimator)
    assert repr(clone(other)) == repr(clone(estimator))
    left = {"_factors"}  # of a fit alone
    assert estimator.__dict__.keys() - left == other.__dict__.keys()
    once = (tmp_path / "m.thalweg").read_bytes()
    other.save(tmp_path / "m.thalweg")
    assert (tmp_path / "m.thalweg").read_bytes() == once


@pytest.mark.parametrize("name", FITTED)
def test_a_loaded_one_goes_on_as_the_one_that_was_saved(
    name: str, tmp_path: Path
) -> None:
    estimator = FITTED[name]().set_params(warm_start=True)
    y = {"labels": LABELS, "one output": NAMES == "low", "several": X[:, :2]}.get(
        name, NUMBERS if isinstance(estimator, tw.NetworkRegressor) else NAMES
    )
    other = loaded(estimator, tmp_path / "m.thalweg")
    # A loss of thalweg's own with numbers of one's own has no pickle.
    pickled = [] if name == "numbers" else [pickle.loads(pickle.dumps(other))]
    for each in (estimator, other, *pickled):
        each.fit(rows_for(each), y)
        pairs = zip(answers(estimator), answers(each), strict=True)
        assert all(np.array_equal(one, two) for one, two in pairs)


OWN: dict[str, Any] = {
    "activation": swish,
    "layers": (tw.Dense(4, swish), 3),
    "loss": lambda predictions, targets: tw.mean((predictions - targets) ** 2, -1),
    "random_state": np.random.RandomState(0),
    "validation": (X, NAMES),
    "callbacks": [tw.JSONLines("log.jsonl")],
}


@pytest.mark.parametrize("name", OWN)
def test_what_a_file_cannot_hold_is_asked_for_before_fitting(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    estimator = tw.NetworkClassifier(epochs=2, **{name: OWN[name]}).fit(X, NAMES)
    other = loaded(estimator, tmp_path / "m.thalweg")
    assert np.array_equal(other.predict_proba(X), estimator.predict_proba(X))
    again = loaded(other, tmp_path / "again.thalweg")  # saved as it is
    assert repr(again) == repr(other)
    cloned: Any = clone(other)
    for fit in (other.fit, other.partial_fit, cloned.fit):
        with pytest.raises(ArgumentError, match=f"{name} must be given again"):
            fit(X, NAMES)
    other.set_params(**{name: OWN[name]}).fit(X, NAMES)


@pytest.mark.parametrize("grouped", [False, True])
def test_files_of_before_batches_were_grouped_say_nothing_of_it(
    grouped: bool, tmp_path: Path
) -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    how = {"layers": (2,), "epochs": 1, "group_by_length": grouped}
    estimator = tw.NetworkRegressor(**how).fit(X, X[:, 0])
    estimator.save(tmp_path / "kept.thalweg")
    _, document = read_model(tmp_path / "kept.thalweg")
    written = document["estimator"]["parameters"]
    assert ("group_by_length" in written) == grouped
    kept = tw.NetworkRegressor.load(tmp_path / "kept.thalweg")
    assert kept.group_by_length is grouped


def test_an_optimizer_of_ones_own_starts_afresh(tmp_path: Path) -> None:
    class Own(tw.SGD):
        pass

    estimator = tw.NetworkClassifier(epochs=2, optimizer=Own(0.1)).fit(X, NAMES)
    other = loaded(estimator, tmp_path / "m.thalweg")
    assert other.network_.optimizer_state is None
    assert np.array_equal(other.predict(X), estimator.predict(X))
    with pytest.raises(ArgumentError, match="optimizer must be given again"):
        other.fit(X, NAMES)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, 0.1, "relu", (8, "tanh"), [8, 4], {}, {"a": 1.5, 2: 0.5}),
        *([{0: 1.0, 1: 2.0}], tw.Adam(0.1, beta1=0.5), tw.huber, (tw.LayerNorm(), 4)),
        tw.quantile.with_parameters(quantile=0.9),
    ],
)
def test_a_parameter_comes_back(value: Any) -> None:
    again = parameter_from(parameter_data(value))
    assert type(again) is type(value)
    assert again == value


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (float("inf"), "float"),
        ([1, swish], "swish"),
        ({"a": (Decimal(1),)}, "Decimal"),
        (np.ones(3), "ndarray"),
        (tw.Loss.of(swish), "Loss"),
    ],
)
def test_a_parameter_that_cannot_is_named(value: Any, name: str) -> None:
    assert parameter_data(value) == {"absent": name}


class Named(str):
    """A label that no file knows."""

    __slots__ = ()


@pytest.mark.parametrize("labels", [["a", Named("b")], [Named("a"), Named("b")]])
def test_labels_that_would_not_come_back_are_refused(
    labels: list[Any], tmp_path: Path
) -> None:
    y = np.array([*labels] * 30, object)
    estimator = tw.NetworkClassifier(**QUICK).fit(X[:60], y)
    with pytest.raises(ArgumentError, match="classes must be all of one of the types"):
        estimator.save(tmp_path / "m.thalweg")
    assert not list(tmp_path.iterdir())


def test_an_estimator_that_is_not_fitted_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        tw.NetworkClassifier().save(tmp_path / "m.thalweg")


# What else reads the file -------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("saved")
    for name, fitted in FITTED.items():
        fitted().save(folder / f"{name}.thalweg")
    return {name: folder / f"{name}.thalweg" for name in FITTED}


def test_others_say_what_it_is(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"NetworkClassifier\.load or"):
        tw.load(files["classes"])
    with pytest.raises(ModelFileError, match="must hold a classifier, holds a regress"):
        tw.NetworkClassifier.load(files["numbers"])
    with pytest.raises(ModelFileError, match="must hold a regressor, holds a classif"):
        tw.NetworkRegressor.load(files["classes"])
    tw.Network([tw.Dense(1)]).initialize(2).save(tmp_path / "network.thalweg")
    with pytest.raises(ModelFileError, match=r"must hold a classifier; thalweg\.load"):
        tw.NetworkClassifier.load(tmp_path / "network.thalweg")


def test_older_versions_refuse_it_by_name(files: dict[str, Path]) -> None:
    for path in files.values():
        assert read_model(path)[1]["required_features"] == ["estimator", "times"]


def test_the_command_line_explains_and_exports_it(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(files["classes"])]) == 0
    shown = capsys.readouterr().out
    assert "NetworkClassifier(epochs=3, layers=(4,))" in shown
    assert "3 columns" in shown
    assert "'high', 'low', 'middle'" in shown
    assert "forward" in shown
    assert run(["explain", str(files["quantiles"])]) == 0
    assert "color" in capsys.readouterr().out
    output = str(tmp_path / "m.py")
    assert run(["export", str(files["a frame"]), "--to", "python", "-o", output]) == 0
    assert "def predict" in Path(output).read_text(encoding="utf-8")
    table = tmp_path / "rows.csv"
    FRAME.to_csv(table)
    assert run(["predict", str(files["a frame"]), str(table)]) != 0
    assert "holds an estimator" in capsys.readouterr().err


# Damage -------------------------------------------------------------------------------

Z = np.zeros
WRONG: list[tuple[str, Change]] = [
    ("classes", lambda d, t: d.pop("estimator")),
    ("classes", lambda d, t: d.update(estimator=[])),
    ("classes", lambda d, t: d["estimator"].update(type=["classifier"])),
    ("classes", lambda d, t: d["estimator"].update(more=1)),
    ("classes", lambda d, t: d["estimator"]["parameters"].pop("epochs")),
    ("classes", lambda d, t: d["estimator"]["parameters"].update(more=1)),
    ("classes", lambda d, t: d["estimator"]["parameters"].update(optimizer=["adam"])),
    ("classes", lambda d, t: d["estimator"]["parameters"].update(layers={"own": 1})),
    ("classes", lambda d, t: d["estimator"]["parameters"].update(layers={})),
    ("classes", lambda d, t: d["estimator"]["parameters"].update(loss={"loss": 5})),
    ("classes", lambda d, t: d["estimator"].update(parameters=5)),
    ("classes", lambda d, t: d["estimator"].update(columns=2)),
    ("classes", lambda d, t: d["estimator"].update(columns=True)),
    ("classes", lambda d, t: d["estimator"].update(names=["a", "b"])),
    ("classes", lambda d, t: d["estimator"].update(names=["a", "b", "b"])),
    ("classes", lambda d, t: d["estimator"].update(found={})),
    ("classes", lambda d, t: d["estimator"]["found"].update(temperature=0)),
    ("classes", lambda d, t: d["estimator"]["found"].update(temperature="1")),
    ("classes", lambda d, t: d["estimator"]["targets"].update(kind="numbers")),
    ("classes", lambda d, t: d["estimator"]["targets"].update(kind=5)),
    ("classes", lambda d, t: d["estimator"].update(targets=None)),
    (
        "classes",
        lambda d, t: d["estimator"].update(targets={"kind": "labels", "count": 2}),
    ),
    (
        "classes",
        lambda d, t: d["estimator"].update(
            targets={"kind": "numbers", "count": 3, "flat": False, "repeats": 1}
        ),
    ),
    ("classes", lambda d, t: labels(d).update(values=["high", "low"])),
    ("classes", lambda d, t: labels(d).update(values=["low", "high", "middle"])),
    ("classes", lambda d, t: labels(d).update(values=["high", "low", "low"])),
    ("classes", lambda d, t: labels(d).update(values=[])),
    ("one output", lambda d, t: labels(d).update(values=[False])),
    ("classes", lambda d, t: labels(d).update(values=[1, 2, 3])),
    ("classes", lambda d, t: labels(d).update(type="int")),
    ("classes", lambda d, t: labels(d).update(type="bytes")),
    ("classes", lambda d, t: labels(d).update(dtype="U3")),
    ("classes", lambda d, t: labels(d).update(dtype="U99999999")),
    ("classes", lambda d, t: labels(d).update(dtype="datetime64[s]")),
    ("classes", lambda d, t: labels(d).update(dtype="int64")),
    (
        "classes",
        lambda d, t: labels(d).update(type="int", dtype="int8", values=[1, 2, 300]),
    ),
    (
        "classes",
        lambda d, t: labels(d).update(
            type="int", dtype="object", values=["1", "2", "³"]
        ),
    ),
    (
        "classes",
        lambda d, t: labels(d).update(
            type="Decimal", dtype="object", values=["1", "2", "sNaN"]
        ),
    ),
    (
        "classes",
        lambda d, t: labels(d).update(
            type="Decimal", dtype="object", values=["1", "2", "2.0"]
        ),
    ),
    ("one output", lambda d, t: labels(d).update(values=[True])),
    ("a frame", lambda d, t: d["estimator"].update(names=["size", "shape"])),
    ("a frame", lambda d, t: d["estimator"].update(columns=3)),
    ("labels", lambda d, t: d["estimator"]["targets"].update(count=4)),
    ("labels", lambda d, t: d["estimator"]["targets"].update(count=3.0)),
    ("numbers", lambda d, t: t.pop("targets/mean")),
    ("numbers", lambda d, t: t.update({"targets/deviation": Z(1)})),
    ("numbers", lambda d, t: t.update({"targets/mean": Z(2)})),
    ("numbers", lambda d, t: t.update({"targets/mean": np.array([np.inf])})),
    ("numbers", lambda d, t: d["estimator"]["targets"].update(kind="none")),
    ("numbers", lambda d, t: d["estimator"]["targets"].update(count=0)),
    ("numbers", lambda d, t: d["estimator"]["targets"].update(repeats=2)),
    ("numbers", lambda d, t: d["estimator"]["targets"].update(kind="labels")),
    (
        "numbers",
        lambda d, t: d["estimator"].update(targets={"kind": "labels", "count": 1}),
    ),
    ("numbers", lambda d, t: d["estimator"]["found"].update(levels=[])),
    ("numbers", lambda d, t: d["estimator"]["found"].update(levels=[0.5, 0.1])),
    ("numbers", lambda d, t: d["estimator"]["found"].update(levels=[0.1, 0.9])),
    ("numbers", lambda d, t: t.pop("conformal/truth")),
    ("numbers", lambda d, t: t.update({"conformal/weights": Z(0)})),
    ("numbers", lambda d, t: t.update({"conformal/truth": Z((3, 1))})),
    (
        "numbers",
        lambda d, t: t.update({"conformal/weights": Z(24, np.float32)}),
    ),
    ("several", lambda d, t: d["estimator"]["targets"].update(flat=True)),
    ("numbers", lambda d, t: d["history"]["settings"].pop("training_rows")),
    ("numbers", lambda d, t: d["history"]["settings"].update(training_rows="9")),
]


def reader_of(name: str) -> Any:
    regressors = ("numbers", "several", "quantiles")
    return tw.NetworkRegressor if name in regressors else tw.NetworkClassifier


def labels(document: Any) -> Any:
    return document["estimator"]["targets"]["labels"]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_change_is_refused(
    files: dict[str, Path], number: int, tmp_path: Path
) -> None:
    name, change = WRONG[number]
    tensors, document = read_model(files[name])
    changed, document = dict(tensors), copy.deepcopy(document)
    change(document, changed)
    write_model(tmp_path / "m.thalweg", changed, document)
    with pytest.raises(ModelFileError, match=r"m\.thalweg"):
        reader_of(name).load(tmp_path / "m.thalweg")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, clone])
def test_an_estimator_that_was_not_fitted_is_copied(copied: Any) -> None:
    again = copied(tw.NetworkClassifier(layers=(7,)))
    assert again.layers == (7,)
    assert not hasattr(again, "network_")


def test_a_shallow_copy_shares_the_network() -> None:
    estimator = FITTED["classes"]()
    again = copy.copy(estimator)
    assert again.network_ is estimator.network_
    again.layers = (9,)
    assert estimator.layers == (4,)
