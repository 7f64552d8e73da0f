"""Folds and spaces of texts, series and sequences: what is learned from, and scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from support.digit_images import write_npz
from support.series_files import hourly
from support.spaces import space_for
from thalweg.errors import ArgumentError, DataError
from thalweg.forecasting.learn import SERIES
from thalweg.forecasting.settings import ForecastSettings
from thalweg.images.image_set import ImageData
from thalweg.kinds.kind import AnyKind
from thalweg.language.learn import TEXTS
from thalweg.language.settings import TextSettings
from thalweg.search import images, sequences, series, texts
from thalweg.search.rate_for import rate_for
from thalweg.search.space import drawn, settings_at
from thalweg.search.tuning import Tuned
from thalweg.sequences.learn import SEQUENCES
from thalweg.sequences.settings import SequenceSettings
from thalweg.text import Text
from thalweg.vision.learn import IMAGES
from thalweg.vision.settings import ImageSettings

QUICK: dict[str, Any] = {"budget": "60s", "folds": 2, "epochs": 1, "trials": 1}
TIMES: dict[str, Any] = {"time": "time", "history": 6, "ahead": 2}


def steps(count: int = 40, seed: int = 0) -> pl.DataFrame:
    """Sequences that go up or stay, of 3 to 6 rows; one in four goes up."""
    random = np.random.default_rng(seed)
    rows = [
        (f"s{n:02}", t, float(random.normal() + t * (n % 4 == 0)), n % 4 == 0, n / 10)
        for n in range(count)
        for t in range(3 + n % 4)
    ]
    names = ["id", "t", "x", "up", "size"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(
        up=pl.when("up").then(pl.lit("up")).otherwise(pl.lit("no"))
    )


def numbered(length: int) -> Text:
    """A text in which each character stands once, so that its place is known."""
    return Text.of("".join(chr(0x4E00 + place) for place in range(length)))


def prepared(kind: AnyKind, source: Any, target: str, settings: Any) -> Any:
    """What was read, and its parts."""
    found = kind.read(source, settings)
    return found, kind.prepare(found, target, settings)


# Texts --------------------------------------------------------------------------------


def places(rows: Any, fold: Any, text: Text) -> list[list[int]]:
    """The places of each window's characters, and of what comes after its last."""
    vocabulary = fold.vocabulary
    codes = np.array([0, *vocabulary.codes], np.int64) - 0x4E00
    found: list[list[int]] = []
    for window, after in zip(rows.X.astype(int), rows.y, strict=True):
        assert (window[1:] == after[:-1]).all()
        found.append(codes[[*window, after[-1]]].tolist())
    return found


def test_a_texts_folds_are_its_pieces_and_no_window_lies_across_a_cut() -> None:
    settings, text = TextSettings(length=7), numbered(1000)
    found, parts = prepared(TEXTS, text, "", settings)
    folds = texts.folds(found, parts, settings, 4)
    for number, fold in enumerate(folds):
        windows = places(fold.training, fold, text)
        for window in windows:
            assert window == list(range(window[0], window[0] + 8))
        learned = {place for window in windows for place in window}
        scored = str(fold.texts.test)
        assert len(scored) == 225
        piece = set(range(225 * number, 225 * (number + 1)))
        assert not learned & piece
        assert not learned & set(range(900, 1000))  # the test's
        assert set(scored) == {"�"}  # every character is new there
        before = {place for place in learned if place < 225 * number}
        assert bool(before) == (number > 0)
        assert len(fold.texts.validation) == pytest.approx(75, abs=8)
        assert len(learned) > 0.95 * (675 - len(fold.texts.validation))


def test_a_texts_vocabulary_is_that_of_what_a_fold_learns_from() -> None:
    settings, text = TextSettings(length=3), Text.of("ab" * 50 + "cb" * 50 + "ad" * 30)
    found, parts = prepared(TEXTS, text, "", settings)
    first, last = texts.folds(found, parts, settings, 2)
    assert "d" in first.vocabulary.labels()
    assert "d" not in last.vocabulary.labels()
    size = TEXTS.build(last, settings).initialize((3,)).shapes.outputs[-1][-1]
    assert size == last.vocabulary.size


def test_a_text_of_ones_own_chooses_the_epoch_of_every_fold() -> None:
    settings, text, own = TextSettings(length=5), numbered(600), numbered(90)
    found = TEXTS.read(text, settings, {"validation": own, "test": own})
    parts = TEXTS.prepare(found, "", settings)
    folds = texts.folds(found, parts, settings, 3)
    assert [len(fold.texts.validation) for fold in folds] == [90] * 3
    assert [len(fold.texts.test) for fold in folds] == [200] * 3
    assert [len(fold.texts.training) for fold in folds] == [400] * 3


def test_a_text_must_be_long_enough_for_its_folds() -> None:
    settings = TextSettings(length=20)
    found, parts = prepared(TEXTS, numbered(400), "", settings)
    with pytest.raises(DataError, match="20 folds: each piece must have more than"):
        texts.folds(found, parts, settings, 20)
    with pytest.raises(ArgumentError, match="folds must be a whole number, 2"):
        texts.folds(found, parts, settings, 1)


# Series -------------------------------------------------------------------------------


def test_a_fold_of_a_series_learns_from_what_came_before_it() -> None:
    settings = ForecastSettings(**TIMES)
    found, parts = prepared(SERIES, hourly(300), "load", settings)
    folds = series.folds(found, parts, settings, 3)
    ends = [fold.cuts[1] + len(fold.test.X) + 1 for fold in folds]
    assert [fold.cuts[1] for fold in folds] == [60, 120, 180]
    assert ends == [120, 180, 240]  # 240 of 300 times are before the test
    assert [fold.cuts[0] for fold in folds] == [45, 90, 135]
    loads = hourly(300)["load"].to_numpy()
    for fold in folds:
        mean = loads[: fold.cuts[0]].mean()
        assert fold.inputs.targets.scale.mean == pytest.approx(mean)
        truth = loads[fold.cuts[1] :]
        assert fold.test.truth[0] == pytest.approx(truth[:2])


def test_no_later_time_can_change_a_fold_of_a_series() -> None:
    settings = ForecastSettings(**TIMES, known_ahead=("open",))
    found, parts = prepared(SERIES, hourly(300), "load", settings)
    first = series.folds(found, parts, settings, 3)[0]
    at = pl.int_range(pl.len()) >= 120
    changed = hourly(300).with_columns(
        load=pl.when(at).then(1e6).otherwise("load"),
        wind=pl.when(at).then(-9.0).otherwise("wind"),
        open=pl.when(at).then(7).otherwise("open"),
    )
    found, parts = prepared(SERIES, changed, "load", settings)
    again = series.folds(found, parts, settings, 3)[0]
    for part in ("training", "validation", "test"):
        one, other = getattr(first, part), getattr(again, part)
        np.testing.assert_array_equal(one.X, other.X)
        np.testing.assert_array_equal(one.y, other.y)


def test_a_series_must_be_long_enough_for_its_folds() -> None:
    settings = ForecastSettings(**TIMES)
    found, parts = prepared(SERIES, hourly(100), "load", settings)
    with pytest.raises(DataError, match=r"9 folds: .*too few rows for history"):
        series.folds(found, parts, settings, 9)


# Sequences ----------------------------------------------------------------------------


def test_folds_are_of_whole_sequences_with_classes_alike() -> None:
    settings = SequenceSettings(sequence="id", order="t", ignore=("size",))
    found, parts = prepared(SEQUENCES, steps(80), "up", settings)
    folds = sequences.folds(found, parts, settings, 4)
    tested = set(parts.split.test.tolist())
    scored = [fold.split.test for fold in folds]
    assert sorted(np.concatenate(scored).tolist()) == sorted(set(range(80)) - tested)
    for fold in folds:
        every = [set(each.tolist()) for each in fold.split.each().values()]
        assert not set.union(*every) & tested
        assert sum(map(len, every)) == 64 == len(set.union(*every))
        assert np.bincount(fold.test.truth).tolist() == [12, 4]
        chosen = np.bincount(fold.validation.truth)
        assert chosen[1] / chosen.sum() == pytest.approx(1 / 4, abs=0.5 / chosen.sum())
        X = np.concatenate(fold.training.X)
        place = fold.encoder.features.index("x")
        assert X[:, place].mean() == pytest.approx(0, abs=1e-5)


def test_numbers_of_sequences_are_scaled_by_those_learned_from() -> None:
    settings = SequenceSettings(sequence="id", order="t", ignore=("up",))
    found, parts = prepared(SEQUENCES, steps(), "size", settings)
    folds = sequences.folds(found, parts, settings, 2)
    for fold in folds:
        assert fold.training.y.mean() == pytest.approx(0, abs=1e-5)
    with pytest.raises(ArgumentError, match="folds must have two sequences or more"):
        sequences.folds(found, parts, settings, 30)


# Images -------------------------------------------------------------------------------


def test_images_of_ones_own_choose_the_epoch_of_every_fold(tmp_path: Path) -> None:
    settings, path = ImageSettings(), write_npz(tmp_path / "digits.npz", 120)
    own = write_npz(tmp_path / "own.npz", 40)
    found = IMAGES.read(path, settings, {"validation": own, "test": own})
    assert isinstance(found.data, ImageData)
    parts = IMAGES.prepare(found, "", settings)
    folds = images.folds(found, parts, settings, 3)
    assert [len(fold.validation.X) for fold in folds] == [40] * 3
    assert sum(len(fold.test.X) for fold in folds) == 120
    assert [len(f.test.X) + len(f.training.X) for f in folds] == [120] * 3


def test_numbers_of_images_are_scaled_by_those_learned_from(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, count in (("many", 60), ("own", 20)):
        pixels = random.integers(0, 255, (count, 8, 8), np.uint8)
        np.savez(tmp_path / f"{name}.npz", X=pixels, y=random.normal(size=count))
    settings, own = ImageSettings(), {"validation": tmp_path / "own.npz"}
    found = IMAGES.read(tmp_path / "many.npz", settings, own)
    parts = IMAGES.prepare(found, "", settings)
    for fold in images.folds(found, parts, settings, 2):
        for rows in (fold.training, fold.validation, fold.test):
            learned = fold.targets.learned(rows.truth).ravel()
            assert rows.y.ravel() == pytest.approx(learned, rel=1e-5)
        assert fold.training.y.mean() == pytest.approx(0, abs=1e-5)


# What there is to choose --------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        ("text", TextSettings()),
        ("forecast", ForecastSettings(**TIMES)),
        ("sequences", SequenceSettings(sequence="id")),
    ],
)
def test_every_point_of_a_space_gives_settings_that_can_be_used(kind, base) -> None:
    space = space_for(base, 5000, kind=kind)
    points = [drawn(space, 0, number) for number in range(200)]
    chosen = [settings_at(base, point) for point in points]
    assert len({each.cell for each in chosen}) > 1
    assert len({each.layers for each in chosen}) > 2
    usual = base.rows_a_step(5000)
    assert {each.batch_size for each in chosen} == {
        usual // 2, usual, 2 * usual, 4 * usual
    }  # fmt: skip
    fixed = ["cell", "units", "layers", "learning_rate", "batch_size", "dropout"]
    left = space_for(base, 5000, fixed, kind) if kind != "text" else {"l2": None}
    assert list(left) == ["l2"]
    if kind == "text":
        with pytest.raises(ArgumentError, match="a setting left to tune"):
            space_for(base, 5000, fixed, kind)


def test_layers_that_a_transformer_cant_have_leave_it_out() -> None:
    base = TextSettings(layers=(64, 32))
    space = space_for(base, 5000, ["layers"], "text")
    cells = {settings_at(base, drawn(space, 0, n)).cell for n in range(99)}
    assert cells == {"gru", "lstm"}


# From data to a tested network --------------------------------------------------------


def tuned(*given: Any, **options: Any) -> Tuned:
    """What a quick search found."""
    settings: dict[str, Any] = {**QUICK, **options}
    return tw.tune(*given, **settings)


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    """One of each kind, with settings that are kept."""
    verse = "so long as men can breathe or eyes can see,\n" * 40
    return {
        "text": ((Text.of(verse),), {"length": 8, "layers": (8,), "cell": "gru"}),
        "forecast": ((hourly(150), "load"), {**TIMES, "units": 4}),
        "sequences": ((steps(), "up"), {"sequence": "id", "order": "t", "units": 4}),
        "images": ((write_npz(tmp_path / "d.npz", 100),), {"filters": (4,)}),
    }


@pytest.mark.parametrize("kind", ["text", "forecast", "sequences", "images"])
def test_tuned_is_what_train_gives_with_the_settings(sources, kind: str) -> None:
    given, kept = sources[kind]
    found = tuned(*given, **kept)
    assert len(found.trials) == 2
    for name, value in kept.items():
        assert getattr(found.settings, name) == value
    again: Any = tw.train(*given, **found.settings.to_dict())
    assert again.test == found.trained.test
    assert found.trained.model.kind == kind
    metric = found.trained.prepared.deciding.metric
    assert found.best is not None
    assert metric in found.best.metrics
    assert found.best.losses == tuned(*given, threads=1, **kept).best.losses  # pyright: ignore[reportOptionalMemberAccess]


def test_a_search_of_texts_goes_on_with_the_same_text_alone(sources, tmp_path) -> None:
    given, kept = sources["text"]
    first = tuned(*given, folder=tmp_path / "search", **kept)
    again = tuned(*given, folder=tmp_path / "search", resume=True, **kept)
    assert [t.losses for t in again.trials] == [t.losses for t in first.trials]
    other = (Text.of(str(given[0]) + "!"),)
    with pytest.raises(ArgumentError, match="resume must be of the same search"):
        tuned(*other, folder=tmp_path / "search", resume=True, **kept)


def test_what_a_kind_doesnt_have_is_refused(sources) -> None:
    given, kept = sources["forecast"]
    with pytest.raises(ArgumentError, match="test_data must be left out: a series"):
        tuned(*given, test_data=hourly(90), **kept)
    with pytest.raises(ArgumentError, match="it is a setting of images"):
        tuned(*given, filters=(8,), **kept)
    given, kept = sources["text"]
    with pytest.raises(ArgumentError, match="group must be left out with a text"):
        tuned(*given, group="x", **kept)


@pytest.mark.parametrize("kind", [TEXTS, SERIES, SEQUENCES])
def test_each_kind_has_a_learning_rate(sources, kind: AnyKind) -> None:
    given, kept = sources[kind.name]
    base, target = kind.settings.by_name(kept), given[1] if kind.has_target else ""
    seen: list[Any] = []

    def announce(parts: Any, network: tw.Network) -> None:
        seen.append(parts)

    found = rate_for(kind, given[0], target, base, announce=announce)
    assert found.settings["rows"] == len(seen[0].training.X)
    assert 1e-6 < found.chosen < 10
