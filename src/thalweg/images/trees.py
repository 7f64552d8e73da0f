"""Files by their names in a folder or in an archive, and nothing outside of it."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from thalweg.errors import DataError
from thalweg.images.expansion import check_expansion
from thalweg.images.image_set import LeftOut

MOST_MEMBER_BYTES = 2**28
"""How large a file in an archive may be, as it is unpacked into memory."""

LINK = "is a link that leads out of the folder, or to another one"
NO_FILE = "isn't a file but a pipe, a device or a socket"
OUTSIDE = "has a name that leads nowhere in the archive"


class Tree(Protocol):
    """Files by their names, with ``/`` between folders."""

    @property
    def path(self) -> Path:
        """Where it is."""
        ...

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files, sorted."""
        ...

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of folders, each with a slash at its end."""
        ...

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What isn't a file that can be read."""
        ...

    def open(self, name: str) -> BinaryIO:
        """A file, to be read and closed.

        Raises:
            OSError: it can't be read, or isn't a file any more.
        """
        ...


def reason_of(error: BaseException) -> str:
    """Why something can't be read, without the path that errors of the system have."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else error
    return f"can't be read: {said or type(error).__name__}"


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names in the order that they have on every system."""
    return tuple(sorted(names))


# Folders ------------------------------------------------------------------------------


@dataclass(frozen=True)
class FolderTree:
    """The files below a folder; see `Tree`."""

    path: Path
    files: tuple[str, ...]
    folders: tuple[str, ...]
    left_out: tuple[LeftOut, ...]

    @classmethod
    def of(cls, path: Path) -> FolderTree:
        """What is in a folder, and in those in it.

        Raises:
            OSError: the folder can't be read.
        """
        with os.scandir(path):  # what the others raise is told of each
            pass
        files: list[str] = []
        folders: list[str] = []
        left_out: list[LeftOut] = []
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            folders.append(folder)
            try:
                with os.scandir(path / folder) as found:
                    entries = list(found)
            except OSError as error:
                left_out.append(LeftOut(folder, reason_of(error)))
                continue
            for entry in entries:
                name = folder + entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False) or _is_inner(path, entry):
                    files.append(name)
                else:
                    reason = LINK if entry.is_symlink() else NO_FILE
                    left_out.append(LeftOut(name, reason))
        return cls(path, in_order(files), in_order(folders), tuple(left_out))

    def open(self, name: str) -> BinaryIO:
        """A file, unless something else has come in its place."""
        path = os.path.join(self.path, *name.split("/"))
        if os.path.islink(path):
            path = os.path.realpath(path)
        flags = os.O_RDONLY
        for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
            flags |= getattr(os, flag, 0)
        file = os.open(path, flags)
        if stat.S_ISREG(os.fstat(file).st_mode):
            return os.fdopen(file, "rb")
        os.close(file)
        raise OSError(f"it {NO_FILE}")


def _is_inner(path: Path, entry: os.DirEntry[str]) -> bool:
    """Whether it's a link to a file in the same folder, or below it."""
    if not entry.is_symlink():
        return False
    target = Path(os.path.realpath(entry.path))
    return target.is_relative_to(os.path.realpath(path)) and target.is_file()


# Archives -----------------------------------------------------------------------------


@dataclass(frozen=True)
class ArchiveTree:
    """The files in an archive, which is never unpacked onto a disk; see `Tree`."""

    path: Path
    files: tuple[str, ...]
    folders: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]

    @classmethod
    def of(cls, path: Path, archive: zipfile.ZipFile) -> ArchiveTree:
        """What is in an archive that is open.

        Raises:
            DataError: it unpacks to far more than its own size, or has a name twice.
        """
        check_expansion(archive, path)
        members: dict[str, zipfile.ZipInfo] = {}
        folders: list[str] = []
        left_out: list[LeftOut] = []
        for member in archive.infolist():
            name = member.filename.replace("\\", "/")
            if name.endswith("/"):
                folders.append(name)
            elif reason := _why_not(member, name):
                left_out.append(LeftOut(name, reason))
            else:
                members[name] = member
        names = in_order(members), in_order(folders)
        return cls(path, *names, tuple(left_out), archive, members)

    def open(self, name: str) -> BinaryIO:
        """A file, unpacked."""
        try:
            return io.BytesIO(self.archive.read(self.members[name]))
        except (OSError, MemoryError):
            raise
        except Exception as error:  # each way of packing has errors of its own
            raise OSError(str(error)) from None


def _why_not(member: zipfile.ZipInfo, name: str) -> str:
    """Why a member of an archive isn't read, or nothing."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or ":" in parts[0]:
        return OUTSIDE
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return LINK if stat.S_ISLNK(mode) else NO_FILE
    if member.flag_bits & 1:
        return "is encrypted"
    if member.file_size > MOST_MEMBER_BYTES:
        return f"takes {member.file_size:,} bytes, of {MOST_MEMBER_BYTES:,} at most"
    return ""


def open_archive(path: Path) -> zipfile.ZipFile:
    """An archive, to be closed.

    Raises:
        DataError: it isn't whole.
        OSError: it can't be read.
    """
    try:
        return zipfile.ZipFile(path)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a damaged one has any of a dozen kinds of errors
        raise DataError(
            f"{path.name}: must be a whole zip file, but isn't ({error})"
        ) from None
