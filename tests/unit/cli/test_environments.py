"""Whatever a process is given to work with, a command ends with a sentence.

No status says that thalweg made a mistake where a stream is closed, full or of another
encoding, where nobody reads, or where the system allows little.
"""

import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import polars as pl
import pytest

import thalweg as tw
from thalweg.cli.failures import described
from thalweg.tables.system import of_the_system, require_no_limit

QUICK = ("--epochs", "1", "--layers", "2")
TRAIN = ("train", "t.csv", "-t", "y", *QUICK, "-o", "new.thalweg")
PRINTING = [
    ("--help",),
    ("--version",),
    ("figures", "--list"),
    ("inspect", "t.csv", "-t", "y"),
    ("inspect", "t.csv", "-t", "y", "--json"),
    ("predict", "m.thalweg", "t.csv"),
    ("evaluate", "m.thalweg", "t.csv"),
    ("explain", "m.thalweg", "--program"),
    (*TRAIN, "--report", "train.html"),
    ("learning-rate", "t.csv", "-t", "y"),
    ("tune", "t.csv", "-t", "y", *QUICK, "--budget", "1s", "--trials", "1"),
]
WRITING = [
    ("predict", "m.thalweg", "t.csv", "-o", "p.csv"),
    ("predict", "m.thalweg", "t.csv", "-o", "p.parquet"),
    ("export", "m.thalweg", "--to", "python", "-o", "m.py"),
    ("export", "m.thalweg", "--to", "onnx", "-o", "m.onnx"),
    ("report", "m.thalweg", "--data", "t.csv", "-o", "r.html"),
    (*TRAIN, "--json", "--log", "log.jsonl"),
]
CAPBSET_DROP, SYS_ADMIN, SYS_RESOURCE = 24, 21, 24  # of <linux/prctl.h> and others
WRONG = [("train", "t.csv", "--né"), ("predict", "→.thalweg", "t.csv")]
DRIVER = """
import json, sys
from thalweg.cli import run
from thalweg.cli.streams import prepare
statuses = []
for arguments in json.loads(sys.argv[1]):
    prepare()
    statuses.append(run(arguments))
with open(sys.argv[2], "w") as file:
    json.dump(statuses, file)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose labels ASCII lacks, and a model of it."""
    path = tmp_path_factory.mktemp("environments")
    rows = [f"{n % 7},{'ab'[n % 2]},{'→é'[n % 2]}" for n in range(60)]
    (path / "t.csv").write_text("\n".join(["x,c,y", *rows]) + "\n", encoding="utf-8")
    tw.train(path / "t.csv", "y", epochs=1, layers=(2,)).model.save(path / "m.thalweg")
    return path


def ended(
    folder: Path,
    commands: Sequence[tuple[str, ...]],
    redirect: str = "",
    limit: Callable[[], None] | None = None,
    environment: dict[str, str] | None = None,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> tuple[list[int], str]:
    """The statuses of commands in one process, and what standard error got."""
    python = [sys.executable, "-c", DRIVER, json.dumps(commands), "statuses.json"]
    shell = ["sh", "-c", f'exec "$@" {redirect}', "sh", *python]
    done = subprocess.run(
        shell,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        preexec_fn=limit,
        stdout=stdout,
        stderr=stderr,
    )
    said = (done.stderr or b"").decode(errors="backslashreplace")
    assert done.returncode == 0, said
    assert "Traceback" not in said
    assert "made a mistake" not in said
    return json.loads((folder / "statuses.json").read_text()), said


@pytest.mark.parametrize("redirect", [">&-", "> /dev/full"])
def test_output_that_cannot_be_written_is_an_error(folder: Path, redirect: str) -> None:
    if "full" in redirect and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    statuses, said = ended(folder, [*PRINTING, *WRITING[:5]], redirect)
    assert statuses == [1] * len(PRINTING) + [0] * 5, said
    assert said.count("error: standard output can't be written") == len(PRINTING)


def test_nobody_reads(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    statuses, _ = ended(folder, PRINTING, stdout=writer)
    assert statuses == [141] * len(PRINTING)
    # What went wrong can't be said to anybody, and the status says it still.
    statuses, _ = ended(folder, [*WRITING, *WRONG], stdout=writer, stderr=writer)
    os.close(writer)
    assert statuses == [0] * 5 + [141, 2, 1]


@pytest.mark.parametrize("redirect", ["2>&-", "2> /dev/full"])
def test_nobody_is_told(folder: Path, redirect: str) -> None:
    if "full" in redirect and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    statuses, _ = ended(folder, [*WRITING, *WRONG], redirect)
    assert statuses == [0] * len(WRITING) + [2, 1]


def test_closed_input_is_an_error(folder: Path) -> None:
    statuses, said = ended(folder, [("predict", "m.thalweg", "-")], "<&-")
    assert (statuses, said.count("standard input")) == ([1], 1)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_output_of_another_encoding(folder: Path, encoding: str) -> None:
    (folder / "out").unlink(missing_ok=True)
    with open(folder / "out", "wb") as out:
        statuses, said = ended(
            folder,
            [*PRINTING, *WRITING, *WRONG],
            environment={"PYTHONIOENCODING": encoding},
            stdout=out,
        )
    assert statuses == [0] * len(PRINTING + WRITING) + [2, 1], said
    shown = (folder / "out").read_bytes()
    (inspected,) = (line for line in shown.splitlines() if b'"columns"' in line)
    assert json.loads(inspected.decode(encoding))["target"]["name"] == "y"
    assert ("(rows, 3) → (rows, 2)".encode(encoding, "backslashreplace")) in shown
    assert "→,".encode() in shown  # predictions are always UTF-8


def test_files_that_may_not_grow(folder: Path) -> None:
    size = resource.RLIMIT_FSIZE, (400, 400)
    statuses, said = ended(folder, WRITING, limit=lambda: resource.setrlimit(*size))
    assert statuses == [0 if "p.csv" not in said else 1, *[1] * 5], said
    assert said.count("can't be written") == sum(statuses)


def ended_alone(
    folder: Path, command: tuple[str, ...], limit: Callable[[], None]
) -> tuple[int, str]:
    """The status of a command by itself, and what standard error got."""
    python = [sys.executable, "-m", "thalweg", *command]
    done = subprocess.run(
        python, cwd=folder, preexec_fn=limit, capture_output=True, text=True
    )
    assert "Traceback (most" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("count", [5])  # with 4 Python itself may not start
def test_few_open_files(folder: Path, count: int) -> None:
    limit = resource.RLIMIT_NOFILE, (count, count)
    command = ("inspect", "t.csv", "-t", "y")
    status, said = ended_alone(folder, command, lambda: resource.setrlimit(*limit))
    assert status == 0 or (status == 1 and "error: " in said), said


def as_another(count: int) -> None:
    """Let so many processes be, of a user who has no other but root's rights to files.

    The system doesn't hold root to that limit, nor who may change limits.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (SYS_ADMIN, SYS_RESOURCE):
        if libc.prctl(CAPBSET_DROP, capability, 0, 0, 0):
            raise PermissionError(ctypes.get_errno(), "prctl")
    os.setresuid(54321, 0, 0)
    resource.setrlimit(resource.RLIMIT_NPROC, (count, count))


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's capabilities")
@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become another user")
@pytest.mark.parametrize(
    ("count", "command"), [(2, PRINTING[5]), (5, TRAIN), (10, PRINTING[5])]
)
def test_few_processes(folder: Path, count: int, command: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as place:  # one's own, unlike pytest's folders
        shutil.copytree(folder, place, dirs_exist_ok=True, copy_function=shutil.copy)
        os.chmod(place, 0o777)
        try:
            status, said = ended_alone(Path(place), command, lambda: as_another(count))
        except subprocess.SubprocessError:
            pytest.skip("root may not become another user here")
    assert status == 0 or (status == 1 and "error: " in said), said


@pytest.mark.parametrize(
    "words",
    [
        "OS can't spawn worker thread: Resource temporarily unavailable (os error 11)",
        'failed to spawn polars-ooc cleaner thread: Os { code: 11, kind: WouldBlock, "',
        "can't start new thread",
        "parquet: x: Too many open files (os error 24)",
    ],
)
def test_what_the_system_refuses_is_no_fault_of_a_file(words: str) -> None:
    error = pl.exceptions.PanicException(words)
    with pytest.raises(OSError, match=r"no more threads|Too many open files"):
        require_no_limit(error)
    message, status = described(error)
    assert status == 1
    assert "mistake" not in message


def test_what_polars_says_of_the_system() -> None:
    found = of_the_system(RuntimeError("parquet: underlying: x (os error 28)"))
    assert isinstance(found, OSError)
    assert found.errno == 28
    other = RuntimeError("another")
    assert of_the_system(other) is other


@pytest.mark.parametrize("variable", ["THALWEG_THREADS", "THALWEG_ISA"])
def test_a_variable_that_means_nothing(folder: Path, variable: str) -> None:
    commands = [("predict", "m.thalweg", "t.csv"), TRAIN]
    statuses, said = ended(folder, commands, environment={variable: "9" * 400})
    assert statuses == [2, 2]
    assert said.count(f"error: {variable}") == 2
