"""The page of a report: its parts, its figures, and that it needs nothing else."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from support.parsed_html import Node, parsed
from thalweg.cli.options import REPEATED, WORDS, chosen_settings
from thalweg.report.formatting import number, spaced
from thalweg.tabular.command import options
from thalweg.tabular.learn import TABLES, Trained
from thalweg.tabular.settings import Settings

SECTIONS = [
    *("summary", "table", "split", "training", "test", "comparison", "errors"),
    *("reliability", "importance", "worst", "formulas", "repeat"),
]
ASKS = {"action", "background", "cite", "data", "formaction", "poster", "src", "srcset"}
FETCHING = {"audio", "embed", "iframe", "img", "link", "object", "script", "video"}


def test_nothing_is_asked_of_the_network_and_no_script_runs(page: Node) -> None:
    for node in page.all():
        assert node.tag not in FETCHING
        assert not ASKS & set(node.attributes)
        assert not [name for name in node.attributes if name.startswith("on")]
        href = node.attributes.get("href", "#")
        assert href.startswith(("#", "data:image/png;base64,"))
        assert "url(" not in node.attributes.get("style", "").replace("url(#", "")
    style = page.one("style").text
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_forbids_what_isnt_there(page: Node) -> None:
    (policy,) = [m for m in page.all("meta") if "http-equiv" in m.attributes]
    assert "default-src 'none'" in policy.attributes["content"]
    assert "script" not in policy.attributes["content"]


def test_no_address_is_in_the_file(file: Path) -> None:
    assert "://" not in file.read_text(encoding="utf-8")


def test_the_file_is_small(file: Path) -> None:
    assert file.stat().st_size < 200_000


def test_every_section_is_there_and_named(page: Node) -> None:
    sections = [node.attributes["id"] for node in page.all("section")]
    assert sections == SECTIONS
    links = [a.attributes["href"] for a in page.one("nav").all("a")]
    assert links == [f"#{name}" for name in SECTIONS]


def test_names_of_elements_differ_and_all_that_are_referred_to_exist(
    page: Node,
) -> None:
    names = [n.attributes["id"] for n in page.all() if "id" in n.attributes]
    assert len(set(names)) == len(names)
    referred: set[str] = set()
    for node in page.all():
        for key, value in node.attributes.items():
            if key == "aria-labelledby":
                referred |= set(value.split())
            elif key == "href" and value.startswith("#"):
                referred.add(value[1:])
            else:
                referred |= set(re.findall(r"url\(#(.*?)\)", value))
    assert referred <= set(names)


def test_headings_go_down_one_level_at_a_time(page: Node) -> None:
    levels = [int(node.tag[1]) for node in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    steps = [b - a for a, b in pairwise(levels)]
    assert max(steps) <= 1


def test_every_table_says_what_it_is_and_what_its_cells_are(page: Node) -> None:
    tables = list(page.all("table"))
    assert len(tables) >= 8
    for table in tables:
        assert table.one("caption").text
        heads = list(table.one("thead").all("th"))
        assert {head.attributes["scope"] for head in heads} == {"col"}
        for row in table.one("tbody").all("tr"):
            cells = list(row.all("th", "td"))
            assert len(cells) == len(heads)
            assert [cell.tag for cell in cells] == ["th", *["td"] * (len(heads) - 1)]
            assert cells[0].attributes["scope"] == "row"
            assert cells[0].text


def test_every_picture_has_a_text_alternative_and_a_caption(page: Node) -> None:
    figures = list(page.all("figure"))
    assert len(figures) >= 5
    for figure in figures:
        (picture,) = [n for n in figure.all() if n.attributes.get("role") == "img"]
        assert re.search(r"\d", picture.attributes["aria-label"])
        assert figure.one("figcaption").text
        assert picture.one("svg").attributes["aria-hidden"] == "true"


def test_the_metrics_are_those_of_the_test(page: Node, trained: Trained) -> None:
    rows = {row[0]: row for row in page.table(f"{len(trained.prepared.test.X)} rows")}
    for name, value in trained.test.items():
        _, _, shown, low, high = rows[spaced(name)]
        assert shown == number(value)
        assert float(low.replace(",", "")) <= value * 1.001
        assert value <= float(high.replace(",", "")) * 1.001


def test_other_models_score_as_in_training(page: Node, trained: Trained) -> None:
    rows = {row[0]: row[1:] for row in page.table("Scores on the same")}
    assert [*rows] == ["network", "boosted trees", "linear model", "constant guess"]
    for name, metrics in {"network": trained.test, **trained.baselines}.items():
        assert rows[name][: len(metrics)] == [number(v) for v in metrics.values()]


def test_every_column_is_listed_with_what_became_of_it(page: Node) -> None:
    rows = {row[0]: row for row in page.table("What each column")}
    assert set(rows) >= {"island", "bill_length_mm", "sex"}
    assert "'Biscoe', 'Dream', 'Torgersen'" in rows["island"][3]
    assert rows["sex"][5] == "11"
    assert "standardized" in rows["bill_length_mm"][3]


def test_the_split_adds_up(page: Node, trained: Trained) -> None:
    rows = page.table("Rows of each part")
    parts = trained.prepared
    sizes = [len(each.X) for each in (parts.training, parts.validation, parts.test)]
    assert [int(row[2]) for row in rows] == sizes


def test_the_curves_say_where_training_stopped_and_what_was_best(
    page: Node, trained: Trained
) -> None:
    history = trained.history
    captions = " ".join(f.text for f in page.all("figcaption"))
    assert f"best epoch {history.best_epoch};" in captions
    assert f"stopped after epoch {history.stopped_epoch}." in captions
    epochs = page.table("Some epochs")
    assert epochs[-1][0].startswith(str(history.stopped_epoch))
    assert f"{history.best_epoch} (best)" in [row[0] for row in epochs]


def test_the_confusion_matrix_holds_every_test_row(
    classes_file: Path, classes: Trained
) -> None:
    rows = parsed(classes_file.read_text(encoding="utf-8")).table("Confusion matrix")
    counts = [[int(cell) for cell in row[1:]] for row in rows]
    assert sum(map(sum, counts)) == len(classes.prepared.test.X)
    right = sum(counts[i][i] for i in range(len(counts)))
    assert right / sum(map(sum, counts)) == pytest.approx(classes.test["accuracy"])


def test_the_worst_rows_are_cells_of_the_table(page: Node, trained: Trained) -> None:
    table = trained.table
    assert table is not None
    for row in page.table("The 10 test rows"):
        line = int(row[0].removeprefix("line "))
        cells = ["missing" if c is None else c for c in table.frame.row(line - 2)]
        assert set(row[4:]) <= set(cells)
        assert line - 2 in trained.prepared.split.test


def test_the_worst_rows_are_the_worst(page: Node, trained: Trained) -> None:
    given = [float(row[3].replace(",", "")) for row in page.table("The 10 test rows")]
    if trained.model.task.kind == "classes":
        assert given == sorted(given)
        outputs = trained.model.network.predict(trained.prepared.test.X)
        least = outputs[range(len(outputs)), trained.prepared.test.y].min()
        assert given[0] == pytest.approx(least, rel=1e-3)
    else:
        sizes = [abs(each) for each in given]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] > trained.test["rmse"]


def test_the_formulas_are_those_of_explain(page: Node, trained: Trained) -> None:
    codes = [code.text for code in page.all("code")]
    assert trained.model.network.explain() in codes


def test_the_command_trains_the_same_network(page: Node, trained: Trained) -> None:
    (line,) = [c.text for c in page.all("code") if c.text.startswith("thalweg train ")]
    words = shlex.split(line)
    assert words[2:5] == ["penguins.csv", "--target", trained.model.target]
    assert words[5:] == ["--layers", "8", "--epochs", "12"]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(layers=(), batch_size="all", validation=0.1),
        Settings(layers=(9, 8), ignore=("a b", "--c"), weights="w", learning_rate=1e-5),
        Settings(optimizer="adamw", weight_decay=0.5, task="classes", batch_size=7),
        Settings(class_weight=("a=b=3", "c=0.5"), missing=("x=?",)),
    ],
)
def test_options_are_read_back_as_the_same_settings(settings: Settings) -> None:
    words = options(settings)
    given: dict[str, object] = {}
    for option, value in zip(words[::2], words[1::2], strict=True):
        name = option.removeprefix("--").replace("-", "_")
        assert name in WORDS
        given[name] = [*given.get(name, []), value] if name in REPEATED else value  # pyright: ignore[reportGeneralTypeIssues]
    assert chosen_settings(TABLES, given) == settings
