"""Recurrent networks and a transformer in PyTorch's words, on thalweg's parameters."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - as everyone calls it


def forward(task: Any, p: dict[str, torch.Tensor], x: Any, rows_first: bool) -> Any:
    """Logits of the next characters."""
    z = F.embedding(x, p["1.table"])
    if task.kind == "transformer":
        z = transformed(task, p, z)
        last = task.blocks + 4
    else:
        z = CELLS[task.kind](task, p, z, rows_first)
        last = 3
    return z @ p[f"{last}.weights"] + p[f"{last}.bias"]


def fused(kind: str) -> Any:
    """PyTorch's own loop; its second bias is nothing, but that of a GRU's candidate."""

    def run(task: Any, p: Any, x: Any, rows_first: bool) -> Any:
        bias = p["2.bias"]
        second = torch.zeros_like(bias)
        if kind == "gru":
            second = torch.cat([second[: -task.units], p["2.recurrent_bias"]])
        own = [p["2.weights"].T, p["2.recurrent"].T, bias, second]
        rows = x.shape[0 if rows_first else 1]
        h = x.new_zeros(1, rows, task.units)
        rest = (own, True, 1, 0.0, True, False, rows_first)
        if kind == "lstm":
            return torch.lstm(x, (h, h), *rest)[0]
        function = {"gru": torch.gru, "rnn": torch.rnn_tanh}[kind]
        return function(x, h, *rest)[0]

    return run


def own_cell(task: Any, p: Any, x: Any, rows_first: bool) -> Any:
    """The loop as a user writes it."""
    axis = 1 if rows_first else 0
    wide = x @ p["2.weights"]
    h = c = x.new_zeros(x.shape[1 - axis], task.units)
    found: list[torch.Tensor] = []
    for z in wide.unbind(axis):
        z = F.layer_norm(
            z + h @ p["2.recurrent"],
            (4 * task.units,),
            p["2.scale"],
            p["2.bias"],
        )
        i, f, g, o = z.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        found.append(h)
    return torch.stack(found, axis)


def transformed(task: Any, p: Any, x: torch.Tensor) -> torch.Tensor:
    """Positions, blocks with norms first, and a norm."""
    width = (x.shape[-1],)
    x = x + p["2.table"]
    for number in range(3, 3 + task.blocks):
        q = {
            k.removeprefix(f"{number}."): v
            for k, v in p.items()
            if k.startswith(f"{number}.")
        }
        z = F.layer_norm(x, width, q["1.1.scale"], q["1.1.shift"])
        parts = [
            (z @ q[f"1.2.{name}_weights"])
            .unflatten(-1, (task.heads, -1))
            .transpose(1, 2)
            for name in ("query", "key", "value")
        ]
        seen = F.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + seen.transpose(1, 2).flatten(2) @ q["1.2.output_weights"]
        z = F.layer_norm(x, width, q["2.1.scale"], q["2.1.shift"])
        z = F.gelu(z @ q["2.2.inner_weights"] + q["2.2.inner_bias"])
        x = x + z @ q["2.2.output_weights"] + q["2.2.output_bias"]
    end = 3 + task.blocks
    return F.layer_norm(x, width, p[f"{end}.scale"], p[f"{end}.shift"])


CELLS = {kind: fused(kind) for kind in ("lstm", "gru", "rnn")} | {"own": own_cell}
