"""What `fit` is asked for beside the rows, once, with its defaults and its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import thalweg.defaults as defaults
from thalweg.checks import (
    require_instance,
    require_positive,
    require_seed,
    require_whole,
)
from thalweg.formulas.losses import Loss, LossFunction
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.program.types import Dtype
from thalweg.training.arguments import require_dtype, require_grouping
from thalweg.training.stopping import EarlyStopping


class FitKeywords(TypedDict, total=False):
    """The arguments of `Network.fit` that say how a run learns, by name."""

    loss: str | Loss | LossFunction | None
    optimizer: str | Optimizer
    epochs: int
    batch_size: int | str
    validation: float | tuple[Any, ...] | None
    early_stopping: EarlyStopping | None
    seed: int
    shuffle: bool
    sample_weight: Any
    penalty: Penalty | None
    clip_norm: float | None
    dtype: Dtype
    warm_start: bool
    engine: str
    threads: int | None
    lengths: Any
    group_by_length: bool


@dataclass(frozen=True)
class FitArguments:
    """The same with their defaults; `Network.fit` says what each means.

    Raises:
        ArgumentError: one is out of its range.
    """

    loss: str | Loss | LossFunction | None = None
    optimizer: str | Optimizer = defaults.OPTIMIZER
    epochs: int = defaults.EPOCHS
    batch_size: int | str = defaults.FIT_BATCH_SIZE
    validation: float | tuple[Any, ...] | None = defaults.VALIDATION
    early_stopping: EarlyStopping | None = EarlyStopping()  # noqa: RUF009 - frozen
    seed: int = defaults.SEED
    shuffle: bool = True
    sample_weight: Any = None
    penalty: Penalty | None = None
    clip_norm: float | None = None
    dtype: Dtype = defaults.DTYPE
    warm_start: bool = False
    engine: str = defaults.ENGINE
    threads: int | None = None
    lengths: Any = None
    group_by_length: bool = False

    def __post_init__(self) -> None:
        require_whole("epochs", self.epochs, least=1)
        require_seed(self.seed)
        require_dtype(self.dtype)
        if self.clip_norm is not None:
            require_positive("clip_norm", self.clip_norm)
        if self.early_stopping is not None:
            must = "an EarlyStopping or None"
            require_instance("early_stopping", self.early_stopping, EarlyStopping, must)
        require_grouping(self.group_by_length, self.shuffle)
