"""thalweg without what Windows lacks, in a process that only pretends to be there.

The engine, the libraries and the locks of Windows itself aren't tried by this.
"""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from thalweg.errors import DataError
from thalweg.tables import parquet

ROOT = Path(__file__).parents[2]

RUNNER = """
import contextlib, io, json, os, sys, traceback
from support import as_on_windows
modules = as_on_windows.pretend()
said = {}
for name, program in json.load(sys.stdin).items():
    os.mkdir(name)
    with contextlib.chdir(name), contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            exec(program, {"modules": modules})
        except BaseException:
            traceback.print_exc(file=out)
    said[name] = out.getvalue()
json.dump(said, sys.stdout)
"""

START = """
import io, os, sys, threading
from pathlib import Path
import numpy as np
import polars as pl
import thalweg as tw
from thalweg.checkpoints.store import opened
from thalweg.files.atomic import open_atomically, write_atomically
from thalweg.tables.source import file_of
X = np.random.default_rng(0).normal(size=(64, 3))
y = X[:, :1]
def network():
    return tw.Network([tw.Dense(4, "tanh"), tw.Dense(1)])
"""

PROGRAMS = {
    "modules": """
print(len(modules), sys.modules["fcntl"], hasattr(os, "fork"))
""",
    "network": """
trained = network()
trained.fit(X, y, epochs=3)
for _ in range(2):
    trained.save("net.thalweg")
print((tw.load("net.thalweg").predict(X) == trained.predict(X)).all(), os.listdir())
""",
    "resumed": """
def stop(record):
    if record.epoch == 2:
        raise KeyboardInterrupt
whole, stopped = network(), network()
whole.fit(X, y, epochs=5)
stopped.fit(X, y, epochs=5, checkpoint=tw.Checkpoint("run"), callback=stop)
resumed = tw.resume("run", X, y)
print(resumed.history.stopped_epoch, (resumed.predict(X) == whole.predict(X)).all())
print(sorted(os.listdir("run")))
""",
    "held": """
with opened("run", create=True):
    try:
        opened("run").__enter__()
    except tw.errors.FileError as error:
        print(error)
with opened("run"):
    print("free")
""",
    "read": """
Path("a").write_bytes(b"old")
reader = open("a", "rb")
threading.Timer(0.05, reader.close).start()
write_atomically("a", b"new\\n")
print(Path("a").read_bytes(), os.listdir())
with open("a", "rb"):
    try:
        write_atomically("a", b"newer")
    except tw.errors.FileError as error:
        print(error)
print(Path("a").read_bytes(), os.listdir())
""",
    "swept": """
with open_atomically("a") as file:
    write_atomically("a", b"other")
    file.write(b"whole")
with contextlib.suppress(ZeroDivisionError), open_atomically("a"):
    1 / 0
print(Path("a").read_bytes(), os.listdir())
""",
    "pipe": """
content = bytes(range(256)) * 9999
sys.stdin = io.TextIOWrapper(io.BytesIO(content))
file = file_of("-")
parts = zip(file.chunks(1000), file.chunks(1000), strict=True)
print(b"".join(one for one, other in parts if one == other) == content)
""",
    "table": """
rows = "".join(f"{n},{n % 7},{'ab'[n % 7 > 3]}\\n" for n in range(200))
Path("rows.csv").write_text("n,m,kind\\n" + rows)
trained = tw.train("rows.csv", "kind", epochs=2)
trained.model.save("rows.thalweg")
print(tw.load("rows.thalweg").predict(pl.read_csv("rows.csv")).height)
""",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each program prints there."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    programs = {k: "import contextlib" + START + v for k, v in PROGRAMS.items()}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(programs).encode(),
        cwd=tmp_path_factory.mktemp("windows"),
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_every_module_is_imported(said: dict[str, str]) -> None:
    count, *lacking = said["modules"].split()
    assert lacking == ["None", "False"]
    assert int(count) > len(list((ROOT / "src/thalweg").glob("*/*.py")))


def test_a_network_is_trained_saved_and_loaded(said: dict[str, str]) -> None:
    assert said["network"] == "True ['net.thalweg']\n"


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(said: dict[str, str]) -> None:
    files = ["latest.json", "lock", "step-10.thalweg", "step-8.thalweg"]
    assert said["resumed"] == f"5 True\n{files}\n"


def test_a_folder_of_checkpoints_has_one_writer(said: dict[str, str]) -> None:
    assert said["held"] == "run: another run writes its checkpoints there\nfree\n"


def test_a_file_that_is_read_is_replaced_once_it_is_closed(
    said: dict[str, str],
) -> None:
    assert said["read"].splitlines() == [
        r"b'new\n' ['a']",
        "a: can't be written: Access is denied",
        r"b'new\n' ['a']",
    ]


def test_what_is_written_stays_and_what_failed_goes(said: dict[str, str]) -> None:
    assert said["swept"] == "b'whole' ['a']\n"


def test_a_pipe_is_read_from_several_places(said: dict[str, str]) -> None:
    assert said["pipe"] == "True\n"


def test_a_table_is_learned_from(said: dict[str, str]) -> None:
    assert said["table"] == "200\n"


@pytest.mark.parametrize("status", [-6, 0xC0000409])
def test_a_process_that_crashes_says_that_the_file_is_damaged(status: int) -> None:
    said = io.BytesIO(b"memory allocation of 8 bytes failed")
    with pytest.raises(DataError, match=r"whole one \(memory allocation of 8 bytes"):
        parquet._explain("a.parquet", status, said)
