"""A process in which what Windows lacks is missing, and files behave as they do there.

It stays a Linux or macOS underneath: the libraries, which know Windows themselves, are
loaded before, and all of thalweg after.
"""

import errno
import importlib
import os
import pkgutil
import signal
import sys
import tempfile
from collections.abc import Callable
from typing import Any

MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
LACKING: dict[Any, tuple[str, ...]] = {
    os: (
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC"),
        *("chown", "fchmod", "fchown", "fork", "forkpty", "geteuid", "getgid"),
        *("getuid", "killpg", "mkfifo", "nice", "pread", "preadv", "pwrite"),
        *("register_at_fork", "sched_getaffinity", "setsid", "statvfs", "uname"),
    ),
    signal: ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "alarm", "siginterrupt"),
}
BINARY = 0o100000  # O_BINARY as Windows counts it; Linux takes it for O_LARGEFILE


def everything() -> list[str]:
    """Import every module of thalweg, and say which those are."""
    package = importlib.import_module("thalweg")
    found = pkgutil.walk_packages(package.__path__, "thalweg.")
    return [importlib.import_module(each.name).__name__ for each in found]


def pretend() -> list[str]:
    """From here on it's as on Windows; gives every module of thalweg, loaded anew."""
    everything()
    importlib.import_module("portalocker")
    for name in [each for each in sys.modules if each.split(".")[0] == "thalweg"]:
        if name != "thalweg._engine":  # it can be loaded once
            del sys.modules[name]
    sys.platform = "win32"
    for name in MODULES:
        sys.__dict__["modules"][name] = None
    for module, names in LACKING.items():
        for name in names:
            vars(module).pop(name, None)
    as_windows_has_files()
    vars(importlib.import_module("thalweg"))["_engine"] = sys.modules["thalweg._engine"]
    return everything()


def as_windows_has_files() -> None:
    """No folder is opened, and what is open is not renamed, replaced or removed."""
    os.__dict__["O_BINARY"] = BINARY
    os_open = os.open

    def opened(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if os.path.isdir(path):
            raise refusal(path)
        if os.path.basename(path).startswith(".thalweg-"):
            assert flags & BINARY, "a line's end would become two bytes"
        return os_open(path, flags, *rest, **options)

    os.open = opened
    tempfile.__dict__["TemporaryFile"] = tempfile.NamedTemporaryFile
    for name in ("rename", "replace", "unlink", "remove"):
        setattr(os, name, refusing(getattr(os, name)))


def refusing(function: Callable[..., None]) -> Callable[..., None]:
    """The function, which refuses paths of files that this process has open."""

    def called(*paths: Any, **options: Any) -> None:
        for path in paths:
            if os.path.lexists(path) and is_open(os.path.realpath(path)):
                raise refusal(path)
        function(*paths, **options)

    return called


def is_open(path: str) -> bool:
    """Whether this process has the file open."""
    wanted = os.stat(path)
    for number in map(int, os.listdir("/dev/fd")):
        try:
            found = os.fstat(number)
        except OSError:  # that of the list itself
            continue
        if os.path.samestat(wanted, found):
            return True
    return False


def refusal(path: Any) -> OSError:
    """What Windows says."""
    return PermissionError(errno.EACCES, "Access is denied", os.fspath(path))
