"""Names that would steer a terminal are shown, and don't."""

import ast
import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thalweg as tw
from support.terminal import STYLES, commands_on_terminal
from thalweg.cli.predict import without_formulas
from thalweg.printable import json_text, printable, printable_lines

CLI = Path(tw.__file__).parent / "cli"
OWN_STYLE = "\x1b[35m"  # a color that the command line has no use for
HOSTILE = [
    *(f"{OWN_STYLE}a", "b\x1b[2J", "c\x9b31m", "d\u202egnp", "e\u2028f", "g\x7f\x85h"),
    *("i\x1b]0;title\x07", "j\u2066k", "l\rm", "n\x08\x08o"),
]
LABELS = ["=1+1\x1b[35m", "@no\u202e"]


@given(st.text())
def test_texts_are_printable(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))


@given(st.recursive(st.text(), st.lists), st.booleans())
def test_json_is_printable_and_the_same_value(value: Any, ascii_alone: bool) -> None:
    text = json_text(value, ascii_alone)
    assert text.isprintable()
    assert text.isascii() or not ascii_alone
    assert json.loads(text) == json.loads(json.dumps(value))


def hostile_table(folder: Path) -> None:
    """A table in which each name and each text is hostile."""
    random = np.random.default_rng(0)
    cells: dict[str, Any] = {name: random.choice(HOSTILE, 120) for name in HOSTILE[:5]}
    cells |= {name: random.normal(size=120) for name in HOSTILE[5:]}
    frame = pl.DataFrame({**cells, "y\x1b[35m": random.choice(LABELS, 120)})
    frame.write_csv(folder / "t.csv")


def test_no_command_lets_a_name_steer_the_terminal(tmp_path: Path) -> None:
    hostile_table(tmp_path)
    target = ("--target", "y\x1b[35m")
    short = ("--epochs", "2", "--layers", "4")
    new = (
        (tmp_path / "t.csv")
        .read_text(encoding="utf-8")
        .replace("b\x1b[2J", "p\x1b[1mq")
    )
    (tmp_path / "new.csv").write_text(new, encoding="utf-8")
    commands = [
        ("inspect", "t.csv", *target),
        ("inspect", "t.csv", *target, "--json"),
        ("train", "t.csv", *target, *short, "--report", "r.html", "--figure", "f.png"),
        ("train", "t.csv", *target, *short, "--json", "--log", "log.jsonl"),
        ("predict", "t.thalweg", "t.csv"),
        ("predict", "t.thalweg", "new.csv"),
        ("evaluate", "t.thalweg", "t.csv"),
        ("explain", "t.thalweg", "--program"),
        ("export", "t.thalweg", "--to", "python"),
        ("report", "t.thalweg", "--data", "t.csv"),
        ("learning-rate", "t.csv", *target),
        ("tune", "t.csv", *target, "--budget", "2s", "--trials", "1", *short),
        ("train", "t.csv", "--target", "z\x1b[35m"),
        ("train", "t.csv"),
        ("predict", "no\x1b[35m.thalweg", "t.csv"),
        ("train", "t.csv", *target, "--\x1b[35m"),
        ("train", "t.csv", *target, "--group", "\u202e", "--ignore", "\x1b[35m"),
    ]
    done = commands_on_terminal(tmp_path, commands)
    for (shown, _), command in zip(done, commands, strict=True):
        plain = STYLES.sub("", shown)
        assert OWN_STYLE not in shown, command
        assert all(line.isprintable() for line in plain.split("\n")), (command, plain)
    assert [status for _, status in done[:2]] == [0, 0]
    assert {status for _, status in done[2:]} <= {0, 1, 2}
    for name in ("log.jsonl", "t.py", "r.html", "f.json"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert all(line.isprintable() for line in text.split("\n")), name


def test_predictions_in_files_and_pipes_are_exact(thalweg, tmp_path: Path) -> None:
    hostile_table(tmp_path)
    trained = tw.train(tmp_path / "t.csv", "y\x1b[35m", epochs=1, layers=(4,))
    trained.model.save(tmp_path / "t.thalweg")
    thalweg("predict", "t.thalweg", "t.csv", "--output", "p.csv")
    found = list(csv.reader(io.StringIO((tmp_path / "p.csv").read_text("utf-8"))))
    assert {row[0] for row in found[1:]} <= set(LABELS)


def test_formulas_are_escaped_where_asked_for(thalweg, refused, tmp_path: Path) -> None:
    hostile_table(tmp_path)
    trained = tw.train(tmp_path / "t.csv", "y\x1b[35m", epochs=1, layers=(4,))
    trained.model.save(tmp_path / "t.thalweg")
    asked = ("predict", "t.thalweg", "t.csv", "--escape-formulas")
    assert thalweg(*asked, "--output", "p.csv").status == 0
    found = list(csv.reader(io.StringIO((tmp_path / "p.csv").read_text("utf-8"))))
    assert {row[0] for row in found[1:]} <= {f"'{label}" for label in LABELS}
    assert "escape-formulas must come" in refused(*asked, "-o", "p.parquet", status=2)


@pytest.mark.parametrize(
    ("cell", "escaped"),
    [
        *(("=1", "'=1"), ("+x", "'+x"), ("-x", "'-x"), ("@x", "'@x"), ("\t=", "'\t=")),
        *(("\r=", "'\r="), ("-3.5", "-3.5"), ("+1e5", "+1e5"), ("-.5", "-.5")),
        *(("-1-1", "'-1-1"), ("a=", "a="), ("", ""), (None, None), ("'=", "'=")),
    ],
)
def test_what_a_spreadsheet_would_compute(cell: Any, escaped: Any) -> None:
    frame = pl.DataFrame({"a": pl.Series([cell], dtype=pl.String), "b": [-1.5]})
    assert without_formulas(frame).row(0) == (escaped, -1.5)


def test_a_network_and_its_errors_show_no_control_character() -> None:
    def own(z: Any) -> Any:
        return tw.tanh(z)

    own.__name__ = own.__qualname__ = "\x1b[2J\u202e"
    network = tw.Network([tw.Dense(2, own)]).initialize(3)
    for text in (repr(network), network.explain()):
        assert all(line.isprintable() for line in text.split("\n"))
    assert "\x1b" not in str(tw.DataError("\x1b[2J\nsecond line"))


def test_the_command_line_prints_through_one_place() -> None:
    """What is printed elsewhere wouldn't have been made printable."""
    for path in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = ast.unparse(node) if isinstance(node, ast.Call) else ""
            assert not text.startswith(("print(", "typer.echo(")), path
            if "std" in text and ".write(" in text:
                assert path.stem in {"show", "failures"}, path
