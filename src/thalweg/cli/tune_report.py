"""What ``thalweg tune`` shows: the space, how the search goes, its trials."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from thalweg.cli.show import Facts, facts, show
from thalweg.kinds.regimen import Regimen
from thalweg.search.budget import in_words
from thalweg.search.space import (
    Choice,
    Dimension,
    LogRange,
    Space,
    setting_of,
    settings_at,
)
from thalweg.search.trials import DEFAULT, Trial
from thalweg.search.tuning import Request, Tuned
from thalweg.tabular.command import typed
from thalweg.training.progress import UP_AND_CLEAR, figure
from thalweg.training.progress import in_words as metric_words
from thalweg.words import counted

if TYPE_CHECKING:
    from rich.table import Table as Grid

MOST_TRIALS = 10  # in the table


def show_start(lines: Facts, space: Space, epochs: int, request: Request) -> None:
    """What was found in the data, and what will be searched.

    Arguments:
        lines: what was found.
        space: what may be chosen.
        epochs: the most that a network is trained.
        request: how long, and how.
    """
    search = (
        f"{in_words(request.seconds)} of up to {counted(epochs, 'epoch')} on each "
        f"of {request.folds} folds of what isn't for the test"
    )
    show(facts([*lines, ("Tuned", space_words(space)), ("Search", search)]))


def space_words(space: Space) -> str:
    """What may be chosen, in a line."""
    parts = [f"{name.replace('_', ' ')} {words(d)}" for name, d in space.items()]
    return "; ".join(parts)


def words(dimension: Dimension) -> str:
    """The values of a dimension."""
    if isinstance(dimension, LogRange):
        return f"{dimension.low:g} to {dimension.high:g}"
    assert isinstance(dimension, Choice)
    return ", ".join(f"{v:g}" if isinstance(v, float) else str(v)
                     for v in dict.fromkeys(dimension.values))  # fmt: skip


class SearchProgress:
    """Shows how a search goes: live on a terminal, a line for each new best elsewhere.

    Arguments:
        seconds: of the search.
        epochs: the most that a network is trained.
        quiet: show nothing.
        stream: where to write; standard error unless told.
    """

    def __init__(
        self, seconds: float, epochs: int, quiet: bool, stream: TextIO | None = None
    ) -> None:
        self._seconds, self._epochs, self._quiet = seconds, epochs, quiet
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._started = time.monotonic()
        self._best: Trial | None = None
        self._settings: set[int] = set()
        self._shown = False

    def __call__(self, trial: Trial) -> None:
        """Show a finished trial, if it says something new."""
        self._settings.add(trial.number)
        better = trial.is_whole(self._epochs) and (
            self._best is None or trial.loss < self._best.loss
        )
        if better:
            self._best = trial
        if not self._quiet and (better or self._live):
            self._write(self._line())

    def close(self) -> None:
        """Show how it ended."""
        if not self._quiet and not self._live:
            self._write(self._line())

    def _line(self) -> str:
        spent = min(time.monotonic() - self._started, self._seconds)
        line = (
            f"{in_words(spent)} of {in_words(self._seconds)}: "
            f"{counted(len(self._settings), 'setting')} tried"
        )
        if self._best is None:
            return line
        figures = {"loss": self._best.loss, **self._best.metrics}
        shown = ", ".join(f"{metric_words(k)} {figure(v)}" for k, v in figures.items())
        return f"{line}; best {name_of(self._best)}: {shown}"

    def _write(self, line: str) -> None:
        over = UP_AND_CLEAR if self._live and self._shown else ""
        with suppress(OSError):  # a terminal that was closed doesn't end a search
            self._stream.write(f"{over}{line}\n")
            self._stream.flush()
        self._shown = True


def name_of(trial: Trial) -> str:
    """A trial's name."""
    return "the defaults" if trial.number == DEFAULT else f"trial {trial.number}"


# The results --------------------------------------------------------------------------


def show_search(tuned: Tuned, base: Regimen, command: str) -> None:
    """The best trials, those of the defaults among them, and what was chosen."""
    best = list(tuned.trials[:MOST_TRIALS])
    if tuned.default is not None and tuned.default not in best:
        best.append(tuned.default)
    left = len(tuned.trials) - len(best)
    ended = f"{counted(len(tuned.trials), 'setting')} tried; {tuned.stopped_because}"
    note = [("Not shown", counted(left, "trial"))] if left else []
    blocks: list[Any] = [trial_table(best, base)] if best else []
    show(*blocks, facts([*note, ("Search", ended), ("Again", command)]))


def trial_table(trials: Sequence[Trial], base: Regimen) -> Grid:
    """Trials under each other: what was chosen, and the means over the folds."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Grid

    metrics = list(dict.fromkeys(name for trial in trials for name in trial.metrics))
    grid = Grid(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    grid.add_column("trial", no_wrap=True)
    grid.add_column("settings", overflow="fold")
    for name in ("epochs", "loss", *metrics):
        grid.add_column(metric_words(name), justify="right", no_wrap=True)
    for number, trial in enumerate(trials):
        figures = [trial.loss, *(trial.metrics.get(m, float("nan")) for m in metrics)]
        grid.add_row(
            str(trial.number),
            settings_words(trial, base),
            str(trial.epochs),
            *map(figure, figures),
            style="bold" if number == 0 else "",
        )
    return grid


def settings_words(trial: Trial, base: Regimen) -> str:
    """What was chosen, as it would be typed."""
    if trial.number == DEFAULT:
        return "the defaults"
    settings = settings_at(base, trial.point).to_dict()
    names = dict.fromkeys(setting_of(name) for name in trial.point)
    left_out = {"activation": ""}  # which are plain from their values
    if "hidden" not in trial.point:
        left_out["layers"] = ""
    words = [
        f"{left_out.get(name, name.replace('_', ' '))} {typed(settings[name])}".strip()
        for name in names
        if settings[name] not in (0, ())
    ]
    return ", ".join(words)
