"""A network at a glance: every layer, what it gives, and totals that add up."""

import html
import math
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import numpy as np

import thalweg as tw

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(40, 4)), RANDOM.normal(size=40)


def branching() -> tw.Network:
    return tw.Network(
        [
            tw.Residual([tw.Dense(8, "tanh"), tw.BatchNorm(), tw.Dense(4)]),
            tw.Parallel([[], tw.Residual(tw.Dense(3), projection=tw.Dense(3))]),
            tw.Parallel([tw.Dense(2), tw.Dense(2)], join="add"),
            tw.Dense(1),
        ]
    )


def rows_of(text: str) -> list[list[str]]:
    """The cells of the lines between the title and the totals."""
    _, table, _ = text.split("\n\n")
    return [re.split(r"  +", line.strip()) for line in table.splitlines()[1:]]


def test_each_line_has_the_shape_and_the_parameters_of_its_layer() -> None:
    network = branching().initialize(4)
    parameters = network.parameters
    for place, _, _, count in rows_of(network.summary()):
        own = [a.size for n, a in parameters.items() if n.startswith(f"{place}.")]
        assert int(count) == sum(own), place
    shown = {
        place: (layer, gives) for place, layer, gives, _ in rows_of(network.summary())
    }
    assert shown == {
        "1": ("Residual", "(rows, 4)"),
        "1.1": ("Dense(8, activation='tanh')", "(rows, 8)"),
        "1.2": ("BatchNorm()", "(rows, 8)"),
        "1.3": ("Dense(4)", "(rows, 4)"),
        "2": ("Parallel", "(rows, 7)"),
        "2.1": ("x as it is", "(rows, 4)"),
        "2.2.1": ("Residual", "(rows, 3)"),
        "2.2.1.1": ("Dense(3)", "(rows, 3)"),
        "2.2.1.projection.1": ("Dense(3)", "(rows, 3)"),
        "3": ("Parallel, join='add'", "(rows, 2)"),
        "3.1.1": ("Dense(2)", "(rows, 2)"),
        "3.2.1": ("Dense(2)", "(rows, 2)"),
        "4": ("Dense(1)", "(rows, 1)"),
    }
    total = sum(array.size for array in parameters.values())
    assert f"It learns {total} parameters, and keeps 16 numbers of state" in (
        network.summary()
    )


def test_it_says_what_is_not_known_yet() -> None:
    network = branching()
    assert all(row[-2:] == ["?", "?"] for row in rows_of(network.summary()))
    assert "no parameters yet" in network.summary()
    assert "wasn't fitted yet" in network.initialize(4).summary()
    history = network.fit(X, Y, epochs=3)
    assert f"3 epochs; the best was epoch {history.best_epoch}" in network.summary()


class Cells(HTMLParser):
    """The texts in a table's cells, and the tags that there are."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


@dataclass(frozen=True)
class Hostile(tw.Layer):
    """A layer whose name isn't harmless."""

    def forward(self, x: Any, p: Any) -> Any:
        return x

    def __str__(self) -> str:
        return "<script>alert('\x1b[2J&')</script>"


def test_a_notebook_shows_the_same_without_running_names() -> None:
    network = tw.Network([tw.Residual([Hostile()]), tw.Dense(1)]).initialize(4)
    page = network._repr_html_()  # pyright: ignore[reportPrivateUsage]
    found = Cells()
    found.feed(page)
    assert "script" not in found.tags
    texts = [text.strip("\xa0\n ") for text in found.cells[:-1]]
    expected = [cell for row in rows_of(network.summary()) for cell in row]
    assert texts == expected[: len(texts)]
    assert html.escape("alert('\\x1b[2J&')") in page
    assert "\x1b" not in page + network.summary()
    assert "color" not in page  # those of the page around it, light or dark


def test_ten_layers_are_told_apart_from_the_first() -> None:
    network = tw.Network([tw.Dense(1), *[tw.Dense(2)] * 10]).initialize(1)
    assert [int(row[-1]) for row in rows_of(network.summary())] == [2, 4, *[6] * 9]


def test_counts_have_thousands_apart() -> None:
    network = tw.Network([tw.Dense(1000)]).initialize(1000)
    assert f"{math.prod((1001, 1000)):,}" in network.summary()
