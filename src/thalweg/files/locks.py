"""A lock on an open file, which goes with the process however that ends.

Linux and macOS lock by `flock`, which Python has. On Windows the package portalocker
does, by the system's own locks on a range of bytes.
"""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import portalocker
else:
    import fcntl

LOCK_FILE = "lock"
"""What is locked in a folder where the folder itself can't be."""


def lock(fd: int, wait: bool = False) -> None:
    """Lock an open file until it is closed.

    Arguments:
        fd: its descriptor.
        wait: until whoever has locked it is done.

    Raises:
        BlockingIOError: it is locked by somebody else.
        OSError: there are no locks where it lies.
    """
    if sys.platform == "win32":
        EX, NB = portalocker.LOCK_EX, portalocker.LOCK_NB
        try:
            portalocker.lock(fd, EX if wait else EX | NB)
        except portalocker.AlreadyLocked:
            raise BlockingIOError from None
        except portalocker.LockException as error:
            raise OSError(str(error)) from error
    else:
        fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def open_folder(folder: str | os.PathLike[str]) -> int:
    """The folder to be locked; on Windows, which opens none, a file in it.

    Raises:
        OSError: there is no such folder, or it can't be opened.
    """
    if sys.platform == "win32":
        return os.open(os.path.join(folder, LOCK_FILE), os.O_RDWR | os.O_CREAT)
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
