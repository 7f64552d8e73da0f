"""No value of an option is a mistake of thalweg's own."""

import contextlib
import io
import os
from pathlib import Path
from typing import Any

import pytest
import typer.main
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import thalweg as tw
from thalweg.cli import run
from thalweg.cli.app import app

QUICK = ("--epochs", "1", "--layers", "2")
COMMANDS: dict[str, tuple[str, ...]] = {
    "inspect": ("t.csv",),
    "train": ("t.csv", "-t", "y", *QUICK, "--quiet"),
    "learning-rate": ("t.csv", "-t", "y", "--layers", "2"),
    "tune": ("t.csv", "-t", "y", *QUICK, "--budget", "1s", "--trials", "1"),
    "predict": ("m.thalweg", "t.csv"),
    "evaluate": ("m.thalweg", "t.csv"),
    "report": ("m.thalweg",),
    "export": ("m.thalweg",),
    "figures": ("dropuot",),
}
OPTIONS = [
    (name, max(parameter.opts, key=len))
    for name, command in typer.main.get_command(app).commands.items()  # pyright: ignore[reportAttributeAccessIssue]
    for parameter in command.params
    if name in COMMANDS and parameter.param_type_name == "option"
    if not parameter.is_flag
]
NUMBERS = ["nan", "inf", "-inf", "1e400", "-1", "0", "1.5", "1_0", "0x1", "٣", "²"]
VALUES = st.one_of(
    st.sampled_from(
        ["", " ", "\udcff", "a=\udcff", "=", "a=", "none", "all", ",", "1,"]
    ),
    st.sampled_from(NUMBERS),
    st.integers(0, 5000).map(lambda digits: "9" * digits),
    st.sampled_from([31, 32, 63, 64]).map(lambda bits: str(2**bits)),
    st.text(st.characters(codec="utf-8", exclude_characters="/\x00"), max_size=9),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("options")
    rows = [f"{n % 7},{'ab'[n % 2]},{'pq'[n % 3 > 0]}" for n in range(60)]
    (path / "t.csv").write_text("\n".join(["x,c,y", *rows]) + "\n")
    tw.train(path / "t.csv", "y", epochs=1, layers=(2,)).model.save(path / "m.thalweg")
    return path


def status_of(arguments: list[str]) -> tuple[Any, str]:
    """The exit status and what is said."""
    out, said = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        return run(arguments), said.getvalue()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(OPTIONS), VALUES)
@example(("train", "--threads"), str(2**31))
@example(("evaluate", "--threads"), "9" * 400)
@example(("learning-rate", "--threads"), "9" * 5000)
@example(("train", "--layers"), str(2**62))
@example(("train", "--layers"), str(2**63))
@example(("train", "--layers"), "9" * 400)
@example(("train", "--l1"), "1e39")
@example(("tune", "--epochs"), "9" * 400)
@example(("train", "--missing"), "\udcff")
@example(("inspect", "--comment"), "\udcff")
def test_an_option_of_any_value(
    folder: Path, option: tuple[str, str], value: str
) -> None:
    command, name = option
    before = Path.cwd()
    os.chdir(folder)
    try:
        status, said = status_of([command, *COMMANDS[command], f"{name}={value}"])
    finally:
        os.chdir(before)
    assert status in (0, 1, 2), (option, value, said)


def test_cells_of_400_digits(folder: Path) -> None:
    rows = [f"{'9' * 400 if n == 3 else n},{n % 5},{n * 0.5}" for n in range(60)]
    (folder / "digits.csv").write_text("\n".join(["x,c,y", *rows]) + "\n")
    table, out = str(folder / "digits.csv"), str(folder / "digits.thalweg")
    for target in ("y", "x"):
        status, said = status_of(["train", table, "-t", target, *QUICK, "-o", out])
        assert status in (0, 1), said
    for command in ("predict", "evaluate"):
        status, said = status_of([command, str(folder / "m.thalweg"), table])
        assert status in (0, 1), said
