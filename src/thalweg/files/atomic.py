"""Files that appear whole or not at all: everything that thalweg replaces.

A file is written under another name in the same folder, forced to the disk, and then
renamed over its target. Whoever looks, even after a crash, sees exactly the old file or
exactly the new one.
"""

import errno
import hashlib
import os
import re
import secrets
import signal
import stat
import sys
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import BinaryIO

from thalweg.errors import FileError
from thalweg.files.locks import lock, open_folder
from thalweg.interrupts import ENDING, handling

FilePath = str | os.PathLike[str]
PREFIX = ".thalweg-"  # of temporary files
TEMPORARY = re.compile(r"\.thalweg-[0-9a-f]{16}-[0-9a-f]{1,16}\.tmp")
NEW, PRIVATE = 0o666, 0o600  # modes while a file is written: of a new one, of others

# Some network file systems have no fsync for folders: there the rename is all one gets.
NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP)

BINARY = getattr(os, "O_BINARY", 0)  # Windows would write each line's end as two bytes
NOT_WAITING = getattr(os, "O_NONBLOCK", 0)  # Windows has no pipes among files
PATIENCE = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Seconds after which Windows is asked again to replace a file that somebody reads."""


def write_atomically(path: FilePath, *chunks: bytes | memoryview) -> None:
    """Write the chunks, one after the other, as the whole content of a file.

    A new file gets the mode that the umask gives it; one that is replaced keeps its
    mode, and its owner and group where the system lets them be kept. A symbolic link
    keeps pointing to its target, which is replaced. What a killed process left behind
    while it wrote this same file is removed.

    Args:
        path: the file, new or replaced.
        chunks: bytes or contiguous memoryviews.

    Raises:
        FileError: whatever the operating system refused; the old file is untouched, or
            (when only the last flush of the folder failed) replaced by the new one.

    Example:
        >>> from pathlib import Path
        >>> write_atomically("greeting.txt", b"good ", b"morning")
        >>> Path("greeting.txt").read_text()
        'good morning'

    Source: Pillai and others, "All File Systems Are Not Created Equal: On the
        Complexity of Crafting Crash-Consistent Applications", OSDI 2014.
    """
    try:
        _replace(os.path.realpath(path), chunks)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{os.fspath(path)}: can't be written: {reason}") from error


@contextmanager
def open_atomically(path: FilePath) -> Generator[BinaryIO]:
    """A new file to write into, which takes the place of a file once all is written.

    As `write_atomically` does, for content that isn't in memory as a whole: until the
    block ends there is the old file, and if it ends by an error there always will be.

    Args:
        path: the file, new or replaced.

    Raises:
        FileError: whatever the operating system refused.

    Example:
        >>> with open_atomically("numbers.txt") as file:
        ...     for number in range(3):
        ...         size = file.write(b"%d " % number)
        >>> from pathlib import Path
        >>> Path("numbers.txt").read_text()
        '0 1 2 '
    """
    try:
        with (
            _replacing(os.path.realpath(path)) as fd,
            os.fdopen(fd, "wb", closefd=False) as file,
        ):
            yield file
    except FileError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{os.fspath(path)}: can't be written: {reason}") from error


def _replace(target: str, chunks: Iterable[bytes | memoryview]) -> None:
    with _replacing(target) as fd:
        for chunk in chunks:
            _write_all(fd, memoryview(chunk).cast("B"))


@contextmanager
def _replacing(target: str) -> Generator[int]:
    """A descriptor to write to; what it got becomes the target's content."""
    before = _replaced(target)
    folder, name = os.path.split(target)
    prefix = _temporary_prefix(name)
    mode = NEW if before is None else PRIVATE
    with _forced_to_disk(folder):
        sweep(folder, prefix)
        with _temporary_file(os.path.join(folder, prefix), mode) as temporary:
            yield temporary.fd
            if before is not None:
                _keep_access(temporary.fd, before)
            os.fsync(temporary.fd)
            temporary.take_place_of(target)


def _replaced(target: str) -> os.stat_result | None:
    """The file that is there; a rename would silently replace a device or a pipe."""
    try:
        before = os.stat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(before.st_mode):
        raise OSError(errno.EINVAL, "it exists and isn't a regular file")
    return before


def _keep_access(fd: int, before: os.stat_result) -> None:
    """Who might read and write the file that is replaced still may, and nobody else.

    On Windows the folder says who may.
    """
    if sys.platform == "win32":
        return
    now = os.fstat(fd)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        with suppress(OSError):  # the right to give files away, and file systems' ways
            os.fchown(fd, before.st_uid, before.st_gid)
    mode = before.st_mode & 0o777
    if now.st_mode & 0o777 != mode:
        os.fchmod(fd, mode)


@contextmanager
def _forced_to_disk(folder: str) -> Generator[None]:
    """The folder's entries are, after the block; Windows opens no folder for that."""
    if sys.platform == "win32":
        with _naming_folder(folder):
            os.stat(folder)
        yield
        return
    with _naming_folder(folder):
        fd = open_folder(folder)
    with _descriptor(fd):
        yield
        _sync_folder(fd)


@contextmanager
def _naming_folder(folder: str) -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        reason = f"the folder {folder} doesn't exist"
        raise FileNotFoundError(errno.ENOENT, reason) from error


def _temporary_prefix(name: str) -> str:
    """The digest keeps the name short where the target's own is as long as allowed."""
    return f"{PREFIX}{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}-"


@contextmanager
def _descriptor(fd: int) -> Generator[int]:
    try:
        yield fd
    finally:
        os.close(fd)


class _Temporary:
    """A file under a name of its own, open to be written."""

    def __init__(self, path: str, mode: int) -> None:
        self.path = path
        self.fd = _create_locked(path, mode)
        self._is_open = True

    def close(self) -> None:
        """Close it; once is enough, as its number may be another file's by then."""
        if self._is_open:
            self._is_open = False
            os.close(self.fd)

    def take_place_of(self, target: str) -> None:
        """Rename it, open and so locked; Windows renames no file that is open.

        Another process that saves the same file may sweep it there meanwhile: then this
        save fails, and the other's is whole.
        """
        if sys.platform != "win32":
            os.replace(self.path, target)
            return
        self.close()
        for seconds in PATIENCE:
            with suppress(PermissionError):
                os.replace(self.path, target)
                return
            time.sleep(seconds)
        os.replace(self.path, target)

    def remove(self) -> None:
        """Remove it, locked until then; Windows removes no file that is open."""
        with suppress(OSError):
            if sys.platform == "win32":
                self.close()
            os.unlink(self.path)


@contextmanager
def _temporary_file(prefix: str, mode: int = NEW) -> Generator[_Temporary]:
    path = f"{prefix}{secrets.token_hex(8)}.tmp"
    with _removed_by_signals(path):
        temporary = _Temporary(path, mode)
        try:
            yield temporary
        except BaseException:
            temporary.remove()
            raise
        finally:
            temporary.close()


@contextmanager
def _removed_by_signals(temporary: str) -> Generator[None]:
    """A signal that ends the process at once removes the file before it does.

    Only the main thread can say so; what is left elsewhere, the next save sweeps.
    """
    process = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:  # a forked child leaves its parent's file alone
            with suppress(OSError):
                os.unlink(temporary)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, *ENDING):
                if signal.getsignal(number) is signal.SIG_DFL:
                    stack.enter_context(handling(number, end))
        yield


def _create_locked(temporary: str, mode: int) -> int:
    """A new file, locked for as long as this process lives and writes it."""
    while True:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, mode)
        if sys.platform == "win32":  # which removes no file that is open
            return fd
        with suppress(OSError):  # a file system without locks is never swept
            lock(fd, wait=True)
        # Another process may have swept the file in the moment before it was locked.
        if os.fstat(fd).st_nlink:
            return fd
        os.close(fd)


def sweep(folder: str, prefix: str = PREFIX) -> None:
    """Remove what dead processes left: their locks went with them.

    Args:
        folder: where they wrote.
        prefix: how the names of what they left start.

    Raises:
        OSError: the folder can't be read.
    """
    for name in os.listdir(folder):
        if name.startswith(prefix) and TEMPORARY.fullmatch(name):
            with suppress(OSError):
                _remove_unlocked(os.path.join(folder, name))


def _remove_unlocked(path: str) -> None:
    """Remove a file that nobody writes; what isn't a file isn't even opened."""
    found = os.lstat(path)
    if not stat.S_ISREG(found.st_mode):
        return
    if sys.platform == "win32":  # which removes no file that is open
        os.unlink(path)
        return
    fd = open_without_waiting(path, os.O_WRONLY | os.O_NOFOLLOW)
    with _descriptor(fd):
        lock(fd)
        if os.path.samestat(found, os.fstat(fd)):
            os.unlink(path)


def open_without_waiting(path: str, flags: int) -> int:
    """Opening a pipe would wait for another end which may never come."""
    return os.open(path, flags | NOT_WAITING)


def _write_all(fd: int, content: memoryview) -> None:
    while content:
        content = content[os.write(fd, content) :]


def _sync_folder(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
