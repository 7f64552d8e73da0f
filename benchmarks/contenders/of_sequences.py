"""Recurrent networks and a transformer, trained an epoch a call, by each contender.

thalweg's contender is one long fit. PyTorch's is eager, with its fused layers and its
fused Adam, or has its loss compiled; JAX's a jit of a step, with a scan over times.
"""

from __future__ import annotations

import functools
import importlib.util
import queue
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import thalweg as tw

if TYPE_CHECKING:
    from benchmarks.sequences import Task

RATE = 1e-3
MOST_EPOCHS = 10_000
Parameters = Mapping[str, Any]
Epoch = Callable[[], float]  # trains an epoch, gives the mean loss


class OneByOne:
    """A fit that stops after each epoch until it is called again: it is compiled once.

    Arguments:
        fit: takes callbacks.
    """

    def __init__(self, fit: Callable[[list[Any]], object]) -> None:
        self._losses: queue.Queue[float] = queue.Queue()
        self._go_on = threading.Semaphore(0)
        self._ends = False
        self._fitting = threading.Thread(target=fit, args=([self],), daemon=True)

    def on_start(self, run: Any) -> None:
        """Nothing is to be done."""

    def on_epoch(self, record: Any) -> bool:
        """Say the loss, and wait."""
        self._losses.put(record.training_loss)
        self._go_on.acquire()
        return self._ends

    def on_end(self, history: Any) -> None:
        """Nothing is to be done."""

    def __call__(self) -> float:
        """Train an epoch."""
        if self._fitting.ident is None:
            self._fitting.start()
        else:
            self._go_on.release()
        return self._losses.get()

    def close(self) -> None:
        """End the fit, which has trained an epoch, and free its memory."""
        self._ends = True
        self._go_on.release()
        self._fitting.join()


def by_thalweg(task: Task, start: Parameters, X: Any, y: Any) -> OneByOne:
    """`Network.fit`, an epoch a call."""
    network = task.network()
    network.set_parameters(start)

    def fit(callbacks: list[Any]) -> None:
        network.fit(
            X,
            y,
            loss="cross_entropy",
            optimizer=tw.Adam(RATE),
            epochs=MOST_EPOCHS,
            batch_size=task.batch,
            validation=None,
            early_stopping=None,
            shuffle=False,
            threads=1,
            callbacks=callbacks,
        )

    return OneByOne(fit)


def by_pytorch(task: Task, start: Parameters, X: Any, y: Any) -> dict[str, Epoch]:
    """Eager, with times or rows first."""
    ways = {"PyTorch, rows first": pytorch_epoch(task, start, X, y, rows_first=True)}
    if task.kind != "transformer":
        ways["PyTorch, times first"] = pytorch_epoch(task, start, X, y)
    return ways


def by_compiled_pytorch(
    task: Task, start: Parameters, X: Any, y: Any
) -> dict[str, Epoch]:
    """The loss and its gradient compiled, as a loop reads and writes its times."""
    import torch

    compiled = functools.partial(torch.compile, dynamic=False)
    rows_first = task.kind == "transformer"
    return {"PyTorch compiled": pytorch_epoch(task, start, X, y, compiled, rows_first)}


def pytorch_epoch(
    task: Task,
    start: Parameters,
    X: Any,
    y: Any,
    wrap: Callable[[Any], Any] = lambda function: function,
    rows_first: bool = False,
) -> Epoch:
    """Steps of the fused Adam; `wrap` is around the loss."""
    import torch
    import torch.nn.functional as F  # noqa: N812 - as everyone calls it

    from benchmarks.contenders.pytorch_sequences import forward

    torch.set_num_threads(1)
    p = {n: torch.from_numpy(np.array(a)).requires_grad_() for n, a in start.items()}
    optimizer = torch.optim.Adam(list(p.values()), RATE, fused=True)
    batches = [
        [
            torch.from_numpy(part if rows_first else part.T.copy())
            for part in (X[at : at + task.batch], y[at : at + task.batch])
        ]
        for at in range(0, len(X), task.batch)
    ]

    @wrap
    def loss_of(x: Any, targets: Any) -> Any:
        logits = forward(task, p, x, rows_first)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def epoch() -> float:
        total = 0.0
        for x, targets in batches:
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(x, targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / len(batches)

    return epoch


def by_jax(task: Task, start: Parameters, X: Any, y: Any) -> dict[str, Epoch]:
    """A scan over times."""
    import jax
    import jax.numpy as jnp

    from benchmarks.contenders.jax_sequences import forward

    def loss_of(p: Any, x: Any, targets: Any) -> Any:
        logs = jax.nn.log_softmax(forward(task, p, x))
        return -jnp.take_along_axis(logs, targets[..., None], -1).mean()

    def step(state: Any, x: Any, targets: Any) -> Any:
        p, m, v, count = state
        loss, gradients = jax.value_and_grad(loss_of)(p, x, targets)
        count = count + 1
        m = {k: 0.9 * m[k] + 0.1 * g for k, g in gradients.items()}
        v = {k: 0.999 * v[k] + 0.001 * g * g for k, g in gradients.items()}
        p = {
            k: w
            - RATE
            * (m[k] / (1 - 0.9**count))
            / (jnp.sqrt(v[k] / (1 - 0.999**count)) + 1e-8)
            for k, w in p.items()
        }
        return (p, m, v, count), loss

    jitted = jax.jit(step, donate_argnums=0)
    p = {name: jnp.array(array) for name, array in start.items()}
    zeros = {name: jnp.zeros_like(array) for name, array in p.items()}
    state: list[Any] = [(p, zeros, {k: z + 0 for k, z in zeros.items()}, 0.0)]

    def epoch() -> float:
        losses: list[Any] = []
        for at in range(0, len(X), task.batch):
            part = slice(at, at + task.batch)
            state[0], loss = jitted(state[0], X[part], y[part])
            losses.append(loss)
        return float(jnp.stack(losses).mean())

    return {"JAX": epoch}


Rival = Callable[["Task", Parameters, Any, Any], dict[str, Epoch]]
RIVALS: dict[str, Rival] = {"torch": by_pytorch, "jax": by_jax}  # by what they need


def installed(compiled: bool = False) -> list[Rival]:
    """The rivals that are here."""
    here = [r for n, r in RIVALS.items() if importlib.util.find_spec(n) is not None]
    return [*here, by_compiled_pytorch] if compiled else here
