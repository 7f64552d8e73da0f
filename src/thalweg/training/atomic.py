"""Files that appear whole or not at all.

A file is written under another name in the same folder, forced to the disk, and then
renamed over its target. Whoever looks, even after a crash, sees exactly the old file or
exactly the new one.
"""

import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from typing import BinaryIO

from thalweg.errors import FileError

FilePath = str | os.PathLike[str]
PREFIX = ".thalweg-"  # of temporary files

# Some network file systems have no fsync for folders: there the rename is all one gets.
NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP)


def write_atomically(path: FilePath, *chunks: bytes | memoryview) -> None:
    """Write the chunks, one after the other, as the whole content of a file.

    The file gets the mode that the umask gives a new file; a symbolic link keeps
    pointing to its target, which is replaced. What a killed process left behind while
    it wrote this same file is removed.

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
    _refuse_special_file(target)
    folder, name = os.path.split(target)
    prefix = _temporary_prefix(name)
    with _descriptor(_open_folder(folder)) as folder_fd:
        sweep(folder, prefix)
        with _temporary_file(os.path.join(folder, prefix)) as (temporary, fd):
            yield fd
            os.fsync(fd)
            os.replace(temporary, target)
        _sync_folder(folder_fd)


def _refuse_special_file(target: str) -> None:
    """A rename would silently put a file where a device or a pipe was."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(target).st_mode):
            raise OSError(errno.EINVAL, "it exists and isn't a regular file")


def _open_folder(folder: str) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
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


@contextmanager
def _temporary_file(prefix: str) -> Generator[tuple[str, int]]:
    temporary, fd = _create_locked(prefix)
    with _descriptor(fd):
        try:
            yield temporary, fd
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise


def _create_locked(prefix: str) -> tuple[str, int]:
    """A new file, locked for as long as this process lives and writes it."""
    while True:
        temporary = f"{prefix}{secrets.token_hex(8)}.tmp"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with suppress(OSError):  # a file system without locks is never swept
            fcntl.flock(fd, fcntl.LOCK_EX)
        # Another process may have swept the file in the moment before it was locked.
        if os.fstat(fd).st_nlink:
            return temporary, fd
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
        if name.startswith(prefix):
            with suppress(OSError):
                _remove_unlocked(os.path.join(folder, name))


def _remove_unlocked(path: str) -> None:
    with _descriptor(os.open(path, os.O_WRONLY | os.O_NOFOLLOW)) as fd:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)


def _write_all(fd: int, content: memoryview) -> None:
    while content:
        content = content[os.write(fd, content) :]


def _sync_folder(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
