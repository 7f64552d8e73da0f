"""What holds of every kind of data: a model is that of its data, and of no other."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from support.digit_images import write_npz
from support.series_files import hourly
from thalweg.checkpoints.resume import saved_run
from thalweg.errors import DataError, ModelFileError
from thalweg.every_kind import NAMED, kind_named
from thalweg.kinds.begun import begun
from thalweg.network import Network
from thalweg.report.evaluate import read_again

QUICK: dict[str, Any] = {"epochs": 1}
OWN = {
    "table": ("encoder", "targets"),
    "images": ("form", "targets"),
    "text": ("vocabulary",),
    "forecast": ("inputs",),
    "sequences": ("encoder", "targets"),
}
"""What a model of each kind has learned of its data."""


def table(words: str) -> pl.DataFrame:
    x = np.random.default_rng(len(words)).normal(size=90)
    return pl.DataFrame({"x": x, "class": [words.split()[n % 3] for n in range(90)]})


def steps(words: str) -> pl.DataFrame:
    frame = table(words).with_row_index("t")
    number, t = frame["t"] // 3, frame["t"] % 3
    classes = [words.split()[n % 3] for n in number.to_list()]
    return frame.with_columns(t, number.alias("id"), pl.Series("class", classes))


def trained(kind: str, words: str, folder: Path, **more: Any) -> tuple[Path, Any]:
    """A file of a kind, named after what is in it, and a model of it."""
    name = words.replace(" ", "_")
    options: dict[str, Any] = {**QUICK, **more}
    match kind:
        case "images":
            path = write_npz(folder / f"{name}.npz", 100 * len(words))
            if words == WORDS[1]:
                held = np.load(path)
                np.savez(path, X=held["X"][:, 1:], y=held["y"] // 2)
            found = tw.train(path, **options)
        case "text":
            path = folder / f"{name}.txt"
            path.write_text(f"{words}\n" * 100)
            found = tw.train(path, **options)
        case "forecast":
            path = folder / f"{name}.csv"
            hourly(seed=len(words)).write_csv(path)
            which: dict[str, Any] = {"time": "time", "history": 6, "ahead": 2}
            found = tw.train(path, "load", **which, **options)
        case "sequences":
            path = folder / f"{name}.csv"
            steps(words).write_csv(path)
            which = {"sequence": "id", "order": "t"}
            found = tw.train(path, "class", **which, **options)
        case _:
            path = folder / f"{name}.csv"
            table(words).write_csv(path)
            found = tw.train(path, "class", **options)
    return path, found


WORDS = ("sun rain snow", "red green blue")


def test_these_are_all_kinds() -> None:
    assert set(OWN) == set(NAMED)


@pytest.mark.parametrize("kind", OWN)
def test_a_model_is_of_data_that_would_have_taught_it_the_same(
    kind: str, tmp_path: Path
) -> None:
    (path, own), (_, other) = (trained(kind, words, tmp_path) for words in WORDS)
    parts, _ = read_again(kind_named(kind), own.model, path, {})
    assert kind_named(kind).is_of(own.model, parts)
    for field in OWN[kind]:
        changed = copy.copy(own.model)
        object.__setattr__(changed, field, getattr(other.model, field))
        with pytest.raises(DataError, match="understands or splits the"):
            read_again(kind_named(kind), changed, path, {})


@pytest.mark.parametrize("kind", OWN)
def test_a_checkpoint_says_which_data_it_is_of(kind: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    path, _ = trained(kind, WORDS[0], tmp_path, checkpoint=tw.Checkpoint(run))
    with saved_run(run, Network) as (_, saved):
        assert begun(kind_named(kind), saved).source == path
        del saved.setup.notes[kind_named(kind).note]["data"]["sha256"]
        with pytest.raises(ModelFileError, match="is damaged: KeyError"):
            begun(kind_named(kind), saved)
