"""Every error that thalweg raises.

The tree::

    ThalwegError
    ├── ArgumentError        an argument has a value that it can't have (ValueError)
    ├── ShapeError           arrays whose shapes don't fit together (ValueError)
    ├── DtypeError           an array of a type that doesn't fit (TypeError)
    ├── TracingError         a formula asked for a value while it was traced (TypeError)
    ├── ProgramError         a program or plan that breaks its own rules (ValueError)
    ├── DivergenceError      training reached NaN or infinity (ArithmeticError)
    ├── NotFittedError       a network that was never fitted was asked (ValueError)
    ├── DataError            a table's content can't be used (ValueError)
    └── FileError            a file can't be read or written (OSError)
        └── ModelFileError   a model file breaks the format's rules (OSError)

Each says what must be, what it got, and where: the layer and the formula's line, or
the file, row and column. Names in it can't steer the terminal that shows it.
"""

from thalweg.printable import printable_lines


class ThalwegError(Exception):
    """The base of every error that thalweg raises on purpose."""

    def __str__(self) -> str:
        return printable_lines(super().__str__())


class ArgumentError(ThalwegError, ValueError):
    """An argument has a value that it can't have."""


class ShapeError(ThalwegError, ValueError):
    """Arrays whose shapes don't fit together."""


class DtypeError(ThalwegError, TypeError):
    """An array of a type that doesn't fit."""


class TracingError(ThalwegError, TypeError):
    """A formula asked for the value of an array while it was traced."""


class ProgramError(ThalwegError, ValueError):
    """A program or a plan that breaks its own rules."""


class DivergenceError(ThalwegError, ArithmeticError):
    """Training reached a loss that is NaN or infinite."""


class NotFittedError(ThalwegError, ValueError):
    """A network that has no parameters yet was asked to predict, score or save."""


class DataError(ThalwegError, ValueError):
    """A table's content can't be used; the message names file, row and column."""


class FileError(ThalwegError, OSError):
    """A file can't be read or written."""


class ModelFileError(FileError):
    """A model file breaks the rules of its format."""
