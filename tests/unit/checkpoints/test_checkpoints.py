"""The folder of checkpoints: what counts is whole, whatever fails and whoever dies."""

import errno
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.checkpoints.store import POINTER, Store, opened
from thalweg.errors import ArgumentError, FileError, ModelFileError
from thalweg.files.modelfile import write_model

OPERATIONS = ("open", "fstat", "listdir", "write", "fsync", "replace", "unlink")


def content(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    document = {"kind": "checkpoint", "number": number}
    return {"x": np.full(1000, number, np.float32)}, document


def write(store: Store, number: int, keep: int = 2, first: bool = False) -> Path:
    return store.write(number, *content(number), keep, first)


def taken_up(folder: Path) -> Store:
    """The folder as the next process of the same run has it."""
    store = Store(folder)
    _, document, path = store.newest()
    store.go_on(document, path)
    return store


def newest(folder: Path) -> int:
    """The number in the newest checkpoint, which must be whole."""
    tensors, document, _ = Store(folder).newest()
    assert (tensors["x"] == document["number"]).all()
    return document["number"]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """With two checkpoints that count."""
    found = Store(tmp_path)
    write(found, 1, first=True)
    write(found, 2)
    return found


def test_the_newest_count_and_older_ones_go(store: Store) -> None:
    assert newest(store.folder) == 2
    write(store, 3)
    assert newest(store.folder) == 3
    assert files(store.folder) == [POINTER, "step-2.thalweg", "step-3.thalweg"]
    for number in (4, 5, 6):
        write(store, number, keep=4)
    assert files(store.folder)[1:] == [f"step-{n}.thalweg" for n in (3, 4, 5, 6)]


def test_a_file_that_is_there_is_never_written_again(store: Store) -> None:
    """Two moments of a run can have as many steps: before and after validation."""
    before = (store.folder / "step-2.thalweg").read_bytes()
    assert write(store, 2).name == "step-2-2.thalweg"
    assert (store.folder / "step-2.thalweg").read_bytes() == before
    assert write(store, 2).name == "step-2-3.thalweg"
    assert files(store.folder) == [POINTER, "step-2-2.thalweg", "step-2-3.thalweg"]


@pytest.mark.parametrize("keep", [2, 3])
def test_another_run_leaves_the_files_of_the_first(store: Store, keep: int) -> None:
    other = Store(store.folder)
    write(other, 1, keep, first=True)
    assert newest(store.folder) == 1
    write(other, 2, keep)
    write(other, 3, keep)
    write(taken_up(store.folder), 4, keep)
    assert files(store.folder) == [
        POINTER,
        *("step-1.thalweg", *(["step-2-2.thalweg"] if keep == 3 else [])),
        *("step-2.thalweg", "step-3.thalweg", "step-4.thalweg"),
    ]


def left_behind(folder: Path, number: int) -> Path:
    """What a process leaves that is killed before its file counts."""
    pointer = (folder / POINTER).read_bytes()
    path = write(taken_up(folder), number, keep=9)
    (folder / POINTER).write_bytes(pointer)
    return path


def test_what_killed_processes_left_is_swept_and_nothing_else(store: Store) -> None:
    left = left_behind(store.folder, 9)
    temporary = store.folder / ".thalweg-0123456789abcdef-00.tmp"
    copies = ["step-10.thalweg", "step-9-7.thalweg"]  # of the run's own file
    others = ["notes.txt", "step-9.txt", "model.thalweg", "step-x.thalweg"]
    for name in copies:
        shutil.copy(left, store.folder / name)
    for name in (*others, "step-8.thalweg", temporary.name):
        (store.folder / name).touch()
    (store.folder / "step-7.thalweg").mkdir()
    (store.folder / "step-6.thalweg").symlink_to("nowhere")
    taken_up(store.folder).sweep()
    kept = [f"step-{n}.thalweg" for n in (1, 2, 6, 7, 8)]
    assert files(store.folder) == sorted([POINTER, *kept, *copies, *others])


def test_a_name_that_is_taken_is_left_alone(store: Store) -> None:
    """By a link that leads nowhere, too: nothing is written where it leads."""
    (store.folder / "step-3.thalweg").symlink_to(store.folder / "elsewhere")
    assert write(store, 3).name == "step-3-2.thalweg"
    assert not (store.folder / "elsewhere").exists()


def test_what_failed_to_count_goes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(store.folder)
    wrapped, _ = failing_at(os.replace, 2, errno.ENOSPC)  # that of the pointer
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", wrapped)
        assert "No space" in failure_of(store, 3)
    assert files(store.folder) == before


# The pointer is lost ------------------------------------------------------------------


def test_without_its_pointer_a_folder_is_not_called_empty(store: Store) -> None:
    (store.folder / POINTER).unlink()
    (store.folder / "step-3.thalweg").write_bytes(b"cut")
    with pytest.raises(FileError, match=r"lacks latest.json.*step-1.*step-2.*step-3"):
        store.newest()
    with pytest.raises(FileError, match=r"step-2.thalweg is the newest whole one"):
        store.newest()
    assert len(files(store.folder)) == 3


@pytest.mark.parametrize("pointer", [b"", b"{}", None], ids=["empty", "odd", "a pipe"])
def test_a_pointer_that_leads_nowhere_names_the_newest(
    store: Store, pointer: bytes | None
) -> None:
    (store.folder / POINTER).unlink()
    if pointer is None:
        os.mkfifo(store.folder / POINTER)
    else:
        (store.folder / POINTER).write_bytes(pointer)
    with pytest.raises(ModelFileError, match=r"step-2.thalweg is the newest whole one"):
        store.newest()


def test_files_that_are_no_checkpoints_do_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "step-5.thalweg").write_text("mine")
    tw.Network([tw.Dense(1)]).initialize(2).save(tmp_path / "step-7.thalweg")
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    with pytest.raises(FileError, match="holds no checkpoint"):
        Store(tmp_path).newest()
    fit(tmp_path)
    for name, content in before.items():
        assert (tmp_path / name).read_bytes() == content


def stop(record: tw.EpochRecord) -> None:
    if record.epoch == 3:
        raise KeyboardInterrupt


def test_a_run_without_its_pointer_is_refused_offered_and_resumed(
    tmp_path: Path,
) -> None:
    whole = fit(tmp_path / "whole")
    fit(tmp_path / "run", callback=stop)
    (tmp_path / "run" / POINTER).unlink()
    before = files(tmp_path / "run")
    newest = tmp_path / "run" / "step-12.thalweg"
    for attempt in (fit, lambda folder: tw.resume(folder, X, Y)):
        with pytest.raises(FileError) as refused:
            attempt(tmp_path / "run")
        assert f"{newest} is the newest whole one: resume that" in str(refused.value)
    assert files(tmp_path / "run") == before
    resumed = tw.resume(newest, X, Y)
    assert isinstance(resumed, tw.Network)
    for name, array in whole.parameters.items():
        assert np.array_equal(resumed.parameters[name], array)
    assert files(tmp_path / "run") == files(tmp_path / "whole")


def test_of_two_runs_without_a_pointer_the_unfinished_one_is_offered(
    tmp_path: Path,
) -> None:
    fit(tmp_path)
    fit(tmp_path, callback=stop)
    (tmp_path / POINTER).unlink()
    with pytest.raises(FileError, match=r"step-12.thalweg is the newest whole one"):
        fit(tmp_path)
    assert [f"step-{n}.thalweg" for n in (12, 20, 24, 8)] == files(tmp_path)


def test_a_run_of_no_steps_has_nothing_to_lose(tmp_path: Path) -> None:
    """A process that is killed as it begins can be started again."""
    write(Store(tmp_path), 0, first=True)
    (tmp_path / POINTER).unlink()
    fit(tmp_path)
    assert files(tmp_path) == [
        *(POINTER, "step-0.thalweg", "step-20.thalweg", "step-24.thalweg")
    ]


def test_an_older_checkpoint_is_not_gone_on_from(tmp_path: Path) -> None:
    fit(tmp_path, callback=stop)
    before = files(tmp_path)
    with pytest.raises(FileError, match=r"leads to step-12.thalweg: resume"):
        tw.resume(tmp_path / "step-8.thalweg", X, Y)
    assert files(tmp_path) == before
    tw.resume(tmp_path / "step-12.thalweg", X, Y)


def test_only_a_checkpoint_is_gone_on_from(tmp_path: Path) -> None:
    path = tmp_path / "step-7.thalweg"
    tw.Network([tw.Dense(1)]).initialize(2).save(path)
    with pytest.raises(FileError, match=r"step-7.thalweg: the run is damaged"):
        tw.resume(path, X, Y)
    assert files(tmp_path) == [path.name]


def failing_at(
    function: Callable[..., Any], call: int, code: int
) -> tuple[Callable[..., Any], list[int]]:
    """The function, made to fail at one call; and a list that grows with each."""
    calls: list[int] = []

    def wrapped(*arguments: Any, **keywords: Any) -> Any:
        calls.append(len(calls))
        if len(calls) == call:
            raise OSError(code, os.strerror(code))
        return function(*arguments, **keywords)

    return wrapped, calls


def failure_of(store: Store, number: int) -> str:
    """What a write says that fails; empty if it doesn't."""
    try:
        write(store, number)
    except FileError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_any_failing_call_leaves_the_old_or_the_new_checkpoint(
    store: Store, monkeypatch: pytest.MonkeyPatch, operation: str, code: int
) -> None:
    """And the next write finds all in order."""
    original, call, said = getattr(os, operation), 0, set[str]()
    for call in range(1, 100):
        number = newest(store.folder) + 1
        wrapped, calls = failing_at(original, call, code)
        with monkeypatch.context() as patch:
            patch.setattr(os, operation, wrapped)
            failure = failure_of(store, number)
        said.add(failure)
        kept = newest(store.folder)
        assert kept == number or (failure and kept == number - 1)
        if len(calls) < call:
            break
    assert call > 1, f"{operation} was never called"
    failures = said - {""}
    assert failures or operation in ("unlink", "fstat", "listdir")
    assert all(os.strerror(code) in each for each in failures)
    if operation == "fstat":  # a file that can't be looked at keeps its lock
        return
    write(store, 1000)
    write(store, 1001)
    assert files(store.folder) == [POINTER, "step-1000.thalweg", "step-1001.thalweg"]


KILLED_AT_EACH_CALL = f"""
import os, signal, sys
from pathlib import Path
import numpy as np
from thalweg.checkpoints.store import Store
store = Store(Path(sys.argv[1]))
store.go_on(*store.newest()[1:])

def write(number):
    tensors = {{"x": np.full(1000, number, np.float32)}}
    store.write(number, tensors, {{"kind": "checkpoint", "number": number}}, 2, False)

def killing(function):
    def wrapped(*arguments, **keywords):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **keywords)
    return wrapped

left, seen, orphans = 0, set(), 0
for call in range(1, 300):
    number = 10 * call
    write(number)
    if not (child := os.fork()):
        left = call
        for name in {OPERATIONS!r}:
            setattr(os, name, killing(getattr(os, name)))
        write(number + 1)
        os._exit(0)
    finished = os.waitpid(child, 0)[1] == 0
    tensors, document, path = store.newest()
    assert (tensors["x"] == document["number"]).all()
    assert document["number"] in (number, number + 1), (call, document["number"])
    seen.add(document["number"] - number)
    orphans += len(list(store.folder.iterdir())) > 3
    store = Store(store.folder)
    store.go_on(document, path)
    if finished:
        break
assert finished and seen == {{0, 1}}, seen
assert orphans >= 5, orphans
write(number + 2)
assert len(list(store.folder.iterdir())) == 3
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_death_at_any_call_leaves_the_old_or_the_new_checkpoint(store: Store) -> None:
    command = [sys.executable, "-c", KILLED_AT_EACH_CALL, str(store.folder)]
    subprocess.run(command, check=True)


# Damage -------------------------------------------------------------------------------


def flip(path: Path, position: int) -> None:
    damaged = bytearray(path.read_bytes())
    damaged[position] ^= 1
    path.write_bytes(damaged)


@pytest.mark.parametrize("position", [3, 40, 200, -1], ids=str)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    store: Store, position: int
) -> None:
    """Header, document or payload: each is under the pointer's SHA-256."""
    flip(store.folder / "step-2.thalweg", position)
    with pytest.warns(tw.CheckpointWarning, match="step-2.*the one before it is used"):
        assert newest(store.folder) == 1


def test_a_missing_checkpoint_gives_way_to_the_one_before(store: Store) -> None:
    (store.folder / "step-2.thalweg").unlink()
    with pytest.warns(tw.CheckpointWarning, match="no such file"):
        assert newest(store.folder) == 1


def test_when_all_are_damaged_each_is_named(store: Store) -> None:
    for number in (1, 2):
        flip(store.folder / f"step-{number}.thalweg", -1)
    with pytest.raises(ModelFileError, match=r"step-2.*SHA-256.*step-1.*SHA-256"):
        newest(store.folder)


def test_an_altered_number_in_the_document_is_seen(store: Store) -> None:
    """A seed, say: the payload's own SHA-256 wouldn't see it."""
    path = store.folder / "step-2.thalweg"
    altered = path.read_bytes().replace(b'number\\":2', b'number\\":3')
    assert altered != path.read_bytes()
    path.write_bytes(altered)
    with pytest.warns(tw.CheckpointWarning, match="its header was altered"):
        assert newest(store.folder) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda data: None,
        lambda data: [],
        lambda data: {"format": 2, "checkpoints": []},
        lambda data: {"checkpoints": []},
        lambda data: {**data, "checkpoints": "none"},
        lambda data: {**data, "checkpoints": [{"file": "../x", "header_sha256": ""}]},
        lambda data: {**data, "checkpoints": [{"file": "step-1.thalweg"}]},
        lambda data: {**data, "checkpoints": [{**data["checkpoints"][0], "file": 3}]},
        lambda data: {
            **data,
            "checkpoints": [{**data["checkpoints"][0], "file": "../step-1.thalweg"}],
        },
    ],
)
def test_a_damaged_pointer_is_refused_and_nothing_is_swept(
    store: Store, change: Callable[[Any], Any]
) -> None:
    pointer = store.folder / POINTER
    pointer.write_text(json.dumps(change(json.loads(pointer.read_text()))))
    before = files(store.folder)
    with pytest.raises(ModelFileError, match="must name checkpoints"):
        store.newest()
    with pytest.raises(ModelFileError):
        write(store, 3)
    assert files(store.folder) == before


@pytest.mark.parametrize("content", [b"", b"\xff", b"{", b"[" * 60_000, b" " * 70_000])
def test_a_pointer_that_is_no_json_is_refused(store: Store, content: bytes) -> None:
    (store.folder / POINTER).write_bytes(content)
    with pytest.raises(ModelFileError, match="damaged"):
        store.entries()


def test_a_folder_without_checkpoints_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="holds no checkpoint"):
        Store(tmp_path).newest()


# One process at a time ----------------------------------------------------------------


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "run", create=True) as store:
        with (
            pytest.raises(FileError, match="another run writes its checkpoints there"),
            opened(tmp_path / "new" / "run"),
        ):
            pass
        write(store, 1)
    with opened(tmp_path / "new" / "run"):
        pass


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(FileError, match=str(folder)), opened(folder, create=True):
            pass
    with (
        pytest.raises(FileError, match="No such file"),
        opened(tmp_path / "nowhere"),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"every_epochs": 0}, "every_epochs must be"),
        ({"every_epochs": 1.5}, "every_epochs must be"),
        ({"every_minutes": 0.0}, "every_minutes must be"),
        ({"every_epochs": None}, "needs every_epochs or every_minutes"),
        ({"keep": 1}, "keep must be"),
    ],
)
def test_what_a_checkpoint_cannot_be(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        tw.Checkpoint("run", **options)


# While a network trains ---------------------------------------------------------------

generator = np.random.default_rng(0)
X, Y = generator.normal(size=(40, 3)), generator.integers(0, 2, 40)


def fit(folder: Path, **options: Any) -> tw.Network:
    network = tw.Network([tw.Dense(4, "tanh"), tw.Dense(2, "softmax")])
    checkpoint = tw.Checkpoint(folder, **options.pop("often", {}))
    settings: dict[str, Any] = {"epochs": 6, "batch_size": 8, "early_stopping": None}
    settings |= options
    network.fit(X, Y, checkpoint=checkpoint, **settings)
    return network


@pytest.mark.parametrize(
    ("often", "steps"),
    [
        ({}, [0, 4, 8, 12, 16, 20, 24]),
        ({"every_epochs": 4}, [0, 16, 24]),
        ({"every_epochs": 100}, [0, 24]),
        ({"every_epochs": None, "every_minutes": 1e9}, [0, 24]),
        ({"every_epochs": None, "every_minutes": 1e-12}, [*range(24), 24, 24]),
    ],
)
def test_when_checkpoints_are_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    often: dict[str, Any],
    steps: list[int],
) -> None:
    """After epochs, by the clock within them, at the start and at the end."""
    found: list[int] = []

    def noting(path: Path, *arguments: Any) -> str:
        found.append(int(path.stem.split("-")[1]))
        return write_model(path, *arguments)

    monkeypatch.setattr("thalweg.checkpoints.store.write_model", noting)
    fit(tmp_path, often=often, engine="interpreter")
    assert sorted(set(found)) == sorted(set(steps))
    assert found == sorted(found)


def test_a_checkpoint_loads_as_the_network_of_that_moment(tmp_path: Path) -> None:
    network = fit(tmp_path, validation=None)
    loaded = tw.load(tmp_path / "step-30.thalweg")
    assert isinstance(loaded, tw.Network)
    assert np.array_equal(loaded.predict(X), network.predict(X))


def test_a_run_that_can_go_on_is_not_written_over(tmp_path: Path) -> None:
    def stop(record: tw.EpochRecord) -> None:
        raise KeyboardInterrupt

    fit(tmp_path, callback=stop)
    before = files(tmp_path)
    with pytest.raises(FileError, match="holds a run that isn't finished: resume it"):
        fit(tmp_path)
    assert files(tmp_path) == before
    tw.resume(tmp_path, X, Y)
    fit(tmp_path)  # now it is


def test_what_prevents_the_first_is_found_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = fit(tmp_path / "one")
    before, history = network.parameters, network.history
    monkeypatch.setattr(os, "fsync", failing(1))
    with pytest.raises(FileError, match="No space left"):
        network.fit(X, Y, checkpoint=tw.Checkpoint(tmp_path / "two"))
    assert network.history is history
    for name, array in network.parameters.items():
        assert np.array_equal(array, before[name])


def failing(first: int) -> Callable[..., Any]:
    """`os.fsync` on a disk that is full from that call on."""
    fsync, calls = os.fsync, 0

    def full(fd: int) -> None:
        nonlocal calls
        calls += 1
        if calls >= first:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(fd)

    return full


def test_a_full_disk_is_a_warning_and_the_last_good_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(tmp_path / "whole")
    with monkeypatch.context() as patch, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        patch.setattr(os, "fsync", failing(13))  # the fourth checkpoint
        network = fit(tmp_path / "run")
    assert {each.category for each in said} == {tw.CheckpointWarning}
    assert len(said) == 4
    assert "No space left" in str(said[0].message)
    assert network.history.stopped_because == "all 6 epochs were done"
    assert files(tmp_path / "run") == [POINTER, "step-4.thalweg", "step-8.thalweg"]
    resumed = tw.resume(tmp_path / "run", X, Y)
    assert isinstance(resumed, tw.Network)
    for name, array in whole.parameters.items():
        assert np.array_equal(network.parameters[name], array)
        assert np.array_equal(resumed.parameters[name], array)
