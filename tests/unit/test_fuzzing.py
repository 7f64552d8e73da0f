"""The scripts that fuzz see what they are to see, and find nothing for a while."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
SCRIPT = """
import os, random, sys, time
sys.path.insert(0, %r)
import fuzzing

def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def prepare(folder):
    (folder / "sample").write_text("whole")

def warm_up(folder):
    assert (folder / "sample").read_text() == "whole"

def judge(choose, case, meter):
    (case / "broken").write_text(str(choose.random()))
    %s
    return "fine: all well"

if __name__ == "__main__":
    fuzzing.main("A test.", prepare, warm_up, judge)
"""
ACTS = {
    "nothing": "pass",
    "an error": "choose.random() < 0.2 and {}['x']",
    "a crash": "os.abort() if choose.random() < 0.2 else None",
    "an end": "os._exit(0) if choose.random() < 0.2 else None",
    "memory": "meter.measure(lambda: len(bytearray(2**27)), 0)",
    "time": "meter.measure(lambda: spin(3), 0)",
    "a loud library": "print('not a line of JSON')",
}


def run(folder: Path, act: str, *options: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(SCRIPT % (str(SCRIPTS), ACTS[act]))
    command = [sys.executable, script, "--seed", "5", *options]
    environment = {"TMPDIR": str(folder), "PATH": ""}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment
    )


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("fuzz-*/found-*"))


@pytest.mark.parametrize("act", ["nothing", "a loud library"])
def test_without_a_finding_nothing_is_left(act: str, tmp_path: Path) -> None:
    ended = run(tmp_path, act, "--count", "20")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "20  fine, 1 rules" in ended.stdout
    assert "20  cases" in ended.stdout
    assert not list(tmp_path.glob("fuzz-*"))


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("an error", "KeyError: 'x'"),
        ("a crash", "the worker ended with -6"),
        ("an end", "the worker ended with 0"),
    ],
)
def test_a_finding_is_told_kept_and_made_again(
    act: str, said: str, tmp_path: Path
) -> None:
    ended = run(tmp_path, act, "--count", "20")
    assert ended.returncode == 1
    assert said in ended.stdout
    names = kept(tmp_path)
    assert f"{len(names)} findings" in ended.stdout
    assert len(names) == 20 or f"{20 - len(names)}  fine" in ended.stdout
    assert 0 < len(names) < 20
    number = names[0].removeprefix("found-")
    (first,) = tmp_path.glob(f"fuzz-*/{names[0]}/broken")
    content = first.read_text()
    again = tmp_path / "again"
    again.mkdir()
    assert run(again, act, "--case", number).returncode == 1
    (second,) = again.glob("fuzz-*/found-*/broken")
    assert second.read_text() == content


@pytest.mark.parametrize(("act", "said"), [("memory", "MiB"), ("time", "s")])
def test_what_takes_too_much_is_a_finding(act: str, said: str, tmp_path: Path) -> None:
    ended = run(tmp_path, act, "--case", "0")
    assert ended.returncode == 1
    assert "BrokenPromiseError: it took" in ended.stdout
    assert said in ended.stdout


def test_a_worker_that_can_not_start_ends_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    text = SCRIPT % (str(SCRIPTS), "pass")
    script.write_text(text.replace('== "whole"', '== "other"'))
    command = [sys.executable, script, "--count", "3"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "AssertionError" in ended.stderr


@pytest.mark.parametrize(
    "name", ["fuzz_model_file", "fuzz_tables", "fuzz_images", "fuzz_text"]
)
def test_some_broken_files(name: str) -> None:
    """A few of what runs for longer by hand and in .ci/run."""
    command = [sys.executable, SCRIPTS / f"{name}.py", "--count", "40", "--seed", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "40  cases" in ended.stdout


BROKEN = """
import sys
sys.path.insert(0, %r)
import fuzz_tables, written_moments, written_numbers, written_tables, written_words
import polars as pl
from thalweg.tables.infer import texts
from thalweg.tables.forms import numbers
from thalweg.tables.recognize import moments
from thalweg.exports import runtime
%s

if __name__ == "__main__":
    fuzz_tables.main()
"""
BREAKS = {
    "numbers.styled": "numbers.NEGATIVE = pl.lit(False)",
    "numbers.whole_beyond": "numbers.EXACT = 2**99",
    "moments.numeric": "moments._refuse_either = lambda *_: None",
    "moments.of_mail": "runtime.offset_of = lambda zone: runtime.datetime.timedelta()",
    "words.words_that_are_classes": "texts.LARGE_SHARE = 2",
}


def fuzz_written(folder: Path, count: int, change: str) -> tuple[int, str]:
    """What comes of tables whose meaning is known, where something is changed."""
    script = folder / "script.py"
    script.write_text(BROKEN % (str(SCRIPTS), change))
    command = [sys.executable, script, f"--tables={count}", "--seed=1"]
    environment = {**os.environ, "TMPDIR": str(folder)}
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_some_tables_whose_meaning_is_known(tmp_path: Path) -> None:
    """A few of those in docs/reliability.md."""
    status, said = fuzz_written(tmp_path, 100, "")
    assert status == 0, said
    assert "100  cases" in said


@pytest.mark.parametrize("kind", BREAKS)
def test_a_reader_that_reads_wrongly_is_found(kind: str, tmp_path: Path) -> None:
    change = f"written_tables.KINDS = (written_{kind},)\n{BREAKS[kind]}"
    status, said = fuzz_written(tmp_path, 15, change)
    assert status == 1
    assert re.search("but means|taken for|is None, but", said), said
    assert "--tables 1 --seed 1 --case" in said
