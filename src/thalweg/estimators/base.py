"""What both estimators share: fitting in scikit-learn's ways, over `Network.fit`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thalweg.errors import ArgumentError, ShapeError
from thalweg.estimators.callbacks import SklearnCallbacks
from thalweg.estimators.choices import (
    Begin,
    batch_size_of,
    layers_of,
    output_layer,
    rule_of,
    seed_of,
    settings_of,
)
from thalweg.estimators.continued_fits import Keeping
from thalweg.estimators.features import (
    ArrayFeatures,
    Features,
    RawFeatures,
    TableFeatures,
    are_bytes,
    is_frame,
    is_table,
    table_of,
)
from thalweg.estimators.held_out_groups import held_out_groups
from thalweg.estimators.out_of_fold import FEW_ROWS, OutOfFold
from thalweg.estimators.parameters import require_all_given
from thalweg.estimators.rows import (
    Given,
    WeightedRows,
    own_rows,
    part,
    taken,
)
from thalweg.estimators.saving import Saving
from thalweg.estimators.scikit import (
    BaseEstimator,
    CallbackSupportMixin,
    checked_frame,
    checked_targets,
    validation,
)
from thalweg.estimators.sequences import (
    Sequences,
    are_class_numbers,
    checked_sequences,
    sequences_in,
)
from thalweg.estimators.splitting import (
    ValidationSplit,
    dtype_for,
    fraction_for,
    held_out,
)
from thalweg.estimators.targets import Targets
from thalweg.estimators.together import copies, group_numbers
from thalweg.estimators.unrounded import unrounded
from thalweg.estimators.weighting import checked_weights, combined
from thalweg.formulas.losses import Loss
from thalweg.interrupts import watch
from thalweg.kinds.pipeline import Answers, Pipeline
from thalweg.model.history import History
from thalweg.model.programs import Programs
from thalweg.network import Network
from thalweg.program.types import NumpyArray, Shape, require_unmasked
from thalweg.tabular.settings import Settings
from thalweg.training.rows import require_finite, require_learnable

OF_NUMBERS: dict[str, Any] = {
    "accept_sparse": "csr",
    "allow_nd": True,
    "dtype": [np.float64, np.float32, np.uint8],
}
OF_CELLS: dict[str, Any] = {
    "accept_sparse": "csr",
    "dtype": None,
    "ensure_all_finite": False,
}
"""How arrays are checked: those of numbers, and those with a frame's cells."""


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkEstimator(Saving, CallbackSupportMixin, BaseEstimator, ABC):
    """The parameters and methods of both estimators; see `NetworkClassifier`."""

    layers: Sequence[Any] = Settings.layers
    activation: str | Callable[..., Any] | Sequence[Any] = Settings.activation
    output_activation: str | Callable[..., Any] | None = None
    dropout: float = Settings.dropout
    loss: str | Loss | Callable[..., Any] | None = None
    optimizer: Any = Settings.optimizer
    learning_rate: float = Settings.learning_rate
    schedule: str = Settings.schedule
    batch_size: int | str | None = Settings.batch_size
    epochs: int = Settings.epochs
    l1: float = Settings.l1
    l2: float = Settings.l2
    weight_decay: float | None = Settings.weight_decay
    clip_norm: float | None = Settings.clip_norm
    early_stopping: bool = True
    patience: int = Settings.patience
    min_delta: float = Settings.min_delta
    validation: float | tuple[Any, ...] | None = Settings.validation
    standardize: bool = True
    dtype: str | None = None
    warm_start: bool = False
    random_state: Any = 0
    progress: bool = False
    threads: int | None = None
    callbacks: Sequence[Any] = ()
    group_by_length: bool = False

    # What the two differ in -----------------------------------------------------------

    @abstractmethod
    def _targets_of(self, y: Any) -> Targets:
        """What there is to predict."""

    def _shaped(self, y: Any) -> Any:
        """y in the shape that it should have had."""
        return y

    def _scaled(self, targets: Targets, given: Given, rows: NumpyArray) -> Targets:
        """The targets with what is learned about them from training rows."""
        return targets

    @property
    def _needs_held_out_rows(self) -> bool:
        """Whether rows are held out also where few are given."""
        return False

    @property
    def _takes_held_out_rows_for_new(self) -> bool:
        """Whether they must look as new rows will, although they chose the epoch."""
        return False

    def _finish(self, held_out: OutOfFold | None) -> None:
        """What is learned after training, from held-out rows."""

    # Fitting --------------------------------------------------------------------------

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        groups: Any,
        own: tuple[Any, Any, Any] | None,
    ) -> None:
        """Train as long as the parameters say."""
        require_all_given(self)
        going_on = bool(self.warm_start) and hasattr(self, "history_")
        settings = settings_of(self, seed_of(self.random_state))
        given = self._given(X, y, sample_weight, reset=not going_on)
        if groups is not None:
            given = replace(given, groups=group_numbers(groups, len(given)))
        if own is None and isinstance(self.validation, tuple | list):
            own = own_rows(self.validation)
        theirs = None if own is None else self._given(*own, reset=None)
        split = self._split(given, theirs is not None, settings)
        if not going_on:
            self._targets.require_learnable(given.y[split.training])
            self._learn_form(given, split.training, settings)
        inputs = self._inputs(given.X)
        self._require_learnable(inputs, given)
        learning, judging = part(inputs, given, split.training), None
        if theirs is not None:
            own_inputs = self._inputs(theirs.X)
            self._require_learnable(own_inputs, theirs, "validation ")
            judging = part(own_inputs, theirs, theirs.counting())
        elif len(split.validating):
            judging = part(inputs, given, split.validating, split.together)
        held_out = None if judging is None else self._held_out(judging)
        tasks = SklearnCallbacks(self, settings.epochs, X, y, sample_weight)
        tasks.begin()
        self._finish(None)  # what an earlier fit found is no longer so
        self._train(
            learning,
            settings,
            epochs=settings.epochs,
            validation=None if judging is None else self._learned(judging),
            early_stopping=settings.early_stopping() if self.early_stopping else None,
            optimizer=rule_of(self, settings, len(learning.X)),
            callbacks=[
                Keeping(self),
                *self._following(held_out),
                *self.callbacks,
                *tasks.own,
            ],
        )
        with watch() as interrupt:
            self._finish(held_out)
        tasks.end()
        if interrupt.requested or self.network_.interrupted:
            raise KeyboardInterrupt

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Train for one epoch on these rows, and keep everything else."""
        require_all_given(self)
        first = not hasattr(self, "history_")
        settings = settings_of(self, seed_of(self.random_state))
        given = self._given(X, y, sample_weight, reset=first)
        rows = given.counting()
        before = History()
        if first:
            self._learn_form(given, rows, settings)
        else:
            before = self.history_
        rule = self.optimizer
        if isinstance(rule, str):
            rule = replace(settings, schedule="constant").rule(len(rows))
        tasks = SklearnCallbacks(self, 1, X, y, sample_weight, before)
        tasks.begin()
        inputs = self._inputs(given.X)
        self._require_learnable(inputs, given)
        self._train(
            part(inputs, given, rows),
            settings,
            epochs=1,
            validation=None,
            early_stopping=None,
            optimizer=rule,
            callbacks=[Keeping(self, before), *self.callbacks, *tasks.own],
        )
        tasks.end()
        if self.network_.interrupted:
            raise KeyboardInterrupt

    def _given(self, X: Any, y: Any, sample_weight: Any, reset: bool | None) -> Given:
        """Rows checked, their targets as numbers, their weights with their classes'.

        Arguments:
            X, y, sample_weight: as the user gave them.
            reset: whether to learn from them what X and y are; None for validation
                rows, whose classes count as those of training rows.
        """
        sequences = sequences_in(X, None if reset else self._row_shape)
        if reset is False and sequences is None:
            self._require_images(X)
        rows = X if sequences is None else sequences
        checked, y = self._checked(rows, unrounded(y), bool(reset))
        y = self._shaped(y)
        if reset:
            self._targets = self._targets_of(y)
        encoded = self._targets.encode(y)
        own = checked_weights(sample_weight, encoded)
        if reset is not None:
            asked = getattr(self, "class_weight", None)
            self._factors = self._targets.factors(asked, encoded, own)
        by_class = self._targets.by_class(self._factors, encoded)
        rows = table_of(checked) if self._reads_tables(checked) else checked
        return Given(rows, encoded, combined(own, by_class, self.dtype))

    def _split(
        self, given: Given, validated: bool, settings: Settings
    ) -> ValidationSplit:
        """Which rows to train and to validate on; those of weight 0 are neither.

        Rows of a group stay on one side; where no groups are given, copies do.
        """
        rows = given.counting()
        fraction = None
        if not validated:
            needed = self._needs_held_out_rows
            fraction = fraction_for(self.validation, len(rows), needed)
        if fraction is None:
            return ValidationSplit(rows, np.empty(0, np.int64))
        strata = self._targets.strata(given.y[rows])
        weights = None if given.weights is None else given.weights[rows]
        asked = (strata, weights, fraction, settings.seed)
        if given.groups is None:
            together = copies(given.X, given.y, rows)
            chosen = held_out(*asked, together)
        else:
            together = given.groups[rows]
            every = self._targets.needs_every_stratum
            chosen = held_out_groups(together, *asked, every)
        return ValidationSplit.of(rows, chosen, together)

    def _learn_form(
        self, given: Given, training: NumpyArray, settings: Settings
    ) -> None:
        """How X and y are prepared, and which network that takes."""
        self._targets = self._scaled(self._targets, given, training)
        self._features = self._features_of(given, training)
        last = output_layer(self._targets, self._loss(), self.output_activation)
        dtype = dtype_for(self.dtype, len(given.counting()))
        row = self._features.row_shape(given.X)
        begin = Begin(self._features.layers(), row, dtype)
        how = (self.activation, settings.dropout)
        self.network_ = Network(layers_of(self.layers, *how, last, begin))
        self.network_.programs = Programs()
        self.network_.dtype = dtype

    def _features_of(self, given: Given, training: NumpyArray) -> Features:
        """How X becomes inputs, learned from training rows."""
        if not self.standardize or are_class_numbers(given.X):
            return RawFeatures()
        if is_table(given.X):
            return TableFeatures.fit(given.X, training)
        weights = None if given.weights is None else given.weights[training]
        learn = RawFeatures.of_bytes if are_bytes(given.X) else ArrayFeatures.fit
        return learn(taken(given.X, training), weights, self.layers)

    def _loss(self) -> Loss:
        """The loss that was asked for, or the usual one."""
        return Loss.of(self._targets.usual_loss if self.loss is None else self.loss)

    def _require_learnable(
        self, inputs: NumpyArray | Sequences, given: Given, name: str = ""
    ) -> None:
        """The network can learn with these rows, as they are counted by who gave them.

        Raises:
            ArgumentError: a number is too large for its dtype; names row and column.
        """
        dtype, rows = self.network_.dtype, given.counting()
        if not isinstance(inputs, Sequences):  # which were checked one by one
            require_finite(inputs, f"{name}X", given=given.X)
        learned = self._targets.learned(given.y, self._loss())
        require_learnable(learned, given.y, f"{name}y", dtype, rows)

    def _learned(self, part: WeightedRows) -> tuple[Any, ...]:
        """Rows as `Network.fit` takes them."""
        return part.X, self._targets.learned(part.y, self._loss()), part.weights

    def _held_out(self, part: WeightedRows) -> OutOfFold:
        """Held-out rows to learn from after training."""
        targets = self._targets.learned(part.y, self._loss())
        return OutOfFold(part, targets, self._loss(), self.threads)

    def _following(self, held_out: OutOfFold | None) -> list[OutOfFold]:
        """Held-out rows that must see which epoch would be chosen without them."""
        if held_out is None or not self._takes_held_out_rows_for_new:
            return []
        choose = bool(self.early_stopping) and len(held_out.rows.X) <= FEW_ROWS
        return [held_out] if choose else []

    def _train(self, part: WeightedRows, settings: Settings, **how: Any) -> None:
        X, y, weights = self._learned(part)
        self.network_.fit(
            X,
            y,
            sample_weight=weights,
            loss=self._loss(),
            batch_size=batch_size_of(settings, len(X)),
            penalty=settings.penalty(),
            clip_norm=settings.clip_norm,
            seed=settings.seed,
            dtype=self.network_.dtype,
            warm_start=True,
            progress=bool(self.progress),
            threads=self.threads,
            group_by_length=self.group_by_length,
            **how,
        )
        if isinstance(X, Sequences):
            self.n_features_in_ = self.network_.shapes.outputs[0][0]

    # X --------------------------------------------------------------------------------

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        """X and y by scikit-learn's rules; a frame stays one, and so do sequences."""
        if isinstance(X, Sequences):
            if reset:
                self.n_features_in_ = X.shape[1]  # as scikit-learn counts of arrays
            return X, checked_sequences(X, y, None if reset else self._row_shape)
        require_unmasked(X, "X")
        if not self._reads_tables(X):
            with np.errstate(over="ignore", invalid="ignore"):  # it takes their sum
                return validation.validate_data(
                    self, X, y, reset=reset, multi_output=True, **OF_NUMBERS
                )
        checked_frame(self, X, y, reset=reset)
        return X, checked_targets(X, y)

    def _require_images(self, X: Any) -> None:
        """Where images or series were learned from, all that follow have their shape.

        Of these scikit-learn would say that they have other features.

        Raises:
            ShapeError: they haven't.
        """
        if hasattr(X, "shape") and len(self.network_.shapes.outputs[0]) > 1:
            require_shape(X, self.network_)

    @property
    def _row_shape(self) -> Shape | None:
        """That of the rows that were learned from; None before."""
        network: Any = getattr(self, "network_", None)
        if network is None or not network.is_initialized:
            return None
        return network.shapes.outputs[0]

    def _reads_tables(self, X: Any) -> bool:
        """Whether X is a frame whose columns are to be understood."""
        return bool(self.standardize) and is_frame(X)

    def _inputs(self, X: Any) -> NumpyArray | Sequences:
        """What the network takes, of checked rows.

        Raises:
            ArgumentError: a frame, where the first rows were an array.
        """
        if is_table(X) and not isinstance(self._features, TableFeatures):
            raise ArgumentError(
                "X must be an array of numbers, as the first rows were, got a frame"
            )
        if not isinstance(self._features, TableFeatures):
            require_shape(X, self.network_)
        return self._features.transform(X, self.network_.dtype)

    def _outputs(self, X: Any) -> NumpyArray:
        """What the network gives for X as the user gave it, float64."""
        validation.check_is_fitted(self)
        inputs = self._inputs(self._checked_alone(X))
        return self.network_.predict(inputs, threads=self.threads).astype(np.float64)

    def _checked_alone(self, X: Any) -> Any:
        """X by scikit-learn's rules, as it must be after `fit`; a frame stays one."""
        sequences = sequences_in(X, self._row_shape)
        if sequences is not None:
            checked_sequences(sequences, None, self._row_shape)
            return sequences
        require_unmasked(X, "X")
        self._require_images(X)
        frame = isinstance(self._features, TableFeatures)
        if frame and is_frame(X):
            checked_frame(self, X, reset=False)
            return X
        checks = OF_CELLS if frame else OF_NUMBERS
        with np.errstate(over="ignore", invalid="ignore"):
            return validation.validate_data(self, X, reset=False, **checks)

    # Exporting ------------------------------------------------------------------------

    @abstractmethod
    def _described(self) -> tuple[Answers, dict[str, Any]]:
        """What is predicted, and what a reader of an exported file may want to know."""

    def __pipeline__(self) -> Pipeline:
        """X as the user gives it in, the answers out, for `thalweg.export`.

        Raises:
            NotFittedError: scikit-learn's, if the estimator isn't fitted.
        """
        validation.check_is_fitted(self)
        inputs = self._features.inputs(self.network_)
        answers, about = self._described()
        about = {"kind": "estimator", "estimator": type(self).__name__, **about}
        return Pipeline(self.network_, inputs, answers, about)

    # What happened --------------------------------------------------------------------

    @property
    def n_iter_(self) -> int:
        """How many epochs were trained."""
        return self.history_.stopped_epoch

    @property
    def loss_curve_(self) -> list[float]:
        """The training loss of every epoch."""
        return self.history_.training_loss

    @property
    def validation_curve_(self) -> list[float]:
        """The validation loss of every epoch; empty where no rows were held out."""
        return self.history_.validation_loss

    @property
    def best_epoch_(self) -> int:
        """The epoch whose weights were kept, counted from 1."""
        stopping = bool(self.early_stopping) and bool(self.validation_curve_)
        return self.history_.best_epoch if stopping else self.n_iter_

    # scikit-learn's own questions -----------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "history_")

    def __sklearn_tags__(self) -> Any:
        inherited: Any = super()
        tags = inherited.__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        return tags


def require_shape(X: Any, network: Network) -> None:
    """Rows have the shape of those that were learned from, but for their lengths.

    Raises:
        ShapeError: they haven't.
    """
    if isinstance(X, Sequences):
        return
    if network.is_initialized and tuple(X.shape[1:]) != network.shapes.outputs[0]:
        wanted = ", ".join(map(str, network.shapes.outputs[0]))
        raise ShapeError(f"X must have shape (rows, {wanted}), got {X.shape}")
