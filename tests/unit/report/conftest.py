"""Models of the penguins, and reports of them."""

from pathlib import Path

import pytest

import thalweg as tw
from support.parsed_html import Node, parsed
from thalweg.tabular.learn import Trained

ROOT = Path(__file__).parents[3]
PENGUINS = ROOT / "examples" / "penguins.csv"


@pytest.fixture(scope="session")
def classes() -> Trained:
    return tw.train(PENGUINS, "species", layers=(8,), epochs=12)


@pytest.fixture(scope="session")
def number() -> Trained:
    return tw.train(PENGUINS, "body_mass_g", layers=(8,), epochs=12)


@pytest.fixture(scope="session")
def classes_file(classes: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return tw.write_report(classes, folder / "classes.html")


@pytest.fixture(scope="session")
def number_file(number: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return tw.write_report(number, folder / "number.html")


@pytest.fixture(params=["classes", "number"])
def trained(request: pytest.FixtureRequest) -> Trained:
    return request.getfixturevalue(request.param)


@pytest.fixture
def file(trained: Trained, request: pytest.FixtureRequest) -> Path:
    kind = "classes" if trained.model.task.kind == "classes" else "number"
    return request.getfixturevalue(f"{kind}_file")


@pytest.fixture
def page(file: Path) -> Node:
    return parsed(file.read_text(encoding="utf-8"))
