"""Files appear whole or not at all, whatever fails and whenever the process dies."""

import errno
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import thalweg.errors
from thalweg.errors import FileError
from thalweg.files import atomic
from thalweg.files.atomic import open_atomically, write_atomically

OLD, NEW = b"old" * 1000, b"new" * 2000
SYSCALLS = (
    *("open", "fstat", "lstat", "listdir", "stat", "write", "fchmod", "fsync"),
    *("replace", "close"),
)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "model.thalweg"
    path.write_bytes(OLD)
    return path


def neighbors(path: Path) -> list[str]:
    return sorted(name.name for name in path.parent.iterdir() if name != path)


@contextmanager
def umask(mask: int) -> Generator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def failing_at(
    function: Callable[..., Any], call: int, error: OSError
) -> tuple[Callable[..., Any], list[int]]:
    """The function, made to fail at one call; and a list that grows with each."""
    calls: list[int] = []

    def wrapped(*arguments: Any, **keywords: Any) -> Any:
        calls.append(len(calls))
        if len(calls) == call:
            raise error
        return function(*arguments, **keywords)

    return wrapped, calls


def failure_of(action: Callable[[], None]) -> FileError | None:
    try:
        action()
    except FileError as error:
        return error
    return None


def run_child(program: str, *arguments: str, check: bool = True) -> int:
    source = str(Path(thalweg.errors.__file__).parents[1])
    command = [sys.executable, "-c", program, *arguments]
    environment = os.environ | {"PYTHONPATH": source}
    return subprocess.run(command, env=environment, check=check).returncode


def test_the_chunks_become_the_content(target: Path) -> None:
    write_atomically(target, b"a", memoryview(b"bc"), b"", b"d")
    assert target.read_bytes() == b"abcd"
    assert neighbors(target) == []


def test_no_chunks_make_an_empty_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "empty")
    assert (tmp_path / "empty").read_bytes() == b""


def test_a_bare_name_is_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomically("here", NEW)
    assert (tmp_path / "here").read_bytes() == NEW


def test_a_name_as_long_as_the_system_allows_can_be_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("n" * 255), NEW)
    assert (tmp_path / ("n" * 255)).read_bytes() == NEW


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002, 0o000])
def test_a_new_file_has_the_umasks_mode(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        write_atomically(tmp_path / "file", NEW)
    assert (tmp_path / "file").stat().st_mode & 0o7777 == 0o666 & ~mask


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o666, 0o444, 0o755])
def test_a_file_that_is_replaced_keeps_its_mode(
    target: Path, mode: int, mask: int
) -> None:
    target.chmod(mode)
    with umask(mask):
        write_atomically(target, NEW)
    assert target.read_bytes() == NEW
    assert target.stat().st_mode & 0o7777 == mode


def test_what_replaces_a_private_file_is_private_from_its_first_byte(
    target: Path,
) -> None:
    target.chmod(0o600)
    with umask(0), open_atomically(target) as file:
        file.write(NEW)
        file.flush()
        (temporary,) = neighbors(target)
        assert (target.parent / temporary).stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_is_replaced_keeps_its_owner(target: Path) -> None:
    os.chown(target, 12345, 54321)
    target.chmod(0o640)
    write_atomically(target, NEW)
    found = target.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (12345, 54321, 0o640)


def test_an_owner_that_cannot_be_kept_is_no_failure(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat, given = os.stat, []

    def another_owner(path: Any, **options: Any) -> os.stat_result:
        values = list(stat(path, **options))
        return os.stat_result([*values[:4], values[4] + 1, *values[5:]])

    def refuse(*arguments: int) -> None:
        given.append(arguments)
        raise PermissionError(errno.EPERM, "not permitted")

    monkeypatch.setattr(os, "stat", another_owner)
    monkeypatch.setattr(os, "fchown", refuse)
    write_atomically(target, NEW)
    assert len(given) == 1
    assert target.read_bytes() == NEW


def test_a_symbolic_link_stays_and_its_target_is_replaced(target: Path) -> None:
    folder = target.parent / "elsewhere"
    folder.mkdir()
    link = folder / "link"
    link.symlink_to(target)
    write_atomically(link, NEW)
    assert link.is_symlink()
    assert target.read_bytes() == NEW
    assert neighbors(link) == []


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("syscall", SYSCALLS)
def test_any_failing_call_leaves_the_old_or_the_new_file(
    target: Path, monkeypatch: pytest.MonkeyPatch, syscall: str, code: int
) -> None:
    """Each call of each kind fails once; only what follows the rename may fail late."""
    original, call = getattr(os, syscall), 0
    for call in range(1, 100):
        target.write_bytes(OLD)
        error = OSError(code, os.strerror(code))
        wrapped, calls = failing_at(original, call, error)
        with monkeypatch.context() as patch:
            patch.setattr(os, syscall, wrapped)
            failure = failure_of(lambda: write_atomically(target, NEW[:9], NEW[9:]))
        if len(calls) < call:
            break
        if failure:
            assert str(failure) == f"{target}: can't be written: {os.strerror(code)}"
            assert failure.__cause__ is error
        content = target.read_bytes()
        assert content in (OLD, NEW)
        if syscall == "write" or (syscall, call) == ("fsync", 1):
            assert content == OLD
    assert call > 1, f"{syscall} was never called"
    write_atomically(target, NEW)
    assert target.read_bytes() == NEW
    if syscall not in ("close", "fstat"):  # a file that can't be closed keeps its lock
        assert neighbors(target) == []


@pytest.mark.parametrize("syscall", ["write", "fsync", "replace"])
def test_a_failure_leaves_no_temporary_file_and_no_open_file(
    target: Path, monkeypatch: pytest.MonkeyPatch, syscall: str
) -> None:
    before = len(os.listdir("/dev/fd"))
    wrapped, _ = failing_at(getattr(os, syscall), 1, OSError(errno.EIO, "broken"))
    with monkeypatch.context() as patch:
        patch.setattr(os, syscall, wrapped)
        with pytest.raises(FileError, match="broken"):
            write_atomically(target, NEW)
    assert target.read_bytes() == OLD
    assert neighbors(target) == []
    assert len(os.listdir("/dev/fd")) == before


def test_the_data_and_then_the_folder_are_forced_to_the_disk(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(fd: int) -> None:
        is_folder = os.path.samestat(os.fstat(fd), os.stat(target.parent))
        events.append("folder" if is_folder else "file")
        fsync(fd)

    def record_replace(source: str, destination: str) -> None:
        assert Path(source).read_bytes() == NEW
        events.append("rename")
        replace(source, destination)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    write_atomically(target, NEW)
    assert events == ["file", "rename", "folder"]


def test_a_folder_that_cannot_be_forced_to_the_disk_at_all_is_no_failure(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapped, calls = failing_at(os.fsync, 2, OSError(errno.EINVAL, "not for folders"))
    monkeypatch.setattr(os, "fsync", wrapped)
    write_atomically(target, NEW)
    assert len(calls) == 2
    assert target.read_bytes() == NEW


def test_short_writes_are_continued(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    write_atomically(target, NEW, OLD)
    assert target.read_bytes() == NEW + OLD


def test_a_full_disk_after_a_short_write_keeps_the_old_file(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    wrapped, _ = failing_at(
        lambda fd, data: write(fd, data[:7]), 3, OSError(errno.ENOSPC, "disk full")
    )
    monkeypatch.setattr(os, "write", wrapped)
    with pytest.raises(FileError, match="disk full"):
        write_atomically(target, NEW)
    assert target.read_bytes() == OLD
    assert neighbors(target) == []


def test_a_limit_that_the_system_itself_enforces_keeps_the_old_file(
    target: Path,
) -> None:
    program = """
import resource, sys
from thalweg.errors import FileError
from thalweg.files.atomic import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_atomically(sys.argv[1], bytes(10_000))
except FileError as error:
    sys.exit(7 if "too large" in str(error) else 8)
"""
    assert run_child(program, str(target), check=False) == 7
    assert target.read_bytes() == OLD
    assert neighbors(target) == []


def test_an_interrupt_removes_the_temporary_file(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(fd: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, NEW)
    assert target.read_bytes() == OLD
    assert neighbors(target) == []


KILLED_AT_EACH_CALL = f"""
import os, signal, sys
from pathlib import Path
from thalweg.files.atomic import write_atomically
target, old, new = Path(sys.argv[1]), {OLD!r}, {NEW!r}

def killing(function):
    def wrapped(*arguments, **keywords):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **keywords)
    return wrapped

seen, orphans = set(), 0
for call in range(1, 100):
    target.write_bytes(old)
    if not (child := os.fork()):
        left = call
        for name in {SYSCALLS!r}:
            setattr(os, name, killing(getattr(os, name)))
        write_atomically(target, new[:99], new[99:])
        os._exit(0)
    finished = os.waitpid(child, 0)[1] == 0
    content = target.read_bytes()
    assert content in (old, new), (call, content)
    seen.add(content)
    found = len(list(target.parent.iterdir())) - 1
    assert found <= 1, "the orphan before it was not swept"
    orphans += found
    if finished:
        break
assert seen == {{old, new}}
assert orphans >= 3, orphans
assert list(target.parent.iterdir()) == [target]
"""


def test_death_at_any_call_leaves_old_or_new_and_the_next_save_sweeps(
    target: Path,
) -> None:
    run_child(KILLED_AT_EACH_CALL, str(target))


KILLED_AT_RANDOM = """
import sys
from thalweg.files.atomic import write_atomically
version = 0
print("ready", flush=True)
while True:
    version = (version + 1) % 256
    write_atomically(sys.argv[1], bytes([version]) * 100_000, bytes([version]) * 7)
"""


def test_death_at_any_moment_leaves_a_whole_file(target: Path) -> None:
    source = str(Path(thalweg.errors.__file__).parents[1])
    choose = random.Random(3)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED_AT_RANDOM, str(target)],
            env=os.environ | {"PYTHONPATH": source},
            stdout=subprocess.PIPE,
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(choose.uniform(0.01, 0.05))
            child.kill()
        content = target.read_bytes()
        assert content == OLD or content == content[:1] * 100_007
    write_atomically(target, NEW)
    assert neighbors(target) == []


SAVING = """
import os, sys, time
from thalweg.files.atomic import open_atomically
with open_atomically(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_a_save_leaves_nothing(
    target: Path, number: signal.Signals
) -> None:
    with saving(target) as child:
        assert len(neighbors(target)) == 1
        child.send_signal(number)
    assert child.returncode == -number
    assert target.read_bytes() == OLD
    assert neighbors(target) == []


@contextmanager
def saving(target: Path, before: str = "") -> Generator[subprocess.Popen[bytes]]:
    """A process in the middle of a save."""
    source = str(Path(thalweg.errors.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", before + SAVING, str(target)],
        env=os.environ | {"PYTHONPATH": source},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child


def test_a_signal_that_is_ignored_stays_so(target: Path) -> None:
    """As nohup asks for."""
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    with saving(target, ignoring) as child:
        child.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.3)
        child.kill()
    assert child.returncode == -signal.SIGKILL


def test_handlers_are_what_they_were(target: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    write_atomically(target, NEW)
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_that_is_ended_leaves_its_parents_temporary_file(target: Path) -> None:
    program = """
import os, signal, sys
from thalweg.files.atomic import open_atomically
with open_atomically(sys.argv[1]) as file:
    if not (child := os.fork()):
        os.kill(os.getpid(), signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
    file.write(b"whole")
"""
    run_child(program, str(target))
    assert target.read_bytes() == b"whole"


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


ODD: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "a socket": make_socket,
    "a link to a file": lambda path: path.symlink_to("model.thalweg"),
    "a link to a pipe": lambda path: (
        os.mkfifo(path.with_name("pipe")),
        path.symlink_to("pipe"),
    ),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link to a terminal": lambda path: path.symlink_to("/dev/tty"),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_file_of_ours_is_neither_opened_nor_swept(
    target: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A pipe would be waited for until somebody reads it."""
    monkeypatch.chdir(target.parent)
    prefix = atomic._temporary_prefix(target.name)
    ODD[kind](target.parent / f"{prefix}0.tmp")
    before = neighbors(target)
    run_child(
        "import signal, sys; signal.alarm(20)\n"
        "from thalweg.files.atomic import write_atomically\n"
        "write_atomically(sys.argv[1], b'new')",
        str(target),
    )
    assert target.read_bytes() == b"new"
    assert neighbors(target) == before


@pytest.mark.parametrize("name", ["", "0", "0.tmp.bak", "x.tmp", "0.tm"])
def test_a_name_that_only_starts_like_a_temporary_one_is_left_alone(
    target: Path, name: str
) -> None:
    other = target.parent / f"{atomic._temporary_prefix(target.name)}{name}"
    other.touch()
    write_atomically(target, NEW)
    assert neighbors(target) == [other.name]


def test_a_temporary_file_that_is_being_written_is_not_swept(target: Path) -> None:
    prefix = atomic._temporary_prefix(target.name)
    with atomic._temporary_file(str(target.parent / prefix)) as temporary:
        write_atomically(target, NEW)
        assert neighbors(target) == [Path(temporary.path).name]
    write_atomically(target, NEW)
    assert neighbors(target) == []


def test_the_orphans_of_other_files_are_left_alone(target: Path) -> None:
    prefix = atomic._temporary_prefix("other.thalweg")
    orphan = target.parent / f"{prefix}0.tmp"
    orphan.touch()
    write_atomically(target, NEW)
    assert neighbors(target) == [orphan.name]
    write_atomically(target.parent / "other.thalweg", NEW)
    assert neighbors(target) == ["other.thalweg"]


def test_a_temporary_file_swept_before_it_was_locked_is_made_again(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file, swept = os.open, []

    def open_then_sweep(path: str, flags: int, mode: int = 0o777) -> int:
        fd = open_file(path, flags, mode)
        if flags & os.O_EXCL and not swept:
            swept.append(path)
            os.unlink(path)
        return fd

    monkeypatch.setattr(os, "open", open_then_sweep)
    write_atomically(target, NEW)
    assert len(swept) == 1
    assert target.read_bytes() == NEW


def test_savers_of_one_file_do_not_disturb_each_other(target: Path) -> None:
    contents = [bytes([number]) * 5000 for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda content: write_atomically(target, content), contents))
    assert target.read_bytes() in contents
    assert neighbors(target) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"the folder .*nowhere doesn't exist"):
        write_atomically(tmp_path / "nowhere" / "file", NEW)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_replaced(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "thing")
    with pytest.raises(FileError, match="isn't a regular file"):
        write_atomically(tmp_path / "thing", NEW)
    assert not (tmp_path / "thing").is_file()
