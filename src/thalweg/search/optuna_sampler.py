"""Settings proposed by Optuna, from how earlier ones did."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from thalweg.errors import ArgumentError
from thalweg.search.space import Choice, Dimension, LogRange, Point, Space
from thalweg.search.trials import Trial

INSTALL = "pip install 'thalweg[optuna]'"


class OptunaSampler:
    """Optuna's tree-structured Parzen estimator, by its ask-and-tell interface.

    Settings that were dropped on a rung are told as pruned, with the losses until
    there, so the estimator learns from them, too.

    Source: Bergstra, Bardenet, Bengio and Kégl, "Algorithms for hyper-parameter
    optimization", 2011; Akiba and others, "Optuna: A next-generation hyperparameter
    optimization framework", 2019.
    """

    def __init__(self, optuna: Any, study: Any, space: Space) -> None:
        self._optuna, self._study = optuna, study
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
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        try:
            study = optuna.create_study(
                storage=storage,
                sampler=sampler,
                study_name=name_of(space, seed),
                load_if_exists=True,
            )
        except Exception as error:
            # Whatever the database's own library raises.
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise ArgumentError(
                "storage must be a URL that Optuna can use, such as "
                f"sqlite:///tune.db, got {storage!r}: {first}"
            ) from None
        return cls(optuna, study, space)

    def propose(self, number: int) -> Point:
        """What Optuna would try next."""
        trial = self._study.ask(self._distributions)
        self._asked[number] = trial
        return dict(trial.params)

    def end(self, number: int, rungs: Sequence[Trial], finished: bool) -> None:
        """Tell Optuna the losses; settings of an earlier session are added first."""
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
