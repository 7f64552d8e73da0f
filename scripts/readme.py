#!/usr/bin/env python3
"""Makes what README.md shows of real runs: the first command's output, and the picture.

    python scripts/readme.py

A test compares both with the present state.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from thalweg.figures import training_run
from thalweg.figures.svg import svg_file

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "training_run.svg"
COMMAND = re.compile(r"^```sh\n.*?\.venv/bin/thalweg (.*)\n```$", re.MULTILINE)
OUTPUT = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def printed(readme: str) -> str:
    """What the first command of README.md prints."""
    found = COMMAND.search(readme)
    assert found is not None, "README.md has no command that runs thalweg"
    command = [sys.executable, "-m", "thalweg", *found[1].split()]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "examples").symlink_to(ROOT / "examples")
        run = subprocess.run(
            command, cwd=folder, check=True, capture_output=True, encoding="utf-8"
        )
    return run.stdout


def shown(readme: str) -> str:
    """The output that README.md shows."""
    found = OUTPUT.search(readme)
    assert found is not None, "README.md has no block of text for the output"
    return found[0]


def picture() -> bytes:
    """The picture on top of README.md."""
    data = training_run.run()
    return svg_file("training_run", lambda: training_run.plot(data))


def main() -> None:
    """Write both."""
    readme = README.read_text(encoding="utf-8")
    output = printed(readme)
    README.write_text(OUTPUT.sub(lambda _: output, readme, count=1), encoding="utf-8")
    PICTURE.write_bytes(picture())


if __name__ == "__main__":
    main()
