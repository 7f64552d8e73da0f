"""``thalweg learning-rate``: what it says and draws."""

import json

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
