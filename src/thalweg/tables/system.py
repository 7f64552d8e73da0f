"""What the system said, where a library says it in words of its own."""

import errno
import os
import re
import sys

NO_THREAD = re.compile(r"start new thread|spawn.* thread")
NUMBER = re.compile(r"\(os error (\d+)\)|Os \{ code: (\d+)")

OF_LIMITS = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What the system answers where a process may have no more."""


def of_the_system(error: BaseException) -> BaseException:
    """What the system said, if the error is about that; else the error itself.

    >>> of_the_system(RuntimeError("writing failed: x (os error 28)"))
    OSError(28, 'No space left on device')
    """
    found = NUMBER.search(str(error))
    number = int(found[1] or found[2]) if found else 0
    if number and sys.platform == "win32":  # which counts its errors otherwise
        import ctypes

        return ctypes.WinError(number)
    if number == errno.EAGAIN or NO_THREAD.search(str(error)):
        return OSError(errno.EAGAIN, "the system allows no more threads or processes")
    return OSError(number, os.strerror(number)) if number else error


def require_no_limit(error: BaseException) -> None:
    """The error isn't that the process may have no more of something.

    Raises:
        OSError: it is.
    """
    told = of_the_system(error)
    if isinstance(told, OSError) and told.errno in OF_LIMITS:
        raise told from error
