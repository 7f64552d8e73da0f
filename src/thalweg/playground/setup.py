"""From an experiment to the network that is trained, and how."""

from __future__ import annotations

from typing import Any

import thalweg.formulas.optimizers as rules
from thalweg.formulas.activations import Activation
from thalweg.formulas.layers import Dense, Dropout, Layer
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import L1, L2, Penalty
from thalweg.formulas.schedules import (
    CosineWithWarmup,
    ExponentialDecay,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
)
from thalweg.network import Network
from thalweg.playground.experiment import Experiment
from thalweg.playground.own_formula import activation_of
from thalweg.playground.rows import Data
from thalweg.training.fit_arguments import FitKeywords
from thalweg.training.session import Session
from thalweg.training.stopping import EarlyStopping

MOMENTUM = 0.9


def layers_of(experiment: Experiment, data: Data) -> list[Layer]:
    """The hidden layers, and an output that fits what is told."""
    chosen = experiment.initializer
    how: dict[str, Any] = {} if chosen == "usual" else {"initializer": chosen}
    layers: list[Layer] = []
    for hidden in experiment.layers:
        activation: str | Activation = hidden.activation
        if activation == "own":
            activation = activation_of(experiment.own_activation)
        layers.append(Dense(hidden.units, activation, **how))
        if hidden.dropout:
            layers.append(Dropout(hidden.dropout))
    classes = data.class_count
    if classes is None:
        return [*layers, Dense(1, **how)]
    if classes == 2 and data.one_output:
        return [*layers, Dense(1, "sigmoid", **how)]
    return [*layers, Dense(classes, "softmax", **how)]


def settings_of(experiment: Experiment, data: Data) -> FitKeywords:
    """How `fit` learns."""
    settings: FitKeywords = {
        "optimizer": optimizer_of(experiment, len(data.training[0])),
        "epochs": experiment.epochs,
        "batch_size": experiment.batch_size,
        "validation": data.validation,
        "early_stopping": stopping_of(experiment),
        "seed": experiment.seed,
    }
    if experiment.loss == "mean_squared_error":
        settings["loss"] = experiment.loss
    costs = penalty_of(experiment)
    return settings if costs is None else {**settings, "penalty": costs}


def stopping_of(experiment: Experiment) -> EarlyStopping | None:
    """Early stopping, if there is any."""
    patience = experiment.patience
    return None if patience is None else EarlyStopping(patience=patience)


def optimizer_of(experiment: Experiment, rows: int) -> Optimizer:
    """The rule, with its learning rate or the schedule of it.

    Arguments:
        experiment: what is run.
        rows: that are learned from.
    """
    rate = schedule_of(experiment, rows)
    if experiment.optimizer == "Momentum":
        return rules.SGD(rate, momentum=MOMENTUM)
    return getattr(rules, experiment.optimizer)(rate)


def schedule_of(experiment: Experiment, rows: int) -> float | Schedule:
    """The learning rate, or how it changes over the run."""
    rate = experiment.learning_rate
    steps = -(-rows // experiment.batch_size)  # of an epoch
    match experiment.schedule:
        case "StepDecay":
            return StepDecay(rate, every=50 * steps)
        case "ExponentialDecay":
            return ExponentialDecay(rate, factor=0.5, every=50 * steps)
        case "CosineWithWarmup":
            return CosineWithWarmup(rate)
        case "OneCycle":
            return OneCycle(rate)
        case "ReduceOnPlateau":
            return ReduceOnPlateau(rate, patience=5)
        case _:
            return rate


def penalty_of(experiment: Experiment) -> Penalty | None:
    """What large weights cost, if anything."""
    l1, l2 = experiment.l1, experiment.l2
    if l1 and l2:
        return L1(l1) + L2(l2)
    return L1(l1) if l1 else L2(l2) if l2 else None


def session_of(experiment: Experiment, data: Data) -> Session[Network]:
    """A run of `fit`, to be taken epoch by epoch."""
    network = Network(layers_of(experiment, data))
    return network.session(*data.training, **settings_of(experiment, data))
