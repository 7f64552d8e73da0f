"""The command ``thalweg``, which is ``python -m thalweg``, and how Ctrl-C ends it.

Before the first import that takes time Ctrl-C ends the process at once: there is
nothing to keep, and an import that is broken off would show a traceback.
"""

import os
import sys

TYPE_CHECKING = False  # as in typing, which takes time to import
if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130  # as `thalweg.cli` has it, which takes time to import, too
WORDS = b"interrupted; nothing was saved\n"


def main() -> None:
    """Run what is typed, and end with its exit status."""
    try:
        status = heard()
    except KeyboardInterrupt:
        if os.environ.get("THALWEG_DEBUG"):
            raise
        leave()
    else:
        sys.exit(status)


def heard() -> int:
    """The command's exit status; Ctrl-C is heard meanwhile, and after it no more."""
    import signal

    # In the background, where Ctrl-C is another process's, it is ignored.
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        from thalweg.cli import main as command

        return command()

    def end_in_order(number: int, frame: "FrameType | None") -> None:
        signal.signal(signal.SIGINT, leave)  # who presses it again doesn't wait
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, leave)
    sys.unraisablehook = leave_if_unraisable
    from thalweg.cli import main as command

    signal.signal(signal.SIGINT, end_in_order)
    status = command()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return status


def leave(number: int = 0, frame: "FrameType | None" = None) -> None:
    """End the process where it stands."""
    try:
        os.write(2, WORDS)
    finally:
        os._exit(INTERRUPTED)


def leave_if_unraisable(found: "sys.UnraisableHookArgs") -> None:
    """A Ctrl-C that Python could only have printed, as in a destructor, ends, too."""
    if issubclass(found.exc_type, KeyboardInterrupt):
        leave()
    sys.__unraisablehook__(found)


if __name__ == "__main__":
    main()
