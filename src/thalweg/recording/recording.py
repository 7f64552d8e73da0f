"""A recorded run: what stays, and a frame for each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from thalweg.files.atomic import FilePath, write_atomically
from thalweg.program.types import NumpyArray
from thalweg.recording.bundle import bundle


@dataclass(frozen=True)
class Recording:
    """A run of training that a page plays back.

    Frame 0 is before the first step, frame e after epoch e.

    Arguments:
        document: what is told of the run, as plain data: its data, layers, settings,
            when it stopped and why.
        fixed: arrays that stay, by name: the rows, the curves of the activations.
        frames: arrays of the frames by name, (frames, …) each: losses, parameters, what
            one row gives in every unit, pictures of what the units give.

    Example:
        >>> import thalweg as tw
        >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 0, 0, 1]
        >>> network = tw.Network([tw.Dense(1, "sigmoid")])
        >>> recording = tw.record(network, X, y, epochs=3, validation=None)
        >>> len(recording), recording.frames["parameters"].shape
        (4, (4, 3))
    """

    document: Mapping[str, Any]
    fixed: Mapping[str, NumpyArray]
    frames: Mapping[str, NumpyArray]

    def __len__(self) -> int:
        return len(self.frames["training_loss"])

    def __repr__(self) -> str:
        return f"Recording({self.document['title']!r}, {len(self)} frames)"

    def html(self) -> str:
        """The page that plays it, which needs no other file and no network."""
        return bundle(self.document, self.fixed, self.frames)

    def save(self, path: FilePath) -> Path:
        """Write the page that plays it: one file that opens offline in any browser.

        Arguments:
            path: the file, ``*.html`` by custom. An existing file is replaced whole, or
                left whole.

        Returns:
            The path.

        Raises:
            FileError: the file can't be written.
        """
        write_atomically(path, self.html().encode())
        return Path(path)

    def _repr_html_(self) -> str:
        """The same in a frame, which notebooks show."""
        return (
            f'<iframe srcdoc="{escape(self.html())}" sandbox="allow-scripts" '
            'style="width:100%;height:800px;border:0" '
            f'title="{escape(str(self.document["title"]))}"></iframe>'
        )
