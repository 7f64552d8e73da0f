"""PyTorch, eager and compiled, each by the fastest of the ways that people use.

Eager: modules and `torch.optim.Adam(fused=True)`, gradients set to None; and a lean
loop of functional calls, `torch.autograd.grad` and the fused kernel called directly,
without the optimizer's own Python. Compiled: the loss alone with fused Adam after it
(mode "default"; "reduce-overhead" is about CUDA graphs and changes nothing on a CPU),
and the whole step with its update as one graph, also by way of Inductor's C++ wrapper.
Predictions are made in inference mode, from tensors to tensors, whole and in chunks.
Networks with convolutions are tried with channels first in memory and with them last.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - as everyone calls it

from benchmarks.contenders.measure import Ready, Stamps, Ways, timed_calls
from benchmarks.contenders.pytorch_layers import (
    Tensors,
    forward,
    layouts,
    modules_at,
    ordered,
    parameters_at,
)
from benchmarks.work import Run, Start, Work

private: Any = torch  # what optimizers call, though no name of it is public
Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
StepMaker = Callable[[Start], tuple[Tensors, Step]]
Makers = dict[str, Callable[[int], Any]]
CHUNKS, CHUNKS_OF_IMAGES = (1024, 8192), (64, 512)


def ways(kind: str, work: Work, options: dict[str, Any]) -> Ways:
    """The ways of one kind, eager or compiled, in each order of axes."""
    torch.set_num_threads(options["threads"])
    compiled = options["way"] == "compiled"
    if compiled:  # imports a lot, which eager ways don't need
        torch._dynamo.reset()
    found: Ways = {}
    for layout in layouts(work.network):
        of = Arranged(work, layout)
        if kind == "predict":
            makers = compiled_predictors(of) if compiled else eager_predictors(of)
            own = in_chunks(of, makers)
        else:
            steps = compiled_steps(of) if compiled else eager_steps(of)
            own = {
                name: functools.partial(trainer, of, make)
                for name, make in steps.items()
            }
        found |= {", ".join(filter(None, [n, layout])): way for n, way in own.items()}
    return found


@dataclass(frozen=True)
class Arranged:
    """A work in one of PyTorch's orders of axes."""

    work: Work
    layout: str = ""

    @property
    def rows(self) -> torch.Tensor:
        """All rows."""
        return ordered(torch.from_numpy(self.work.X), self.layout)

    def parameters_at(self, start: Start) -> Tensors:
        """Weights and bias of each layer in turn."""
        return parameters_at(self.work.network, start, self.layout)

    def modules_at(self, start: Start) -> torch.nn.Sequential:
        """A `Sequential` with the first parameters."""
        return modules_at(self.work.network, start, self.layout)

    def forward(self, parameters: Tensors, x: torch.Tensor) -> torch.Tensor:
        """The last layer's logits."""
        return forward(self.work.network, parameters, x)

    def objective(
        self, parameters: Tensors, x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        """The mean loss of a batch, with its penalty."""
        return loss_of(self.work, self.forward(parameters, x), y, parameters)


# Losses and rules ---------------------------------------------------------------------


def loss_of(
    work: Work, logits: torch.Tensor, y: torch.Tensor, parameters: Tensors
) -> torch.Tensor:
    """The mean loss of a batch, with its penalty."""
    if work.loss == "binary":
        total = F.binary_cross_entropy_with_logits(logits, y, reduction="sum")
        loss = total / len(y)
    elif work.loss == "classes":
        loss = F.cross_entropy(logits, y)
    else:
        loss = F.mse_loss(logits, y) / 2
    if work.alpha:
        squares = [weights.square().sum() for weights in parameters[::2]]
        loss = loss + work.penalty * torch.stack(squares).sum()
    return loss


def adam(rate: Any, step: Any, theta: Any, g: Any, m: Any, v: Any) -> None:
    m.mul_(0.9).add_(g, alpha=0.1)
    v.mul_(0.999).addcmul_(g, g, value=0.001)
    theta.sub_(rate * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8))


def own_rule(rate: Any, step: Any, theta: Any, g: Any, m: Any, s: Any) -> None:
    m.mul_(0.9).add_(g, alpha=0.1)
    s.mul_(0.99).add_((g - m).square(), alpha=0.01)
    theta.sub_(rate * m / (s.sqrt() + 1e-3))


RULES = {"adam": adam, "own": own_rule}


# Steps --------------------------------------------------------------------------------


def eager_steps(of: Arranged) -> dict[str, Callable[[], StepMaker]]:
    """The usual loop, and a lean one."""

    def modules() -> StepMaker:
        return functools.partial(module_step, of)

    def lean() -> StepMaker:
        return functools.partial(lean_step, of)

    if of.work.rule != "adam":
        return {"lean loop": lean}
    return {"modules": modules, "lean loop": lean}


def compiled_steps(of: Arranged) -> dict[str, Callable[[], StepMaker]]:
    """The loss compiled, or the whole step."""
    wrapper = {"cpp_wrapper": True}
    whole = {
        "whole step": functools.partial(whole_step, of, {}),
        "whole step, C++ wrapper": functools.partial(whole_step, of, wrapper),
    }
    if of.work.rule != "adam":
        return whole
    return {"loss, fused Adam": functools.partial(compiled_loss_step, of), **whole}


def module_step(of: Arranged, start: Start) -> tuple[Tensors, Step]:
    """As tutorials have it, with Adam fused and gradients set to None."""
    network = of.modules_at(start)
    parameters: Tensors = list(network.parameters())
    optimizer = torch.optim.Adam(parameters, lr=start.learning_rate, fused=True)

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(of.work, network(x), y, parameters)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return parameters, step


def lean_step(of: Arranged, start: Start) -> tuple[Tensors, Step]:
    """Functional calls, `autograd.grad`, and the update without an optimizer object."""
    parameters = [p.requires_grad_() for p in of.parameters_at(start)]
    means = [torch.zeros_like(p) for p in parameters]
    squares = [torch.zeros_like(p) for p in parameters]
    counts = [torch.zeros(()) for _ in parameters]
    rate = start.learning_rate

    def fused_adam(gradients: Any) -> None:
        private._foreach_add_(counts, 1)
        private._fused_adam_(
            parameters,
            gradients,
            means,
            squares,
            [],
            counts,
            lr=rate,
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def by_rule(gradients: Any) -> None:
        for each in zip(parameters, gradients, means, squares, strict=True):
            own_rule(rate, None, *each)

    update = fused_adam if of.work.rule == "adam" else by_rule

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss = of.objective(parameters, x, y)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            update(gradients)
        return loss.detach()

    return parameters, step


def compiled_loss_step(of: Arranged) -> StepMaker:
    """`torch.compile` around forward pass and loss."""

    objective = torch.compile(of.objective, dynamic=False)

    def make(start: Start) -> tuple[Tensors, Step]:
        parameters = [p.requires_grad_() for p in of.parameters_at(start)]
        optimizer = torch.optim.Adam(parameters, lr=start.learning_rate, fused=True)

        def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            optimizer.zero_grad(set_to_none=True)
            loss = objective(parameters, x, y)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return parameters, step

    return make


def whole_graph(of: Arranged, options: dict[str, Any]) -> Any:
    """Loss, gradients and update as one compiled function, in place."""

    def whole(
        p: Tensors, m: Tensors, v: Tensors, step: Any, rate: Any, x: Any, y: Any
    ) -> torch.Tensor:
        gradients, loss = torch.func.grad_and_value(of.objective)(p, x, y)
        step.add_(1)
        for each in zip(p, gradients, m, v, strict=True):
            RULES[of.work.rule](rate, step, *each)
        return loss

    return torch.compile(whole, dynamic=False, options=options)


def whole_step(of: Arranged, options: dict[str, Any]) -> StepMaker:
    """A step is one call of a graph."""
    graph = whole_graph(of, options)

    def make(start: Start) -> tuple[Tensors, Step]:
        parameters = of.parameters_at(start)
        means = [torch.zeros_like(p) for p in parameters]
        squares = [torch.zeros_like(p) for p in parameters]
        count, rate = torch.zeros(()), torch.tensor(start.learning_rate)

        def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                return graph(parameters, means, squares, count, rate, x, y)

        return parameters, step

    return make


def trainer(of: Arranged, build: Callable[[], StepMaker]) -> Ready:
    """A loop over batches that were cut before."""
    make = build()
    work = of.work
    X, y = of.rows, torch.from_numpy(work.y)
    batches = list(zip(X.split(work.batch_size), y.split(work.batch_size), strict=True))
    shares = [len(x) / len(X) for x, _ in batches]
    last: list[Tensors] = []

    def run(epochs: int, number: int) -> Run:
        parameters, step = make(work.starts[number])
        last[:] = [parameters]
        losses: list[torch.Tensor] = []
        stamps = Stamps()
        for _ in range(epochs):
            means = [step(x, y) for x, y in batches]
            losses.append(torch.stack(means).dot(torch.tensor(shares)))
            stamps()
        return stamps.run(work.steps, epochs, [float(loss) for loss in losses])

    return Ready(run, lambda: [p.detach().numpy().T for p in last[0]])


# Predictions --------------------------------------------------------------------------


def probabilities(work: Work, logits: torch.Tensor) -> torch.Tensor:
    """What the last layer gives."""
    if work.loss == "classes":
        return torch.softmax(logits, dim=-1)
    return torch.sigmoid(logits) if work.loss == "binary" else logits


class Predictor(torch.nn.Module):
    def __init__(self, of: Arranged) -> None:
        super().__init__()
        self.work = of.work
        self.network = of.modules_at(of.work.starts[0])

    def forward(self, x):
        return probabilities(self.work, self.network(x))


def eager_predictors(of: Arranged) -> Makers:
    """Functional calls, and a frozen trace."""
    tensors = of.parameters_at(of.work.starts[0])

    def functional(rows: int) -> Any:
        return lambda x: probabilities(of.work, of.forward(tensors, x))

    def frozen(rows: int) -> Any:
        return torch.jit.freeze(torch.jit.trace(Predictor(of).eval(), of.rows[:rows]))

    return {"functional": functional, "frozen trace": frozen}


def compiled_predictors(of: Arranged) -> Makers:
    """`torch.compile`, plain and by way of the C++ wrapper."""

    def compiled(options: dict[str, Any], rows: int) -> Any:
        torch._dynamo.reset()
        return torch.compile(Predictor(of).eval(), dynamic=False, options=options)

    return {
        "compiled": functools.partial(compiled, {}),
        "C++ wrapper": functools.partial(compiled, {"cpp_wrapper": True}),
    }


def in_chunks(of: Arranged, makers: Makers) -> Ways:
    """Every way on all rows at once, and on chunks that stay in the cache."""
    rows = len(of.work.X)
    chunks = CHUNKS_OF_IMAGES if of.work.network.has_windows else CHUNKS
    return {
        f"{name}, {size} rows": functools.partial(predictor, of, make, size)
        for name, make in makers.items()
        for size in [rows, *(size for size in chunks if size < rows)]
    }


def predictor(of: Arranged, make: Callable[[int], Any], size: int) -> Ready:
    """Calls from a tensor to a tensor."""
    X = of.rows
    call = make(size)
    result = torch.empty(len(X), of.work.sizes[-1])

    def whole() -> torch.Tensor:
        return call(X)

    def chunked() -> torch.Tensor:
        for start in range(0, len(X), size):
            result[start : start + size] = call(X[start : start + size])
        return result

    def run(count: int, number: int) -> Run:
        with torch.inference_mode():
            return timed_calls(whole if size >= len(X) else chunked, count, values)

    return Ready(run)


def values(predictions: torch.Tensor) -> list[float]:
    """Some predictions, to be compared."""
    return predictions[:100].ravel().tolist()
