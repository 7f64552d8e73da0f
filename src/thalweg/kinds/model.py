"""A network together with what it needs to read data of its kind, as one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from thalweg.errors import ModelFileError
from thalweg.files.modelfile import require_writable, write_model
from thalweg.network import Network


class Model(ABC):
    """What the models of all kinds of data share; each is a frozen dataclass.

    Attributes:
        kind: the kind's name, which its file says, too.
        network: the trained network.
        results: plain data about how it was trained.
    """

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]
    network: Network
    results: dict[str, Any]

    @property
    @abstractmethod
    def target(self) -> str:
        """What is predicted."""

    @abstractmethod
    def _content(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What a file of the model holds: tensors, and the document."""

    def save(self, path: str | Path) -> None:
        """Write the network, what it needs to read data, and the results to a file.

        Arguments:
            path: the file, ``*.thalweg`` by custom.

        Raises:
            FileError: the file can't be written.
        """
        write_model(path, *self._content())

    def require_savable(self) -> None:
        """See whether `save` will find all sizes within the limits of a file.

        Raises:
            ModelFileError: it won't; the message says what is too large.
        """
        require_writable(*self._content())


@contextmanager
def reading(path: str, what: str) -> Generator[None]:
    """Whatever a file says wrongly is a `ModelFileError` that names the file.

    Arguments:
        path: the file.
        what: is read of it.

    Raises:
        ModelFileError: something is missing or isn't what it must be.
    """
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path}: {what} damaged: {error!r}") from None
