"""The network: layers, their parameters, and what can be done with them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.errors import ArgumentError, NotFittedError, ShapeError
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss, LossFunction
from thalweg.formulas.names import require, require_positive, require_whole
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.optimizers import optimizer as optimizer_named
from thalweg.formulas.penalties import Penalty
from thalweg.program.compile import make_executable
from thalweg.program.interpret import Executable
from thalweg.program.types import FLOATS, Dtype, NumpyArray, Shape
from thalweg.training.fit import Callback, Memory, Plan, Scorer, Trainer, batch_rows
from thalweg.training.history import EpochRecord, History
from thalweg.training.metrics import metric_for
from thalweg.training.rows import Rows, hold_out, inputs_from, rows_from
from thalweg.training.stack import Shapes, describe, initial_values, shapes_of
from thalweg.training.step import (
    Task,
    prediction_program,
    require_matrix_output,
    types_of,
)
from thalweg.training.stopping import EarlyStopping

PREDICTION_ROWS = 1024
LOSS_OF_LAST_ACTIVATION = {
    "softmax": "cross_entropy",
    "sigmoid": "binary_cross_entropy",
}


class Network:
    """A stack of layers that learns from rows.

    f(x) = fₙ(… f₂(f₁(x)))

    Arguments:
        layers: one or more layers, first to last.

    Raises:
        ArgumentError: there are no layers, or one of them isn't a layer.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> network = tw.Network([tw.Dense(8, "tanh"), tw.Dense(1, "sigmoid")])
        >>> history = network.fit(
        ...     X, [0, 1, 1, 0], optimizer=tw.Adam(0.1), epochs=100, validation=None
        ... )
        >>> network.predict(X).round().ravel().tolist()
        [0.0, 1.0, 1.0, 0.0]

    Source: Rumelhart, Hinton and Williams, "Learning representations by
    back-propagating errors", 1986.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        require(len(self.layers) > 0, "layers", "one layer or more", layers)
        for layer in self.layers:
            require(
                isinstance(layer, Layer), "layers", "layers, such as Dense(64)", layer
            )
        self.history = History()
        self.loss: Loss | None = None
        self.dtype: Dtype = "float32"
        self._shapes: Shapes | None = None
        self._memory: Memory | None = None
        self._executables: dict[int, Executable] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Network([{', '.join(describe(layer) for layer in self.layers)}])"

    # Parameters -----------------------------------------------------------------------

    def initialize(
        self, input_shape: int | Shape, seed: int = 0, dtype: Dtype = "float32"
    ) -> Network:
        """Draw first parameters for rows of a shape; `fit` does this by itself.

        Arguments:
            input_shape: the shape of a row, or its number of features.
            seed: the same seed gives the same parameters.
            dtype: float32, or float64.

        Returns:
            The network itself.

        Raises:
            ShapeError, DtypeError: naming the layer, the formula's line and the shapes.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.Dense(3)]).initialize(2)
            >>> {name: array.shape for name, array in network.parameters.items()}
            {'1.weights': (2, 3), '1.bias': (3,)}
        """
        require(dtype in FLOATS, "dtype", "float32 or float64", dtype)
        require_whole("seed", seed, least=0)
        shape = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
        shapes = shapes_of(self.layers, shape, dtype)
        drawn = initial_values({**shapes.parameters, **shapes.state}, seed, dtype)
        parts = [drawn[name].reshape(-1) for name in shapes.parameters]
        flat = np.concatenate(parts) if parts else np.zeros(0, dtype)
        state = {name: drawn[name] for name in shapes.state}
        self.dtype, self._shapes, self._memory = dtype, shapes, Memory(flat, state)
        self._executables = {}
        return self

    @property
    def shapes(self) -> Shapes:
        """The shapes of outputs, parameters and state.

        Raises:
            NotFittedError: the network has no parameters yet.
        """
        return self._fitted()[0]

    @property
    def parameters(self) -> dict[str, NumpyArray]:
        """A copy of every parameter, by names such as ``1.weights``.

        Raises:
            NotFittedError: the network has no parameters yet.
        """
        shapes, memory = self._fitted()
        return {k: v.copy() for k, v in parts_of(memory.parameters, shapes).items()}

    @property
    def state(self) -> dict[str, NumpyArray]:
        """A copy of what layers keep without learning it, such as running means.

        Raises:
            NotFittedError: the network has no parameters yet.
        """
        return {name: array.copy() for name, array in self._fitted()[1].state.items()}

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Put values in the place of parameters or state, by their names.

        Arguments:
            values: arrays of the shapes that the network has.

        Raises:
            NotFittedError: the network has no parameters yet: call `initialize`.
            ArgumentError: a name isn't one of the network's.
            ShapeError: an array has another shape.
        """
        shapes, memory = self._fitted()
        places = {**parts_of(memory.parameters, shapes), **memory.state}
        for name, value in values.items():
            require(
                name in places, "a parameter's name", f"one of {list(places)}", name
            )
            if np.shape(value) != places[name].shape:
                raise ShapeError(
                    f"{name} must have shape {places[name].shape}, got {np.shape(value)}"
                )
        for name, value in values.items():
            np.copyto(places[name], value)

    def _fitted(self) -> tuple[Shapes, Memory]:
        if self._shapes is None or self._memory is None:
            raise NotFittedError(
                "the network has no parameters yet: call fit or initialize"
            )
        return self._shapes, self._memory

    # Training -------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        loss: str | Loss | LossFunction | None = None,
        optimizer: str | Optimizer = "adam",
        epochs: int = 200,
        batch_size: int | str = 32,
        validation: float | tuple[Any, ...] | None = 0.2,
        early_stopping: EarlyStopping | None = EarlyStopping(),
        seed: int = 0,
        shuffle: bool = True,
        sample_weight: Any = None,
        penalty: Penalty | None = None,
        clip_norm: float | None = None,
        dtype: Dtype = "float32",
        warm_start: bool = False,
        progress: bool = False,
        callback: Callback | None = None,
    ) -> History:
        """Learn from rows, and say what happened.

        θ ← update(θ, ∇J(θ)), J(θ) = 1/B Σ wᵢ ℓ(f(xᵢ; θ), yᵢ) + R(θ), for every batch

        Arguments:
            X: inputs, shape (rows, features).
            y: class numbers (rows,), or numbers (rows,) or (rows, outputs).
            loss: ℓ, a name, a `Loss`, or a function of predictions and targets that
                gives one value a row. None goes by the last activation: cross_entropy
                after softmax, binary_cross_entropy after sigmoid, else
                mean_squared_error.
            optimizer: the rule, with its learning rate.
            epochs: how often every row is used, at most.
            batch_size: B, the rows of a step; 1 is stochastic, ``"all"`` full-batch
                gradient descent.
            validation: the fraction of rows held out, (X, y) or (X, y, sample_weight)
                of your own, or None.
            early_stopping: None trains every epoch and keeps the last weights.
            seed: of first parameters, held-out rows, shuffling and dropout.
            shuffle: take the rows in another order every epoch; False keeps yours.
            sample_weight: wᵢ, one number a row, used in loss and metrics alike.
            penalty: R, such as ``L2(1e-4)``.
            clip_norm: the longest gradient allowed.
            dtype: float32, or float64.
            warm_start: go on from the parameters that there are, instead of new ones.
            progress: show both losses while training.
            callback: called with an `EpochRecord` after every epoch.

        Returns:
            The history, which is also kept as ``network.history``.

        Raises:
            ArgumentError, ShapeError, DtypeError: an argument can't be used.
            DivergenceError: the loss became NaN or infinite; the best parameters so far
                are kept.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
            >>> network = tw.Network([tw.Dense(1)])
            >>> history = network.fit(X, 3 * X + 1, optimizer=tw.Adam(0.1), epochs=80)
            >>> network.predict([[0.5]]).round(1).tolist()
            [[2.5]]

        Source: Bottou, Curtis and Nocedal, "Optimization methods for large-scale
        machine learning", 2018.
        """
        require_whole("epochs", epochs, least=1)
        require_whole("seed", seed, least=0)
        require(dtype in FLOATS, "dtype", "float32 or float64", dtype)
        if clip_norm is not None:
            require_positive("clip_norm", clip_norm)
        rows = rows_from(X, y, sample_weight, dtype)
        training, held_out = self._split(rows, validation, seed, dtype)
        self._prepare(training.X.shape[1:], seed, dtype, warm_start)
        shapes, memory = self._fitted()
        task = self._task(training, loss, optimizer, penalty, clip_norm)
        size = batch_rows(batch_size, len(training))
        plan = Plan(task, epochs, size, early_stopping, seed, shuffle)
        trainer = Trainer(self.layers, shapes, memory, training, held_out, plan, dtype)
        self.loss = task.loss
        self.history = History(settings=settings_of(plan, training, held_out))
        trainer.run(
            self.history, with_progress(callback, epochs) if progress else callback
        )
        return self.history

    def _split(
        self,
        rows: Rows,
        validation: float | tuple[Any, ...] | None,
        seed: int,
        dtype: Dtype,
    ) -> tuple[Rows, Rows | None]:
        """Training rows, and validation rows if there are to be any."""
        if validation is None:
            return rows, None
        if isinstance(validation, tuple | list):
            require(len(validation) in (2, 3), "validation", "(X, y)", len(validation))
            X, y, *weights = validation
            weight = weights[0] if weights else None
            own = rows_from(X, y, weight, dtype, "validation ")
            if own.X.shape[1:] != rows.X.shape[1:]:
                raise ShapeError(
                    f"validation X must have rows of shape {rows.X.shape[1:]}, "
                    f"got {own.X.shape[1:]}"
                )
            return rows, own
        return hold_out(rows, validation, seed)

    def _prepare(self, shape: Shape, seed: int, dtype: Dtype, warm_start: bool) -> None:
        """New parameters, or those that there are if they fit."""
        if warm_start and self._shapes is not None:
            if self._shapes.outputs[0] != shape or self.dtype != dtype:
                raise ShapeError(
                    f"a warm start needs rows of shape {self._shapes.outputs[0]} in "
                    f"{self.dtype}, got {shape} in {dtype}"
                )
            return
        self.initialize(shape, seed, dtype)

    def _task(
        self,
        training: Rows,
        loss: str | Loss | LossFunction | None,
        optimizer: str | Optimizer,
        penalty: Penalty | None,
        clip_norm: float | None,
    ) -> Task:
        outputs = require_matrix_output(self.shapes)
        chosen = Loss.of(loss if loss is not None else self._loss_of_last_layer())
        check_targets(training.y, outputs, chosen)
        metric = metric_for(chosen, outputs, training.y, training.weights)
        return Task(chosen, metric, optimizer_named(optimizer), penalty, clip_norm)

    def _loss_of_last_layer(self) -> str:
        last = getattr(self.layers[-1], "activation", None)
        name = last if isinstance(last, str) else getattr(last, "__name__", "")
        return LOSS_OF_LAST_ACTIVATION.get(name, "mean_squared_error")

    # Using ----------------------------------------------------------------------------

    def predict(self, X: Any) -> NumpyArray:
        """What the last layer gives.

        Arguments:
            X: inputs, shape (rows, features).

        Returns:
            An array of shape (rows, outputs).

        Raises:
            NotFittedError: the network has no parameters yet.
            ShapeError: rows have another shape than in training.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.Dense(2, "softmax")]).initialize(3)
            >>> network.predict([[0.0, 0.0, 0.0]]).tolist()
            [[0.5, 0.5]]
        """
        shapes, _ = self._fitted()
        inputs = self._inputs(X)
        predictions = np.empty((len(inputs), *shapes.outputs[-1]), self.dtype)
        with self._lock, np.errstate(all="ignore"):
            for start in range(0, len(inputs), PREDICTION_ROWS):
                part = inputs[start : start + PREDICTION_ROWS]
                executable = self._prediction_executable(len(part))
                np.copyto(executable.inputs["X"], part)
                executable.run()
                predictions[start : start + len(part)] = executable.outputs[
                    "predictions"
                ]
        return predictions

    def _inputs(self, X: Any) -> NumpyArray:
        """Rows to predict, of the shape that the network was made for."""
        inputs = inputs_from(X, self.dtype)
        wanted = self.shapes.outputs[0]
        if inputs.shape[1:] != wanted:
            raise ShapeError(
                f"X must have shape (rows, {', '.join(map(str, wanted))}) "
                f"as in training, got {inputs.shape}"
            )
        return inputs

    def _prediction_executable(self, rows: int) -> Executable:
        if rows not in self._executables:
            shapes, memory = self._fitted()
            program = prediction_program(self.layers, shapes, rows, self.dtype)
            if len(self._executables) >= 8:
                self._executables.pop(next(iter(self._executables)))
            self._executables[rows] = make_executable(program, memory.buffers())
        return self._executables[rows]

    def evaluate(self, X: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """The loss and the metrics on rows.

        Arguments:
            X: inputs, shape (rows, features).
            y: targets as in `fit`.
            sample_weight: one number a row, or None.

        Returns:
            ``loss`` and ``accuracy`` where classes are predicted; ``loss``, ``rmse``
            (in the targets' unit) and ``r2`` where numbers are.

        Raises:
            NotFittedError: the network was never fitted.
            ShapeError: rows have another shape than in training.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
            >>> network = tw.Network([tw.Dense(1)])
            >>> history = network.fit(X, 3 * X + 1, optimizer=tw.Adam(0.1), epochs=80)
            >>> list(network.evaluate(X, 3 * X + 1))
            ['loss', 'rmse', 'r2']
        """
        shapes, memory = self._fitted()
        if self.loss is None:
            raise NotFittedError(
                "the network was never fitted, so it has no loss: call fit"
            )
        self._inputs(X)
        rows = rows_from(X, y, sample_weight, self.dtype)
        check_targets(rows.y, require_matrix_output(shapes), self.loss)
        scorer = Scorer(self.layers, shapes, self.loss, rows, memory, self.dtype)
        loss, metrics = scorer.score()
        return {"loss": loss, **metrics}

    def explain(self, program: bool = False) -> str:
        """For each layer its formula, the formula of its gradient, shapes, parameters.

        Arguments:
            program: also show the whole training step after each pass.

        Returns:
            A text of several lines.

        Raises:
            NotFittedError: the network has no parameters yet.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.Dense(1, "tanh")]).initialize(2)
            >>> "3 parameters" in network.explain()
            True
        """
        from thalweg.training.explain import explain

        return explain(self, program)

    def save(self, path: str | Path) -> None:
        """Write the network to one safe file.

        Arguments:
            path: the file, ``*.thalweg`` by custom. An existing file is replaced whole,
                or left whole.

        Raises:
            NotFittedError: the network has no parameters yet.
            FileError: the file can't be written.
        """
        from thalweg.training.checkpoint import save

        save(self, path)


def parts_of(flat: NumpyArray, shapes: Shapes) -> dict[str, NumpyArray]:
    """The parameters by name, as views of the vector that holds them."""
    parts: dict[str, NumpyArray] = {}
    start = 0
    for name, type in types_of(shapes.parameters, "float32").items():
        parts[name] = flat[start : start + type.size].reshape(type.shape)
        start += type.size
    return parts


def check_targets(y: NumpyArray, outputs: int, loss: Loss) -> None:
    """Class numbers must be those of the outputs."""
    if loss.name == "cross_entropy" and y.ndim == 1:
        if y.dtype.kind != "i":
            raise ArgumentError(
                "cross_entropy takes class numbers 0, 1, 2, … or one-hot rows, "
                f"got y of {y.dtype} and shape {y.shape}"
            )
        if y.min() < 0 or y.max() >= outputs:
            raise ArgumentError(
                f"class numbers must lie in 0..{outputs - 1}, as the last layer has "
                f"{outputs} outputs, got {y.min()}..{y.max()}"
            )
    if loss.name == "binary_cross_entropy" and (y.min() < 0 or y.max() > 1):
        raise ArgumentError(
            f"binary_cross_entropy takes targets from 0 to 1, got {y.min()}..{y.max()}"
        )


def settings_of(plan: Plan, training: Rows, held_out: Rows | None) -> dict[str, Any]:
    """How a run was set up, as plain data for the history and the file."""
    task = plan.task
    stopping = plan.early_stopping
    return {
        "loss": task.loss.name,
        "optimizer": repr(task.optimizer),
        "penalty": None if task.penalty is None else repr(task.penalty),
        "clip_norm": task.clip_norm,
        "epochs": plan.epochs,
        "batch_size": plan.batch_size,
        "early_stopping": None if stopping is None else repr(stopping),
        "seed": plan.seed,
        "training_rows": len(training),
        "validation_rows": 0 if held_out is None else len(held_out),
    }


def with_progress(callback: Callback | None, epochs: int) -> Callback:
    """A callback that shows the losses, and then calls a person's own."""
    from thalweg.training.progress import Progress

    shown = Progress(epochs)

    def both(record: EpochRecord) -> None:
        shown(record)
        if callback is not None:
            callback(record)

    return both
