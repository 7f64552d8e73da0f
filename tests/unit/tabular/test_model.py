"""A network with its table: predicting, scoring, and surviving the disk."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.files.modelfile import read_model, write_model
from thalweg.tabular.model import TableModel

PENGUINS = Path(__file__).parents[3] / "examples" / "penguins.csv"
TARGETS = ("species", "body_mass_g")


@pytest.fixture(scope="module", params=TARGETS)
def model(request: Any) -> TableModel:
    return tw.train(PENGUINS, request.param, layers=(8,), epochs=5).model


@pytest.fixture(scope="module")
def classes() -> TableModel:
    return tw.train(PENGUINS, "species", layers=(8,), epochs=5).model


def penguins() -> pl.DataFrame:
    return pl.read_csv(PENGUINS, null_values="NA")


def test_saved_and_loaded_it_is_the_same(model: TableModel, tmp_path: Path) -> None:
    path = tmp_path / "model.thalweg"
    model.save(path)
    loaded = tw.load(path)
    assert isinstance(loaded, TableModel)
    assert loaded.predict(PENGUINS).equals(model.predict(PENGUINS))
    assert loaded.evaluate(PENGUINS) == model.evaluate(PENGUINS)
    assert (loaded.target, loaded.task) == (model.target, model.task)
    loaded.save(tmp_path / "again.thalweg")
    assert (tmp_path / "again.thalweg").read_bytes() == path.read_bytes()


def test_threads_and_engine_are_for_each_call(model: TableModel) -> None:
    usual = model.predict(PENGUINS)
    for threads in (1, 2):
        assert model.predict(PENGUINS, threads=threads).equals(usual)
        assert model.evaluate(PENGUINS, threads=threads) == model.evaluate(PENGUINS)
    numpy = model.evaluate(PENGUINS, engine="interpreter")
    assert numpy == pytest.approx(model.evaluate(PENGUINS), rel=1e-4)
    for use in (model.predict, model.evaluate):
        with pytest.raises(ArgumentError, match="threads must be a whole number"):
            use(PENGUINS, threads=0)
        with pytest.raises(ArgumentError, match="did you mean 'native'"):
            use(PENGUINS, engine="nativ")


def test_a_row_s_prediction_doesnt_depend_on_the_others(model: TableModel) -> None:
    together = model.predict(penguins())
    apart = model.predict(penguins()[[200, 3]])
    assert together[[200, 3]]["prediction"].to_list() == (
        apart["prediction"].to_list()
        if model.task.kind == "classes"
        else pytest.approx(apart["prediction"].to_list(), rel=1e-5)
    )


def test_the_order_of_columns_doesnt_matter(model: TableModel) -> None:
    backwards = penguins().select(reversed(penguins().columns))
    assert model.predict(backwards).equals(model.predict(penguins()))


def test_frames_and_files_are_predicted_alike(model: TableModel) -> None:
    assert model.predict(PENGUINS).equals(model.predict(penguins()))
    assert model.predict(pd.read_csv(PENGUINS)).equals(model.predict(PENGUINS))


def test_probabilities_go_with_the_prediction(classes: TableModel) -> None:
    found = classes.predict(PENGUINS)
    labels = ["Adelie", "Chinstrap", "Gentoo"]
    shares = found.select(f"probability of {label}" for label in labels).to_numpy()
    assert shares.sum(axis=1) == pytest.approx(np.ones(344), abs=1e-5)
    assert found["prediction"].to_list() == [labels[i] for i in shares.argmax(axis=1)]


def test_numbers_are_predicted_in_their_unit() -> None:
    model = tw.train(PENGUINS, "body_mass_g", layers=(8,), epochs=40).model
    truth = penguins()["body_mass_g"].drop_nulls()
    error = model.predict(penguins().drop_nulls("body_mass_g"))["prediction"] - truth
    assert float(np.sqrt((error.to_numpy() ** 2).mean())) == pytest.approx(
        model.evaluate(PENGUINS)["rmse"]
    )


def test_rows_without_the_target_arent_scored(classes: TableModel) -> None:
    missing = pl.when(pl.int_range(pl.len()) < 300).then("species").alias("species")
    assert classes.evaluate(penguins().with_columns(missing)) == (
        classes.evaluate(penguins()[:300])
    )


def test_an_unknown_class_is_an_error_that_names_the_row(classes: TableModel) -> None:
    odd = pl.when(pl.int_range(pl.len()) == 4).then(pl.lit("Emperor"))
    changed = penguins().with_columns(odd.otherwise("species").alias("species"))
    with pytest.raises(DataError, match=r"row 5, column 'species'.*'Emperor'"):
        classes.evaluate(changed)


def test_weights_are_used_where_the_table_has_them() -> None:
    frame = penguins().with_columns(pl.lit(1.0).alias("w"))
    model = tw.train(frame, "species", weights="w", layers=(2,), epochs=2).model
    right = (model.predict(frame)["prediction"] == frame["species"]).to_numpy()
    weights = np.where(right, 3.0, 1.0)
    weighed = model.evaluate(frame.with_columns(pl.Series("w", weights)))
    assert weighed["accuracy"] == pytest.approx((weights * right).sum() / weights.sum())


# Damaged files ------------------------------------------------------------------------


def altered(model: TableModel, path: Path, change: Any) -> Path:
    """A model file whose document was changed, and whose sums are right."""
    model.save(path)
    tensors, document = read_model(path)
    data: Any = dict(document)
    change(data)
    write_model(path, tensors, data)
    return path


def set_in(*keys: str, to: object) -> Any:
    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = to

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("table"),
        lambda data: data["table"].pop("encoder"),
        lambda data: data["table"]["encoder"]["encodings"].pop(),
        lambda data: data["table"]["targets"]["labels"].append("Emperor"),
        set_in("table", to=3),
        set_in("table", "encoder", to=[]),
        set_in("table", "targets", to="species"),
        set_in("table", "task", "kind", to="guess"),
        set_in("table", "results", to=[1]),
    ],
)
def test_a_document_that_doesnt_hold_together(
    classes: TableModel, tmp_path: Path, change: Any
) -> None:
    path = altered(classes, tmp_path / "model.thalweg", change)
    with pytest.raises(ModelFileError, match=re.escape(str(path))):
        tw.load(path)


def test_a_network_that_doesnt_fit_the_table(
    classes: TableModel, tmp_path: Path
) -> None:
    def fewer(data: Any) -> None:
        targets = data["table"]["targets"]
        targets["labels"], targets["keys"] = targets["labels"][:2], targets["keys"][:2]

    path = altered(classes, tmp_path / "model.thalweg", fewer)
    with pytest.raises(ModelFileError, match="doesn't go with"):
        tw.load(path)
