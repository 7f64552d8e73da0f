"""Commands take tables from pipes, packed, and written as their options say."""

import gzip
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import polars as pl
import pytest

import thalweg as tw
from thalweg.tabular.model import TableModel
from thalweg.training.checkpoint import Checkpoint

QUICK = ("--layers", "4", "--epochs", "2", "--quiet")
ROWS = [f"{i * i % 17}.5;{('rood', 'blå')[i % 2]};{'ab'[i % 3 > 0]}" for i in range(60)]
PLAIN = "\n".join(["size,color,kind", *(row.replace(";", ",") for row in ROWS)])
ODD = "\n".join(["Tabel", "% c", "size;color;kind", *ROWS[:9], "%", *ROWS[9:]])
DIALECT = ("--encoding", "cp1252", "--skip-rows", "1", "--comment", "%")
TRAIN = ("--target", "kind", *QUICK)

Refused = Callable[..., str]


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def give(text: str) -> None:
        content = io.BytesIO(text.encode())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))

    return give


@pytest.fixture
def odd(thalweg) -> Path:
    """A table whose text is like no other."""
    Path("plain.csv").write_text(PLAIN)
    Path("odd.csv").write_text(ODD, "cp1252")
    return Path("odd.csv")


def model_of(path: str) -> TableModel:
    found = tw.load(path)
    assert isinstance(found, TableModel)
    return found


# Dialects -----------------------------------------------------------------------------


def test_the_model_of_an_odd_file_is_that_of_a_plain_one(thalweg, odd: Path) -> None:
    assert thalweg("train", "plain.csv", *TRAIN).status == 0
    assert thalweg("train", odd, *TRAIN, *DIALECT).status == 0
    plain, found = model_of("plain.thalweg"), model_of("odd.thalweg")
    assert found.encoder == plain.encoder
    assert found.results["test"] == plain.results["test"]


def test_what_training_was_told_is_used_again(thalweg, odd: Path) -> None:
    assert thalweg("train", odd, *TRAIN, *DIALECT).status == 0
    predicted = thalweg("predict", "odd.thalweg", odd)
    assert predicted.status == 0
    assert predicted.out.count("\n") == 61
    evaluated = thalweg("evaluate", "odd.thalweg", odd, "--json")
    assert json.loads(evaluated.out)["rows"] == 60
    assert thalweg("report", "odd.thalweg", "--data", odd).err == "report in odd.html\n"
    assert thalweg("report", "odd.thalweg").err.startswith("report in odd.html")
    command = " ".join(Path("odd.html").read_text().split())
    assert "--encoding cp1252 --skip-rows 1 --comment %" in command


def test_another_dialect_may_be_said_when_predicting(
    thalweg, refused: Refused, odd: Path
) -> None:
    assert thalweg("train", odd, *TRAIN, *DIALECT).status == 0
    meant = thalweg("predict", "odd.thalweg", odd).out
    usual = ("--encoding", "utf-8", "--skip-rows", "0", "--comment", "")
    for command in ("predict", "evaluate"):
        line = refused(command, "odd.thalweg", "plain.csv", status=1)
        assert "plain.csv" in line
        found = thalweg(command, "odd.thalweg", "plain.csv", *usual)
        assert found.status == 0, found.err
        line = refused(command, "odd.thalweg", odd, "--encoding", "cp1525", status=2)
        assert "--encoding must be an encoding of text that Python knows" in line
    assert thalweg("predict", "odd.thalweg", "plain.csv", *usual).out == meant
    assert "[as in training]" in thalweg("predict", "--help").out


def test_every_command_that_learns_takes_a_dialect(thalweg, odd: Path) -> None:
    rate = thalweg("learning-rate", odd, "--target", "kind", *DIALECT)
    assert rate.status == 0, rate.err
    arguments = ("--target", "kind", "--trials", "2", "--epochs", "2", "--quiet")
    tuned = thalweg("tune", odd, *arguments, *DIALECT)
    assert tuned.status == 0, tuned.err
    assert "--encoding cp1252 --skip-rows 1 --comment" in " ".join(tuned.out.split())
    assert model_of("odd.thalweg").dialect.skip_rows == 1
    assert thalweg("predict", "odd.thalweg", odd).status == 0


def test_a_resumed_run_reads_as_it_began(thalweg, odd: Path) -> None:
    class StopError(Exception):
        pass

    def stop(record: object) -> None:
        raise StopError

    with pytest.raises(StopError):
        tw.train(
            odd, "kind", epochs=3, encoding="cp1252", skip_rows=1, comment="%",
            checkpoint=Checkpoint("run", 1), callback=stop,
        )  # fmt: skip
    assert thalweg("train", "--resume", "run", "--quiet").status == 0
    assert model_of("odd.thalweg").dialect.encoding == "cp1252"


def test_advice_is_an_option(refused: Refused, odd: Path) -> None:
    line = refused("train", odd, "--target", "kind", status=1)
    assert "save it as UTF-8, or say in what it is: --encoding cp1252 fits" in line
    Path("title.csv").write_text(f"Tabel\n\n{PLAIN}")
    line = refused("train", "title.csv", "--target", "kind", status=1)
    assert line.endswith("if this is the header, give --skip-rows 2\n")
    for named in ([], ["--target", "kind"]):
        line = refused("train", odd, "--encoding", "cp1252", *named, status=2)
        assert line.endswith("give --separator CHARACTER or --skip-rows N\n")
    line = refused("train", odd, "--target", "x", "--separator", ",,", status=2)
    assert line.startswith("error: --separator must be one character, or tab or space")


# Pipes and packed files ---------------------------------------------------------------


def test_every_command_takes_standard_input(
    thalweg, standard_input: Callable[[str], None]
) -> None:
    Path("plain.csv").write_text(PLAIN)
    rest = ("--target", "kind", "-o", "piped.thalweg", "--quiet", "--epochs", "2")
    commands: dict[str, tuple[object, ...]] = {
        "train": ("-", *rest),
        "tune": ("-", *rest, "--trials", "1"),
        "learning-rate": ("-", "--target", "kind"),
        "predict": ("piped.thalweg", "-"),
        "evaluate": ("piped.thalweg", "-"),
        "report": ("piped.thalweg", "--data", "-"),
    }
    for command, arguments in commands.items():
        standard_input(PLAIN)
        found = thalweg(command, *arguments)
        assert found.status == 0, found.err
        if command != "report":
            assert "warning" not in found.err
    assert thalweg("report", "piped.thalweg", "--data", "plain.csv").status == 0
    assert "thalweg train - --target kind" in Path("piped.html").read_text()
    standard_input(PLAIN)
    assert "standard input" in thalweg("evaluate", "piped.thalweg", "-").out


@pytest.mark.parametrize("data", ["-", "/dev/stdin", "/dev/fd/0"])
@pytest.mark.parametrize("command", ["train", "tune"])
def test_what_has_no_name_needs_an_output(
    refused: Refused, command: str, data: str
) -> None:
    line = refused(command, data, "--target", "kind", status=2)
    assert "--output must be given, the file to save the network in: " in line


def test_a_named_pipe_trains_and_its_checkpoint_asks_for_it(
    thalweg, refused: Refused
) -> None:
    os.mkfifo("pipe.csv")

    def feed() -> Thread:
        writer = Thread(target=Path("pipe.csv").write_text, args=[PLAIN])
        writer.start()
        return writer

    writer = feed()
    found = thalweg("train", "pipe.csv", *TRAIN, "--checkpoint", "run")
    writer.join()
    assert found.status == 0
    assert (
        model_of("pipe.thalweg").predict(pl.read_csv(io.StringIO(PLAIN))).height == 60
    )
    line = refused("train", "--resume", "run", status=2)
    assert "DATA must be given" in line
    writer = feed()
    resumed = thalweg("train", "pipe.csv", "--resume", "run", "--quiet")
    writer.join()
    assert "SHA" not in resumed.err
    assert resumed.status == 0


def test_a_packed_table_s_model_is_called_after_the_table(thalweg) -> None:
    Path("plain.csv.gz").write_bytes(gzip.compress(PLAIN.encode()))
    assert thalweg("train", "plain.csv.gz", *TRAIN).status == 0
    assert Path("plain.thalweg").exists()
    assert thalweg("report", "plain.thalweg").err == "report in plain.html\n"


def test_a_file_called_as_standard_input_is_none(thalweg) -> None:
    """A model may say that its table had that name; only that file is looked at."""
    Path("plain.csv").write_text(PLAIN)
    assert thalweg("train", "plain.csv", *TRAIN).status == 0
    model = model_of("plain.thalweg")
    model.results["data"]["name"] = "-"
    model.save("plain.thalweg")
    found = thalweg("report", "plain.thalweg")
    assert "there is no - in the current folder" in found.err
    Path("plain.csv").rename("-")
    assert thalweg("report", "plain.thalweg").err.startswith("report in plain.html")
