"""The command line: a file a command, over everything that the package does."""

from thalweg.cli.app import main, run

__all__ = ["main", "run"]
