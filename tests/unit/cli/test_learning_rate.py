"""``thalweg learning-rate``: what it says and draws."""

import json
from pathlib import Path

import pytest

from thalweg.search.learning_rate import find_learning_rate
from thalweg.tables.read import read
from thalweg.tabular.learn import build, prepared_by
from thalweg.tabular.settings import Settings

SPECIES = ("learning-rate", "penguins.csv", "--target", "species")


def test_it_tests_the_network_and_the_rows_of_train(thalweg) -> None:
    options = ("--layers", "8", "--optimizer", "sgd", "--seed", "3")
    found = json.loads(thalweg(*SPECIES, *options, "--json").out)
    settings = Settings(layers=(8,), optimizer="sgd", seed=3)
    prepared = prepared_by(read("penguins.csv"), "species", settings)
    network = build(prepared, settings)
    rows = prepared.training
    test = find_learning_rate(network, rows.X, rows.y, optimizer="sgd", seed=3)
    assert found == {"target": "species", **test.to_dict()}


def test_it_says_the_rate_and_what_to_do_with_it(thalweg) -> None:
    result = thalweg(*SPECIES, "--layers", "8")
    for said in ("Network", "Learning rate", "Why", "Tried", "Next"):
        assert said in result.out
    quiet = thalweg(*SPECIES, "--layers", "8", "--quiet")
    assert quiet.out.startswith("Learning rate")
    assert result.out.endswith(quiet.out)
    command = " ".join(quiet.out.partition("Next")[2].split())
    assert command.startswith("thalweg train penguins.csv --target species --layers 8 ")


def test_the_picture_has_its_numbers_beside_it(thalweg, tmp_path) -> None:
    result = thalweg(*SPECIES, "--layers", "8", "--figure", "rates.png", "--json")
    assert result.err == "drew rates.png and rates.json\n"
    record = json.loads((tmp_path / "rates.json").read_text("utf-8"))
    assert record["losses"] == json.loads(result.out)["losses"]
    assert record["source"] == "penguins.csv"


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--figure", "rates.pdf"), 2, "--figure must be a file that ends in .png"),
        (("--figure", "no/rates.png"), 1, "there is no folder 'no'"),
        (("--optimizer", "adm"), 2, "did you mean 'adam'?"),
    ],
)
def test_what_cant_be_used_is_refused(refused, options, status: int, said: str) -> None:
    assert said in refused(*SPECIES, *options, status=status)


def test_without_a_target_the_columns_are_named(refused) -> None:
    error = refused("learning-rate", "penguins.csv", status=2)
    assert error.startswith("error: --target must name the column")


def test_sequences_and_texts_have_one_too(thalweg, tmp_path: Path) -> None:
    rows = [f"{n},{t},{(n % 2) * t},{'ab'[n % 2]}" for n in range(30) for t in range(4)]
    (tmp_path / "steps.csv").write_text("\n".join(["id,t,x,kind", *rows]) + "\n")
    how = ("--sequence", "id", "--order", "t", "--units", "4")
    result = thalweg("learning-rate", "steps.csv", "--target", "kind", *how)
    said = " ".join(result.out.split())
    assert "30 sequences of 4 to 4 rows with one id, by t" in said
    assert "GRU 4" in said
    command = said.partition("Next ")[2]
    assert command.startswith("thalweg train steps.csv --target kind --units 4 ")
    (tmp_path / "verse.txt").write_text("so long as men can breathe\n" * 40)
    small = ("--layers", "8", "--length", "8")
    found = json.loads(thalweg("learning-rate", "verse.txt", *small, "--json").out)
    assert found["target"] == "next character"
