"""JAX: a jit a step, a scan over the epoch, and for a sweep a vmap over all networks.

The state is donated, so that it is updated in place; the rows are on the device before
the clock starts; results are waited for at the end of a run alone. The scan is tried
as it comes and unrolled fourfold. An epoch of a single step is scanned with the
epochs after it, a hundred at a time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contenders.jax_layers import (
    Form,
    forms,
    forward,
    ordered,
    parameters_at,
)
from benchmarks.contenders.measure import Ready, Stamps, Ways, timed_calls
from benchmarks.work import Run, Start, Work

State = tuple[Any, ...]  # parameters, two slots, step number, learning rate
Advance = Callable[[State, int], tuple[State, Any, int]]
BLOCK = 100  # epochs of one step each that a scan takes together
CHUNKS, CHUNKS_OF_IMAGES = (1000, 10_000), (100, 1000)


def ways(kind: str, work: Work, options: dict[str, Any]) -> Ways:
    """The ways of one kind, in each form of the network."""
    found: Ways = {}
    for form in forms(work.network):
        of = Formed(work, form)
        own = {"vmap of a scan": functools.partial(vmapped, of)}
        if kind == "predict":
            own = predictors(of)
        elif options["way"] == "jit":
            own = {"jit of a step": functools.partial(by_steps, of)}
        elif options["way"] == "scan":
            own = scans(of)
        suffix = str(form) if work.network.has_windows else ""
        found |= {", ".join(filter(None, [n, suffix])): way for n, way in own.items()}
    return found


def scans(of: Formed) -> Ways:
    """An epoch as one call; a scan of convolutions takes long to compile as it is."""
    once = of.work.steps == 1 or of.work.network.has_windows
    unrolls = (1,) if once else (1, 4)
    return {
        f"unroll {unroll}": functools.partial(by_scan, of, unroll) for unroll in unrolls
    }


@dataclass(frozen=True)
class Formed:
    """A work, and how its network is written."""

    work: Work
    form: Form

    @property
    def rows(self) -> np.ndarray:
        """All rows."""
        return ordered(self.work.X, self.form)

    def forward(self, parameters: Any, x: Any, step: Any = 0) -> Any:
        """The last layer's logits; a step has dropout of its own."""
        key = jax.random.key(step, impl="rbg")
        return forward(self.work.network, self.form, parameters, x, key)

    def parameters_at(self, start: Start) -> list[tuple[Any, Any]]:
        """Weights and bias of each layer."""
        return parameters_at(self.work.network, start, self.form)


# Losses and rules ---------------------------------------------------------------------


def loss_of(of: Formed, parameters: Any, x: Any, y: Any, step: Any) -> Any:
    """The mean loss of a batch, with its penalty."""
    work, z = of.work, of.forward(parameters, x, step)
    if work.loss == "binary":
        loss = jnp.sum(jax.nn.softplus(z) - z * y) / len(x)
    elif work.loss == "classes":
        chosen = jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1)
        loss = -jnp.mean(chosen)
    else:
        loss = jnp.mean((z - y) ** 2) / 2
    if work.alpha:
        loss += work.penalty * sum(jnp.sum(w**2) for w, _ in parameters)
    return loss


def adam(rate: Any, step: Any, theta: Any, g: Any, m: Any, v: Any) -> Any:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    unbiased_mean, unbiased_square = m / (1 - 0.9**step), v / (1 - 0.999**step)
    return theta - rate * unbiased_mean / (jnp.sqrt(unbiased_square) + 1e-8), m, v


def own_rule(rate: Any, step: Any, theta: Any, g: Any, m: Any, s: Any) -> Any:
    m = 0.9 * m + 0.1 * g
    s = 0.99 * s + 0.01 * (g - m) ** 2
    return theta - rate * m / (jnp.sqrt(s) + 1e-3), m, s


RULES = {"adam": adam, "own": own_rule}


def train_step(of: Formed, state: State, batch: Any) -> tuple[State, Any]:
    """A step: the new state, and the loss before it."""
    theta, m, v, step, rate = state
    objective = functools.partial(loss_of, of)
    counted = step.astype(jnp.int32)
    loss, gradient = jax.value_and_grad(objective)(theta, *batch, counted)
    step = step + 1
    rule = functools.partial(RULES[of.work.rule], rate, step)
    leaves, tree = jax.tree.flatten(theta)
    rest = [jax.tree.leaves(each) for each in (gradient, m, v)]
    moved = [rule(*each) for each in zip(leaves, *rest, strict=True)]
    theta, m, v = (jax.tree.unflatten(tree, part) for part in zip(*moved, strict=True))
    return (theta, m, v, step, rate), loss


def state_at(of: Formed, start: Start) -> State:
    """The first state, in memory of its own since it will be donated."""
    theta = of.parameters_at(start)
    m, v = (jax.tree.map(jnp.zeros_like, theta) for _ in range(2))
    return theta, m, v, jnp.zeros(()), jnp.array(start.learning_rate, jnp.float32)


# Training -----------------------------------------------------------------------------


def batches(of: Formed) -> tuple[Any, Any | None]:
    """Full batches (steps, batch, …), and the smaller last one if there is one."""
    size = of.work.batch_size
    arrays = (of.rows, of.work.y)
    full = len(of.work.X) // size * size
    stacked = tuple(
        jnp.asarray(a[:full].reshape(full // size, size, *a.shape[1:])) for a in arrays
    )
    if full == len(of.work.X):
        return stacked, None
    return stacked, tuple(jnp.asarray(a[full:]) for a in arrays)


def cuts(work: Work) -> np.ndarray:
    """Where a batch ends and the next begins."""
    return np.arange(work.batch_size, len(work.X), work.batch_size)


def epoch(
    of: Formed, unroll: int, state: State, stacked: Any, rest: Any | None
) -> tuple[State, Any]:
    """All steps of an epoch: the state, and the mean loss of the rows."""
    step = functools.partial(train_step, of)
    state, losses = jax.lax.scan(step, state, stacked, unroll=unroll)
    total = jnp.sum(losses) * of.work.batch_size
    if rest is not None:
        state, loss = step(state, rest)
        total = total + loss * len(rest[0])
    return state, total / len(of.work.X)


def by_scan(of: Formed, unroll: int) -> Ready:
    """An epoch is one call."""
    block = BLOCK if of.work.steps == 1 else 1
    data = batches(of)

    def one(state: State, _: Any, stacked: Any, rest: Any) -> tuple[State, Any]:
        return epoch(of, unroll, state, stacked, rest)

    @functools.partial(jax.jit, donate_argnums=0)
    def several(state: State, stacked: Any, rest: Any) -> tuple[State, Any]:
        body = functools.partial(one, stacked=stacked, rest=rest)
        return jax.lax.scan(body, state, length=block)

    @functools.partial(jax.jit, donate_argnums=0)
    def single(state: State, stacked: Any, rest: Any) -> tuple[State, Any]:
        state, loss = epoch(of, unroll, state, stacked, rest)
        return state, loss[None]

    def advance(state: State, epochs: int) -> tuple[State, Any, int]:
        if block > 1 and epochs >= block:
            return *several(state, *data), block
        return *single(state, *data), 1

    if block > 1:  # compile it now; a trial is too short to
        jax.block_until_ready(several(state_at(of, of.work.starts[0]), *data))
    return looped(of, advance)


def by_steps(of: Formed) -> Ready:
    """A step is one call."""
    work, X = of.work, of.rows
    cut = [
        jax.device_put((X[rows], work.y[rows]))
        for rows in np.split(np.arange(len(work.X)), cuts(work))
    ]
    shares = np.array([len(x) for x, _ in cut]) / len(work.X)
    step = jax.jit(functools.partial(train_step, of), donate_argnums=0)

    def advance(state: State, epochs: int) -> tuple[State, Any, int]:
        losses: list[Any] = []
        for batch in cut:
            state, loss = step(state, batch)
            losses.append(loss)
        return state, (losses, shares), 1

    return looped(of, advance)


def looped(
    of: Formed, advance: Callable[[State, int], tuple[State, Any, int]]
) -> Ready:
    """Epochs until all are done; the first is waited for, the others at the end."""
    last: list[State] = []

    def run(epochs: int, number: int) -> Run:
        state = jax.block_until_ready(state_at(of, of.work.starts[number]))
        found: list[Any] = []
        done = 0
        stamps = Stamps()
        while done < epochs:
            state, losses, count = advance(state, epochs - done if done else 1)
            found.append(losses)
            done += count
            if done == count:
                jax.block_until_ready((state, losses))
                stamps()
        jax.block_until_ready((state, found))
        stamps()
        last[:] = [state]
        return stamps.run(of.work.steps, epochs, mean_losses(found))

    return Ready(run, lambda: [np.asarray(a) for a in jax.tree.leaves(last[0][0])])


def mean_losses(found: list[Any]) -> list[float]:
    """The mean loss of every epoch, from what the calls gave."""
    losses: list[float] = []
    for each in found:
        if isinstance(each, tuple):
            steps, shares = each
            losses.append(float(np.dot(np.array(steps), shares)))
        else:
            losses += np.asarray(each).tolist()
    return losses


def vmapped(of: Formed) -> Ready:
    """All networks at once; the rows are the same for all."""
    data = batches(of)
    one = functools.partial(epoch, of, 1)
    together = jax.jit(jax.vmap(one, in_axes=(0, None, None)), donate_argnums=0)

    def every(epochs: int) -> Run:
        states = [state_at(of, start) for start in of.work.starts]
        state = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
        jax.block_until_ready(state)
        stamps = Stamps()
        first: Any = None
        for number in range(epochs):
            state, losses = together(state, *data)
            first = losses if number == 0 else first
        jax.block_until_ready((state, first))
        stamps()
        steps = len(of.work.starts) * epochs * of.work.steps
        return Run(0.0, stamps.times[1] - stamps.times[0], steps, first.tolist())

    def run(epochs: int, number: int) -> Run:
        done = every(epochs)
        return Run(done.rest, done.rest, done.steps, done.values)

    return Ready(run, every=every)


# Predictions --------------------------------------------------------------------------


def probabilities(of: Formed, parameters: Any, x: Any) -> Any:
    """What the last layer gives."""
    logits = of.forward(parameters, x)
    if of.work.loss == "classes":
        return jax.nn.softmax(logits)
    return jax.nn.sigmoid(logits) if of.work.loss == "binary" else logits


def predictors(of: Formed) -> Ways:
    """All rows at once, and in chunks that stay in the cache."""
    rows = len(of.work.X)
    chunks = CHUNKS_OF_IMAGES if of.work.network.has_windows else CHUNKS
    sizes = [rows, *(size for size in chunks if size < rows)]
    return {f"{size} rows": functools.partial(predictor, of, size) for size in sizes}


def predictor(of: Formed, size: int) -> Ready:
    """Calls from an array on the device to another."""
    X = jax.device_put(of.rows)
    parameters = of.parameters_at(of.work.starts[0])

    @jax.jit
    def call(theta: Any, x: Any) -> Any:
        if size >= len(X):
            return probabilities(of, theta, x)
        chunks = x.reshape(-1, size, *x.shape[1:])
        found = jax.lax.map(functools.partial(probabilities, of, theta), chunks)
        return found.reshape(len(x), -1)

    def run(count: int, number: int) -> Run:
        return timed_calls(
            lambda: jax.block_until_ready(call(parameters, X)), count, values
        )

    return Ready(run)


def values(predictions: Any) -> list[float]:
    """Some predictions, to be compared."""
    return np.asarray(predictions[:100]).ravel().tolist()
