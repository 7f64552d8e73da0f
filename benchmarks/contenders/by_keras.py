"""Keras, compiled, by `fit` or by `train_on_batch`, whichever is faster.

On JAX both are jitted; `fit` runs 1 or 16 steps an execution. On PyTorch Keras runs
eagerly, since its compiled steps there cost more than they save at these sizes.
"""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np

from benchmarks.contenders.measure import Ready, Stamps, Ways, timed_calls
from benchmarks.work import Run, Start, Work

ON_JAX = keras.backend.backend() == "jax"


def own_activation(z):
    return z * keras.ops.sigmoid(1.7 * z)


def summed_cross_entropy(y: Any, z: Any) -> Any:
    return keras.ops.sum(keras.ops.softplus(z) - z * y, axis=-1)


def half_squared_error(y: Any, z: Any) -> Any:
    squares: Any = keras.ops.square(z - y)
    return keras.ops.mean(squares / 2, axis=-1)


ACTIVATIONS: dict[str, Any] = {"own": own_activation}
LOSSES: dict[str, Any] = {
    "binary": lambda: summed_cross_entropy,
    "classes": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "squares": lambda: half_squared_error,
}
OUTPUTS = {"binary": "sigmoid", "classes": "softmax", "squares": "linear"}


def ways(kind: str, work: Work, options: dict[str, Any]) -> Ways:
    """The ways of training, or of predicting."""
    if kind == "predict":
        return {
            "predict_on_batch": functools.partial(predictor, work, "batch"),
            "predict": functools.partial(predictor, work, "predict"),
        }
    executions = (1, 16) if ON_JAX and work.steps >= 16 else (1,)
    fits = {
        f"fit, {steps} steps an execution": functools.partial(by_fit, work, steps)
        for steps in executions
    }
    return {"train_on_batch": functools.partial(by_batches, work), **fits}


def network_at(work: Work, start: Start, last: str) -> Any:
    """A `Sequential` with the first parameters."""
    name = work.network.activation
    activation = ACTIVATIONS.get(name, name)
    penalty = keras.regularizers.L2(work.penalty) if work.alpha else None
    *hidden, outputs = work.sizes[1:]
    layers = [
        keras.layers.Dense(units, activation, kernel_regularizer=penalty)
        for units in hidden
    ]
    layers.append(keras.layers.Dense(outputs, last, kernel_regularizer=penalty))
    model = keras.Sequential([keras.Input((work.sizes[0],)), *layers])
    set_parameters(model, start)
    return model


def set_parameters(model: Any, start: Start) -> None:
    """Put the first parameters in."""
    model.set_weights([array for pair in start.pairs for array in pair])


def compiled(work: Work, steps: int) -> Any:
    """The model, ready to train."""
    model = network_at(work, work.starts[0], "linear")
    model.compile(
        optimizer=keras.optimizers.Adam(epsilon=1e-8),
        loss=LOSSES[work.loss](),
        jit_compile=ON_JAX,
        steps_per_execution=steps,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def restart(model: Any, start: Start) -> None:
    """First parameters, and an optimizer that has seen nothing."""
    set_parameters(model, start)
    for variable in model.optimizer.variables:
        variable.assign(np.zeros(variable.shape, variable.dtype))
    model.optimizer.learning_rate = start.learning_rate


class EpochEnds(keras.callbacks.Callback):
    def __init__(self, stamps: Stamps) -> None:
        super().__init__()
        self.stamps = stamps

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.stamps()


def by_fit(work: Work, steps: int) -> Ready:
    """A call of `fit` for all epochs."""
    model = compiled(work, steps)

    def run(epochs: int, number: int) -> Run:
        restart(model, work.starts[number])
        stamps = Stamps()
        history = model.fit(
            work.X,
            work.y,
            batch_size=work.batch_size,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[EpochEnds(stamps)],
        )
        return stamps.run(work.steps, epochs, history.history["loss"])

    return Ready(run, model.get_weights)


def by_batches(work: Work) -> Ready:
    """A call of `train_on_batch` for every step; it gives the loss of the batch."""
    model = compiled(work, 1)
    size = work.batch_size
    cut = [
        (work.X[start : start + size], work.y[start : start + size])
        for start in range(0, len(work.X), size)
    ]
    shares = np.array([len(x) for x, _ in cut]) / len(work.X)

    def run(epochs: int, number: int) -> Run:
        restart(model, work.starts[number])
        losses: list[float] = []
        stamps = Stamps()
        for _ in range(epochs):
            each = [float(model.train_on_batch(x, y)) for x, y in cut]
            losses.append(float(shares @ each))
            stamps()
        return stamps.run(work.steps, epochs, losses)

    return Ready(run, model.get_weights)


def predictor(work: Work, way: str) -> Ready:
    """Calls from an array of NumPy to another, as Keras has them."""
    model = network_at(work, work.starts[0], OUTPUTS[work.loss])
    model.compile(jit_compile=ON_JAX)

    def call() -> Any:
        if way == "batch":
            return model.predict_on_batch(work.X)
        return model.predict(work.X, batch_size=8192, verbose=0)

    def run(count: int, number: int) -> Run:
        calls = count if way == "batch" or len(work.X) > 1 else min(count, 20)
        return timed_calls(call, calls, values)

    return Ready(run)


def values(predictions: Any) -> list[float]:
    """Some predictions, to be compared."""
    return np.asarray(predictions[:100]).ravel().tolist()
