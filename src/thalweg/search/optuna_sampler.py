"""Settings proposed by Optuna, from how earlier ones did."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from thalweg.errors import ArgumentError
from thalweg.search.space import Choice, Dimension, LogRange, Point, Space
from thalweg.search.trials import Trial
from thalweg.training.checkpoint import CheckpointWarning

INSTALL = "pip install 'thalweg[optuna]'"


class OptunaSampler:
    """Optuna's tree-structured Parzen estimator, by its ask-and-tell interface.

    Settings that were dropped on a rung are told as pruned, with the losses until
    there, so the estimator learns from them, too.

    Source: Bergstra, Bardenet, Bengio and Kégl, "Algorithms for hyper-parameter
    optimization", 2011; Akiba and others, "Optuna: A next-generation hyperparameter
    optimization framework", 2019.
    """

    def __init__(self, optuna: Any, study: Any, space: Space, seed: int) -> None:
        self._optuna, self._study, self._seed = optuna, study, seed
        self._stored = True
        self._distributions = {k: distribution(optuna, v) for k, v in space.items()}
        self._asked: dict[int, Any] = {}

    @classmethod
    def new(cls, space: Space, seed: int, storage: str | None) -> OptunaSampler:
        """A study in memory, or one in a storage, which may hold trials already.

        Raises:
            ArgumentError: Optuna isn't installed, or the storage can't be used.
        """
        optuna = installed()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            study = optuna.create_study(
                storage=storage,
                sampler=estimator(optuna, seed),
                study_name=name_of(space, seed),
                load_if_exists=True,
            )
        except Exception as error:
            # Whatever the database's own library raises.
            raise ArgumentError(
                "storage must be a URL that Optuna can use, such as "
                f"sqlite:///tune.db, got {storage!r}: {first_line(error)}"
            ) from None
        return cls(optuna, study, space, seed)

    def propose(self, number: int) -> Point:
        """What Optuna would try next."""
        try:
            trial = self._study.ask(self._distributions)
        except Exception as error:
            self._leave_storage(error)
            trial = self._study.ask(self._distributions)
        self._asked[number] = trial
        return dict(trial.params)

    def end(self, number: int, rungs: Sequence[Trial], finished: bool) -> None:
        """Tell Optuna the losses; settings of an earlier session are added first."""
        try:
            self._tell(number, rungs, finished)
        except Exception as error:
            self._leave_storage(error)
            self._tell(number, rungs, finished)

    def _leave_storage(self, error: Exception) -> None:
        """What the storage's own library raises doesn't end a search."""
        if not self._stored:
            raise error
        cause = error.__cause__ or error
        warnings.warn(
            f"the storage can't be used any more ({first_line(cause)}); the search "
            "goes on, with Optuna's trials in memory",
            CheckpointWarning,
            stacklevel=3,
        )
        sampler = estimator(self._optuna, self._seed + 1)  # not what was proposed
        self._study = self._optuna.create_study(sampler=sampler)
        self._stored = False
        self._asked.clear()

    def _tell(self, number: int, rungs: Sequence[Trial], finished: bool) -> None:
        loss = rungs[-1].loss if rungs else math.nan
        state, value = self._result(loss, finished)
        steps = {t.epochs: t.loss for t in rungs if math.isfinite(t.loss)}
        trial = self._asked.pop(number, None)
        if trial is None:
            self._add(rungs[-1].point, state, value, steps)
            return
        for epochs, each in steps.items():
            trial.report(each, epochs)
        self._study.tell(trial, value, state=state)

    def _result(self, loss: float, finished: bool) -> tuple[Any, float | None]:
        states = self._optuna.trial.TrialState
        if not math.isfinite(loss):
            return states.FAIL, None
        return (states.COMPLETE, loss) if finished else (states.PRUNED, None)

    def _add(
        self, point: Point, state: Any, value: float | None, steps: dict[int, float]
    ) -> None:
        """A finished trial that this study didn't ask for, unless it knows it."""
        if any(known.params == point for known in self._study.get_trials(False)):
            return
        self._study.add_trial(
            self._optuna.trial.create_trial(
                state=state,
                value=value,
                params=point,
                distributions=self._distributions,
                intermediate_values=steps,
            )
        )


def estimator(optuna: Any, seed: int) -> Any:
    """What proposes; each study needs its own."""
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


def first_line(error: BaseException) -> str:
    """What a library's error says, in short."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def installed() -> Any:
    """Optuna, if it is there.

    Raises:
        ArgumentError: it isn't.
    """
    try:
        return import_module("optuna")
    except ImportError:
        raise ArgumentError(
            f"sampler optuna needs the package optuna, which isn't installed: {INSTALL}"
        ) from None


def distribution(optuna: Any, dimension: Dimension) -> Any:
    """A dimension as Optuna has it; what stands there more than once is one choice."""
    if isinstance(dimension, LogRange):
        low, high = dimension.low, dimension.high
        return optuna.distributions.FloatDistribution(low, high, log=True)
    assert isinstance(dimension, Choice)
    values = tuple(dict.fromkeys(dimension.values))
    return optuna.distributions.CategoricalDistribution(values)


def name_of(space: Space, seed: int) -> str:
    """A study's name, another one for another space or seed."""
    text = json.dumps({name: repr(dimension) for name, dimension in space.items()})
    return f"thalweg-{hashlib.sha256(text.encode()).hexdigest()[:12]}-{seed}"
