"""From a table to a tested network: what is built, scored, compared and told."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, DataError, DivergenceError, ModelFileError
from thalweg.kinds.learn import learn
from thalweg.tabular.learn import TABLES
from thalweg.tabular.settings import Settings

PENGUINS = Path(__file__).parents[3] / "examples" / "penguins.csv"
QUICK: dict[str, Any] = {"layers": (8,), "epochs": 3}
random = np.random.default_rng(0)


def line(rows: int = 120, **more: Any) -> pl.DataFrame:
    x = random.uniform(-1, 1, rows)
    return pl.DataFrame({"x": x, "y": 5000 + 300 * x, **more})


def test_penguins_are_told_apart_without_configuration() -> None:
    trained = tw.train(PENGUINS, "species")
    assert trained.test["accuracy"] >= 0.97
    assert trained.test["accuracy"] > trained.baselines["constant guess"]["accuracy"]
    assert trained.history.best_epoch < trained.history.stopped_epoch


def test_a_number_is_scored_in_its_unit() -> None:
    trained = tw.train(line(), "y", layers=(16,), epochs=60)
    assert trained.test["rmse"] < 60
    assert trained.baselines["constant guess"]["rmse"] == pytest.approx(173, rel=0.3)
    predicted = trained.model.predict(line())["prediction"]
    assert 4600 < predicted.min() < predicted.max() < 5400  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]


def test_the_test_rows_are_those_of_the_split() -> None:
    trained = tw.train(PENGUINS, "species", **QUICK)
    cells = pl.read_csv(PENGUINS, null_values="NA")
    rows = cells[trained.prepared.split.test.tolist()]
    assert trained.model.evaluate(rows) == pytest.approx(trained.test)


def test_the_same_seed_gives_the_same_network_and_another_another() -> None:
    first, second, other = (
        tw.train(PENGUINS, "species", **QUICK, seed=seed).model.network.parameters
        for seed in (0, 0, 1)
    )
    assert all((first[name] == second[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


def test_settings_shape_the_network() -> None:
    deep = tw.train(PENGUINS, "species", layers=(8, 4), dropout=0.1, epochs=1)
    words = [type(layer).__name__ for layer in deep.model.network.layers]
    assert words == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
    flat = tw.train(PENGUINS, "species", layers=(), epochs=1)
    assert len(flat.model.network.layers) == 1


def test_columns_of_many_categories_are_embedded() -> None:
    names = [f"name {i % 60}" for i in range(1200)]
    odd = [name[-1] in "13579" for name in names]
    frame = pl.DataFrame({"name": names, "y": odd})
    trained = tw.train(frame, "y", epochs=30)
    assert type(trained.model.network.layers[0]).__name__ == "Columns"
    assert trained.test["accuracy"] == 1


def test_ignored_columns_and_weights_have_no_part_in_the_features() -> None:
    trained = tw.train(PENGUINS, "species", ignore=["island"], weights="year", **QUICK)
    features = " ".join(trained.model.encoder.features)
    assert "island" not in features
    assert "year" not in features
    assert trained.prepared.training.weights.min() >= 2007  # pyright: ignore[reportOptionalMemberAccess]


def test_weights_decide_what_is_learned() -> None:
    x = np.tile([0.0, 1.0], 200)
    y = np.where(np.arange(400) < 200, x, 1 - x)
    frame = pl.DataFrame({"x": x, "y": np.where(y > 0, "b", "a"), "w": 0.001})
    heavy = pl.when(pl.int_range(pl.len()) < 200).then(1.0).otherwise(pl.col("w"))
    trained = tw.train(
        frame.with_columns(heavy.alias("w")), "y", weights="w", epochs=40
    )
    answers = trained.model.predict(pl.DataFrame({"x": [0.0, 1.0], "w": [1.0, 1.0]}))
    assert answers["prediction"].to_list() == ["a", "b"]


# Losses -------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_two_classes_by_either_loss(loss: str) -> None:
    x = random.uniform(-1, 1, 200)
    frame = pl.DataFrame({"x": x, "y": np.where(x > 0, "up", "down")})
    trained = tw.train(frame, "y", loss=loss, epochs=30)
    assert trained.test["accuracy"] > 0.9
    answers = trained.model.predict(pl.DataFrame({"x": [-0.9, 0.9]}))
    assert answers["prediction"].to_list() == ["down", "up"]
    assert answers.select(
        pl.sum_horizontal(pl.col("^prob.*$"))
    ).to_series().to_list() == (pytest.approx([1, 1]))


def test_poisson_learns_counts_in_their_unit() -> None:
    x = random.uniform(0, 2, 600)
    frame = pl.DataFrame({"x": x, "y": random.poisson(np.exp(x + 1)) + 0.0})
    trained = tw.train(frame, "y", task="number", loss="poisson", epochs=60)
    predicted = trained.model.predict(pl.DataFrame({"x": [0.5, 1.5]}))["prediction"]
    assert predicted.to_list() == pytest.approx(np.exp([1.5, 2.5]), rel=0.25)


def test_poisson_refuses_what_is_below_zero() -> None:
    frame = line().with_columns(pl.col("y") - 5000)
    with pytest.raises(DataError, match="counts, 0 or more, but some are negative"):
        tw.train(frame, "y", loss="poisson")


@pytest.mark.parametrize(
    ("target", "loss", "said"),
    [
        ("species", "huber", "one that does is cross_entropy"),
        ("body_mass_g", "cross_entropy", "one that does is mean_squared_error"),
        ("species", "binary_cross_entropy", "needs two classes, 'species' has 3"),
    ],
)
def test_a_loss_must_go_with_the_task(target: str, loss: str, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        tw.train(PENGUINS, target, loss=loss)


# What is told -------------------------------------------------------------------------


def test_announces_before_the_first_epoch() -> None:
    events: list[str] = []
    learn(
        TABLES,
        PENGUINS,
        "species",
        Settings(**QUICK),
        lambda record: events.append(f"epoch {record.epoch}"),
        lambda prepared, network: events.append(prepared.table.name),
    )
    assert events == ["penguins.csv", "epoch 1", "epoch 2", "epoch 3"]


def test_results_are_kept_with_the_model() -> None:
    trained = tw.train(PENGUINS, "species", **QUICK)
    results = trained.model.results
    assert results["test"] == trained.test
    assert results["baselines"] == trained.baselines
    assert results["reading"] == trained.reading.text
    assert results["settings"]["layers"] in ([8], (8,))
    assert (
        results["data"]["sha256"] == hashlib.sha256(PENGUINS.read_bytes()).hexdigest()
    )


def test_the_table_may_go_while_it_is_learned_from(tmp_path: Path) -> None:
    path = tmp_path / "penguins.csv"
    path.write_bytes(PENGUINS.read_bytes())
    trained = tw.train(path, "species", callback=lambda _: path.unlink(True), **QUICK)
    assert trained.test["accuracy"] > 0.3


def test_a_run_that_diverges_later_keeps_its_best_epoch() -> None:
    settings: dict[str, Any] = {
        "optimizer": "sgd",
        "schedule": "one_cycle",
        "learning_rate": 3.0,
    }
    trained = tw.train(PENGUINS, "body_mass_g", epochs=30, **settings)
    assert "became" in trained.diverged
    assert 1 <= trained.history.best_epoch <= trained.history.stopped_epoch
    assert np.isfinite(trained.test["rmse"])


def test_a_run_that_diverges_at_once_is_an_error() -> None:
    with pytest.raises(DivergenceError, match="epoch 1"):
        tw.train(PENGUINS, "body_mass_g", optimizer="sgd", learning_rate=1e6)


def test_numbers_too_large_to_square_can_still_be_saved(tmp_path: Path) -> None:
    frame = line()
    usual = tw.train(frame, "y", **QUICK).test
    trained = tw.train(frame.with_columns(pl.col("y") * 1e300), "y", **QUICK)
    trained.model.save(tmp_path / "large.thalweg")
    wanted = {**usual, "rmse": usual["rmse"] * 1e300, "mae": usual["mae"] * 1e300}
    assert trained.test == pytest.approx(wanted, rel=1e-3)


def test_an_interrupted_run_is_scored() -> None:
    def stop(record: Any) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    trained = tw.train(PENGUINS, "species", callback=stop, layers=(8,))
    assert trained.history.stopped_because.startswith("interrupted")
    assert trained.history.stopped_epoch == 2
    assert 0 < trained.test["accuracy"] <= 1


# How it runs --------------------------------------------------------------------------


def test_the_file_doesnt_tell_the_threads() -> None:
    alone, two = (tw.train(PENGUINS, "species", threads=n, **QUICK) for n in (1, 2))
    assert alone.model.results == two.model.results
    assert alone.test == two.test
    for name, array in alone.model.network.parameters.items():
        assert (array == two.model.network.parameters[name]).all()


def test_numpy_trains_the_same_network_but_for_rounding() -> None:
    engine, numpy = (
        tw.train(PENGUINS, "species", engine=name, **QUICK)
        for name in ("native", "interpreter")
    )
    for name, array in engine.model.network.parameters.items():
        other = numpy.model.network.parameters[name]
        np.testing.assert_allclose(array, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"threads": 0}, "threads must be a whole number, 1 or more"),
        ({"threads": 1.5}, "threads must be a whole number, 1 or more"),
        ({"thread": 2}, "did you mean 'threads'?"),
        ({"engine": "interpretr"}, "did you mean 'interpreter'?"),
    ],
)
def test_what_cant_run_is_refused_before_the_table_is_read(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        tw.train("missing.csv", "species", **given)
    assert said in str(error.value)


def test_what_no_file_could_hold_is_an_error_before_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X = np.random.default_rng(0).normal(size=(40, 80))
    frame = pl.DataFrame({f"c{n}": X[:, n] for n in range(80)}).with_columns(
        y=pl.Series(["a", "b"] * 20)
    )
    began: list[tw.EpochRecord] = []
    monkeypatch.setattr("thalweg.files.columnar.MOST_ITEMS", 900)
    with pytest.raises(DataError, match=r"couldn't be saved: .* 900 items in all"):
        tw.train(frame, "y", epochs=1, callback=began.append)
    with pytest.raises(ModelFileError, match="900 items in all"):
        tw.NetworkClassifier(epochs=1).fit(frame.drop("y"), frame["y"].to_numpy())
    assert not began
