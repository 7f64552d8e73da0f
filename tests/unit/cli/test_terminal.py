"""The command as a process: terminals, pipes, colors, imports."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import thalweg as tw
from support.terminal import shown_on_terminal

HEAVY = {"matplotlib", "narwhals", "polars", "rich", "scipy", "sklearn"}
TRAIN = ("train", "penguins.csv", "-t", "species", "--layers", "4", "--epochs", "3")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "thalweg", *arguments]


def on_terminal(folder: Path, *arguments: str, **environment: str) -> str:
    shown, status = shown_on_terminal(folder, command(*arguments), **environment)
    assert status == 0
    return shown


def test_a_terminal_gets_colors_and_one_live_line(thalweg, tmp_path: Path) -> None:
    shown = on_terminal(tmp_path, *TRAIN)
    assert "\x1b[1m" in shown
    assert shown.count("\x1b[A\r\x1b[2K") == 2  # three epochs on one line
    plain = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", shown)
    assert max(map(len, plain.splitlines())) <= 80


def test_no_color_is_kept(thalweg, tmp_path: Path) -> None:
    shown = on_terminal(tmp_path, *TRAIN, NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*m", shown)


def test_a_reader_that_stops_early_is_no_error(thalweg, model: Path) -> None:
    process = subprocess.Popen(
        command("explain", str(model), "--program"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("train", "--help")], ids=" ".join
)
def test_help_loads_no_heavy_package(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom thalweg.cli import run\n"
        f"assert run({list(arguments)}) == 0\n"
        "print(*{n.split('.')[0] for n in sys.modules}, file=sys.stderr)"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(done.stderr.split())


def test_nothing_typed_shows_the_help(thalweg) -> None:
    assert thalweg().out == thalweg("--help").out
    assert "train" in thalweg().out


def test_version(thalweg) -> None:
    assert thalweg("--version").out == f"thalweg {tw.__version__}\n"


def test_figures_are_listed_and_drawn(thalweg, tmp_path: Path) -> None:
    listed = thalweg("figures", "--list").out
    assert "activation_functions" in listed
    result = thalweg("figures", "activation_functions", "--out", "drawn")
    assert result.out == "drawn/activation_functions.png\n"
    assert (tmp_path / "drawn" / "activation_functions.png").exists()


def test_a_misspelled_figure_gets_the_nearest(refused) -> None:
    assert "did you mean 'dropout'?" in refused("figures", "dropuot", status=2)
