"""Commands on a terminal of their own, as a test can read it."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

STYLES = re.compile(r"\x1b\[[\d;]*m|\x1b\[A\r\x1b\[2K")
"""The sequences that the command line writes itself."""

CALLS = """
import sys
from thalweg.cli import run
from thalweg.cli.streams import prepare
prepare()
for arguments in {arguments!r}:
    sys.stdout.write(f"{mark}{{run(arguments)}}{mark}")
"""
MARK = "<status>"


def shown_on_terminal(
    folder: Path, command: Sequence[str], **environment: str
) -> tuple[str, int]:
    """What a terminal of 80 columns gets to show, and the exit status."""
    ours, theirs = pty.openpty()
    size = {"COLUMNS": "80", "TERM": "xterm-256color", **environment}
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=theirs,
        stderr=theirs,
        env={k: v for k, v in os.environ.items() if k != "NO_COLOR"} | size,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # Linux says so at the end of a terminal
        pass
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), process.wait()


def commands_on_terminal(
    folder: Path, commands: Sequence[Sequence[str]]
) -> list[tuple[str, int]]:
    """The same of each command, all in one process."""
    code = CALLS.format(arguments=[list(each) for each in commands], mark=MARK)
    shown, status = shown_on_terminal(folder, [sys.executable, "-c", code])
    assert status == 0, shown
    parts = shown.split(MARK)
    return [(parts[at], int(parts[at + 1])) for at in range(0, len(parts) - 1, 2)]
