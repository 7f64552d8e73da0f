"""Writes the golden numbers: what PyTorch gives for the formulas that it has too.

Run it by hand where torch is installed: ``python tests/golden/generate.py``. The tests
read the files alone. All numbers are float64, but for the training runs in float32.
"""

# torch isn't among the tools that check types.
# pyright: basic, reportMissingImports=false

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - torch's own custom
from torch.optim import lr_scheduler

FOLDER = Path(__file__).parent
POINTS = [-8.0, -2.5, -1.0, -0.3, -0.001, 0.0, 0.002, 0.4, 1.0, 3.0, 9.0]
LOGITS = [[2.0, -1.0, 0.5], [0.0, 0.3, -0.2], [-4.0, 5.0, 1.0], [1.0, 1.0, 1.0]]
COTANGENT = [[0.3, -1.2, 2.0], [1.0, 0.5, -0.7], [0.1, 0.2, 0.9], [-1.0, 2.0, 0.4]]
STEPS = 20


def value_and_gradient(function, x):
    """The function's value at x, and the gradient of its sum."""
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = function(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    return {"value": y.tolist(), "gradient": gradient.tolist()}


def activations():
    """Values and derivatives at a few points."""
    functions = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,
        "elu": F.elu,
        "selu": F.selu,
        "gelu": F.gelu,
        "silu": F.silu,
        "mish": F.mish,
        "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)),
    }
    elementwise = {n: value_and_gradient(f, POINTS) for n, f in functions.items()}
    cotangent = torch.tensor(COTANGENT, dtype=torch.float64)
    softmax = value_and_gradient(lambda z: F.softmax(z, -1) * cotangent, LOGITS)
    return {
        "points": POINTS,
        "elementwise": elementwise,
        "softmax": {"logits": LOGITS, "cotangent": COTANGENT, **softmax},
    }


def losses():
    """Mean losses and their gradients by the predictions (or logits)."""
    generator = np.random.default_rng(1)
    predictions = generator.normal(size=(6, 2)).round(3)
    targets = generator.normal(size=(6, 2)).round(3)
    probabilities = generator.uniform(0.05, 0.95, (6, 2)).round(3)
    yes = generator.integers(0, 2, (6, 2)).astype(float)
    rates = generator.uniform(0.2, 4, (6, 2)).round(3)
    counts = generator.poisson(2, (6, 2)).astype(float)
    classes = [0, 2, 1, 1]

    def case(name, function, x, y, **parameters):
        target = torch.tensor(y)
        results = value_and_gradient(lambda p: function(p, target), x)
        given = {
            "predictions": np.asarray(x).tolist(),
            "targets": np.asarray(y).tolist(),
        }
        return {"loss": name, "parameters": parameters, **given, **results}

    def poisson(p, t):
        return F.poisson_nll_loss(p, t, log_input=False, eps=0.0)

    def huber(p, t):
        return F.huber_loss(p, t, delta=0.7)

    def smoothed(p, t):
        return F.cross_entropy(p, t, label_smoothing=0.1)

    return {
        "cases": [
            case("mean_squared_error", F.mse_loss, predictions, targets),
            case("mean_absolute_error", F.l1_loss, predictions, targets),
            case("huber", F.huber_loss, predictions, targets),
            case("huber", huber, predictions, targets, delta=0.7),
            case("binary_cross_entropy", F.binary_cross_entropy, probabilities, yes),
            case("poisson", poisson, rates, counts),
        ],
        "cases_of_logits": [
            case("cross_entropy", F.cross_entropy, LOGITS, classes),
            case("cross_entropy", smoothed, LOGITS, classes, label_smoothing=0.1),
        ],
    }


def optimizers():
    """Parameters after 1, 2 and all steps with the same gradients."""
    generator = np.random.default_rng(2)
    start = generator.normal(size=4).round(3)
    gradients = (generator.normal(size=(STEPS, 4)) * [10, 1, 0.1, 1e-4]).round(6)
    rules = [
        ("sgd", torch.optim.SGD, {"lr": 0.01}, {}),
        ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}, {"momentum": 0.9}),
        (
            "sgd",
            torch.optim.SGD,
            {"lr": 0.1, "momentum": 0.9, "nesterov": True},
            {"momentum": 0.9, "nesterov": True},
        ),
        ("adagrad", torch.optim.Adagrad, {}, {}),
        ("adadelta", torch.optim.Adadelta, {}, {}),
        ("rmsprop", torch.optim.RMSprop, {}, {}),
        ("adam", torch.optim.Adam, {}, {}),
        ("adam", torch.optim.Adam, {"betas": (0.5, 0.9)}, {"beta1": 0.5, "beta2": 0.9}),
        ("adamw", torch.optim.AdamW, {}, {}),
        (
            "adamw",
            torch.optim.AdamW,
            {"lr": 0.1, "weight_decay": 0.5},
            {"weight_decay": 0.5},
        ),
    ]
    cases = []
    for name, rule, theirs, ours in rules:
        parameters = torch.tensor(start, requires_grad=True)
        optimizer = rule([parameters], **theirs)
        path = []
        for gradient in gradients:
            parameters.grad = torch.tensor(gradient)
            optimizer.step()
            path.append(parameters.tolist())
        learning_rate = optimizer.param_groups[0]["lr"]
        case = {"optimizer": name, "parameters": ours, "learning_rate": learning_rate}
        cases.append({**case, "after": {"1": path[0], "2": path[1], "20": path[-1]}})
    return {"start": start.tolist(), "gradients": gradients.tolist(), "cases": cases}


def schedules():
    """Learning rates of some steps out of 40."""

    def rates(build, losses=None):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        schedule = build(optimizer)
        found = []
        for step in range(40):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if losses is None:
                schedule.step()
            else:
                schedule.step(losses[step])
        return found

    waves = [round(1 + np.cos(i / 3) / (1 + i / 10), 3) for i in range(40)]
    return {
        "StepDecay": rates(lambda o: lr_scheduler.StepLR(o, 7, gamma=0.3)),
        "ExponentialDecay": rates(lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
        "CosineWithWarmup": rates(
            lambda o: lr_scheduler.CosineAnnealingLR(o, 40, eta_min=0.1)
        ),
        "OneCycle": rates(
            lambda o: lr_scheduler.OneCycleLR(
                o, 0.5, total_steps=41, cycle_momentum=False
            )
        ),
        "losses": waves,
        "ReduceOnPlateau": rates(
            lambda o: lr_scheduler.ReduceLROnPlateau(
                o, factor=0.5, patience=2, threshold=0.01, threshold_mode="abs"
            ),
            waves,
        ),
    }


def normalization():
    """Outputs of the normalizing layers, and BatchNorm's running statistics."""
    generator = np.random.default_rng(3)
    x = generator.normal(2, 3, (5, 3)).round(3)
    scale, shift = [0.5, 1.0, 2.0], [0.1, -0.2, 0.3]
    tensor = torch.tensor(x)
    batch, layer = nn.BatchNorm1d(3).double(), nn.LayerNorm(3).double()
    for each in (batch, layer):
        each.weight.data = torch.tensor(scale, dtype=torch.float64)
        each.bias.data = torch.tensor(shift, dtype=torch.float64)
    root = F.rms_norm(tensor, (3,), torch.tensor(scale, dtype=torch.float64), 1e-5)
    training = batch(tensor)
    return {
        "x": x.tolist(),
        "scale": scale,
        "shift": shift,
        "LayerNorm": layer(tensor).tolist(),
        "RMSNorm": root.tolist(),
        "BatchNorm": {
            "training": training.tolist(),
            "running_mean": batch.state_dict()["running_mean"].tolist(),
            "running_variance": batch.state_dict()["running_var"].tolist(),
            "prediction": batch.eval()(tensor).tolist(),
        },
    }


def convolutions():
    """Values and gradients of layers that look at windows, and a whole run."""
    generator = np.random.default_rng(5)

    def numbers(*shape):
        return generator.normal(size=shape).round(2)

    cases = []
    for kind, shape, settings, weights, function in window_layers():
        arrays = {"x": numbers(2, *shape)}
        if weights is not None:
            filters = settings["filters"]
            arrays |= {"weights": numbers(*weights), "bias": numbers(filters)}
        tensors = {n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()}
        value = function(*tensors.values())
        cotangent = numbers(*value.shape)
        (value * torch.tensor(cotangent)).sum().backward()
        case = {"layer": kind, "parameters": settings}
        case |= {name: array.tolist() for name, array in arrays.items()}
        case |= {"value": value.tolist(), "cotangent": cotangent.tolist()}
        gradients = {name: tensor.grad.tolist() for name, tensor in tensors.items()}
        cases.append(case | {"gradients": gradients})
    return {"cases": cases, "run": convolution_run(numbers)}


def window_layers():
    """Kind, shape of a row, settings, shape of weights, and the function itself.

    Rows have channels last, weights are thalweg's; PyTorch has channels first.
    """

    def channels_first(function):
        return lambda x, *pair: function(x.movedim(-1, 1), *pair).movedim(1, -1)

    def filters(weights):
        return weights.movedim(-1, 0).movedim(-1, 1)

    def causal(x, w, b):
        return F.conv1d(F.pad(x, (4, 0)), filters(w), b, dilation=2)

    def same(x, w, b):
        # 5 places of stride 2 have 1 before and 1 behind, 4 have 1 behind alone.
        wide = F.pad(x, (0, 1, 1, 1))
        return F.conv2d(wide, filters(w), b, stride=2, groups=2)

    def reflect(x, w, b):
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), filters(w), b)

    def volume(x, w, b):
        return F.conv3d(x, filters(w), b, stride=(1, 2, 1), groups=2)

    def backwards(x, w, b):
        return F.conv_transpose2d(x, w.movedim(-1, 1), b, stride=(2, 1))

    cases = [
        ("Conv", (6, 2), {"filters": 3, "size": 3, "padding": "causal", "dilation": 2},
         (3, 2, 3), causal),
        ("Conv", (5, 4, 4), {"filters": 2, "size": 3, "stride": 2, "padding": "same",
         "groups": 2}, (3, 3, 2, 2), same),
        ("Conv", (4, 3, 2), {"filters": 2, "size": 3, "padding": "reflect"},
         (3, 3, 2, 2), reflect),
        ("Conv", (3, 4, 2, 2), {"filters": 2, "size": 2, "stride": [1, 2, 1],
         "groups": 2}, (2, 2, 2, 1, 2), volume),
        ("ConvTranspose", (2, 3, 2), {"filters": 2, "size": [3, 2], "stride": [2, 1]},
         (2, 3, 2, 2), backwards),
        ("MaxPool", (5, 5, 2), {"size": 3, "stride": 2}, None,
         lambda x: F.max_pool2d(x, 3, 2)),
        ("MeanPool", (5, 4, 1), {"size": 2}, None, lambda x: F.avg_pool2d(x, 2)),
    ]  # fmt: skip
    return [(*case[:-1], channels_first(case[-1])) for case in cases]


def convolution_run(numbers):
    """100 steps of Adam on images of 8×8: every epoch's loss, and the end."""
    X, classes = numbers(24, 8, 8, 1), np.arange(24) % 3
    start = {
        "1.weights": numbers(3, 3, 1, 4),
        "1.bias": numbers(4),
        "3.weights": numbers(2, 2, 4, 3),
        "3.bias": numbers(3),
        "5.weights": numbers(12, 3),
        "5.bias": numbers(3),
    }
    at = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    optimizer = torch.optim.Adam(at.values(), lr=0.01)

    def filters(name):
        return at[f"{name}.weights"].permute(3, 2, 0, 1), at[f"{name}.bias"]

    def logits(x):
        x = F.max_pool2d(torch.tanh(F.conv2d(x.permute(0, 3, 1, 2), *filters(1))), 2)
        x = torch.relu(F.conv2d(x, *filters(3))).permute(0, 2, 3, 1)
        return x.flatten(1) @ at["5.weights"] + at["5.bias"]

    losses = []
    for _ in range(50):
        found = []
        for rows in (slice(0, 12), slice(12, 24)):
            optimizer.zero_grad()
            targets = torch.tensor(classes[rows])
            loss = F.cross_entropy(logits(torch.tensor(X[rows])), targets)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        losses.append(np.mean(found))
    return {
        "X": X.tolist(),
        "classes": classes.tolist(),
        "start": {name: array.tolist() for name, array in start.items()},
        "losses": losses,
        "end": {name: tensor.tolist() for name, tensor in at.items()},
    }


GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def transformers():
    """Values and gradients of attention and of blocks, and a whole run."""
    generator = np.random.default_rng(6)

    def numbers(*shape):
        return generator.normal(size=shape).round(2)

    cases = []
    for kind, settings, shapes, function in sequence_layers():
        arrays = {"x": numbers(2, 5, 6)} | {n: numbers(*s) for n, s in shapes.items()}
        tensors = {n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()}
        value = function(**tensors)
        cotangent = numbers(*value.shape)
        (value * torch.tensor(cotangent)).sum().backward()
        case = {"layer": kind, "parameters": settings}
        case |= {"arrays": {name: array.tolist() for name, array in arrays.items()}}
        case |= {"value": value.tolist(), "cotangent": cotangent.tolist()}
        gradients = {name: tensor.grad.tolist() for name, tensor in tensors.items()}
        cases.append(case | {"gradients": gradients})
    return {"cases": cases, "run": transformer_run(numbers)}


WEIGHTS = ("query", "key", "value", "output")
HIDDEN = torch.ones(5, 5, dtype=torch.bool).triu(1)  # later times, of five


def their_attention(x, heads, causal, *weights_and_biases):
    """PyTorch's own layer, on weights as thalweg has them: inputs first."""
    q, k, v, out, *biases = weights_and_biases
    b_q, b_k, b_v, b_out = biases or [None] * 4
    y, _ = F.multi_head_attention_forward(
        *[x.transpose(0, 1)] * 3,
        embed_dim_to_check=x.shape[-1], num_heads=heads,
        in_proj_weight=torch.cat([q.T, k.T, v.T]),
        in_proj_bias=torch.cat([b_q, b_k, b_v]) if biases else None,
        bias_k=None, bias_v=None, add_zero_attn=False, dropout_p=0,
        out_proj_weight=out.T, out_proj_bias=b_out,
        attn_mask=HIDDEN if causal else None, need_weights=False,
    )  # fmt: skip
    return y.transpose(0, 1)


def their_block(x, scale, shift, q, k, v, out, scale2, shift2, w, b, w2, b2):
    """A block by PyTorch's functions, norms first."""
    x = x + their_attention(F.layer_norm(x, (6,), scale, shift), 3, True, q, k, v, out)
    z = F.layer_norm(x, (6,), scale2, shift2)
    return x + F.linear(F.gelu(F.linear(z, w.T, b)), w2.T, b2)


def turned(x):
    """Rotary positions, as a product of complex numbers."""
    size = x.shape[-1]
    speeds = 10000 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angle = torch.outer(torch.arange(x.shape[-2], dtype=torch.float64), speeds)
    points = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
    return torch.view_as_real(points * torch.polar(torch.ones_like(angle), angle))


def their_rotary(x, q, k, v, out):
    """Two heads of two numbers each, whose queries and keys are turned."""
    q, k, v = ((x @ w).reshape(*x.shape[:2], 2, -1).transpose(1, 2) for w in (q, k, v))
    q, k = (turned(each).flatten(-2) for each in (q, k))
    y = F.scaled_dot_product_attention(q, k, v)
    return y.transpose(1, 2).flatten(-2) @ out


def sequence_layers():
    """Kind, settings, shapes of parameters, and the function itself."""
    square = {f"{name}_weights": (6, 6) for name in WEIGHTS}
    biases = {f"{name}_bias": (6,) for name in WEIGHTS}
    small = {f"{name}_weights": (6, 4) for name in WEIGHTS[:3]}
    dense = {"inner_weights": (6, 7), "inner_bias": (7,)}
    dense |= {"output_weights": (7, 6), "output_bias": (6,)}
    norm = {"scale": (6,), "shift": (6,)}
    block = {f"1.1.{n}": s for n, s in norm.items()}
    block |= {f"1.2.{n}": s for n, s in square.items()}
    block |= {f"2.1.{n}": s for n, s in norm.items()}
    block |= {f"2.2.{n}": s for n, s in dense.items()}
    return [
        ("Attention", {"heads": 2}, square,
         lambda x, **p: their_attention(x, 2, False, *p.values())),
        ("Attention", {"heads": 3, "causal": True, "bias": True}, square | biases,
         lambda x, **p: their_attention(x, 3, True, *p.values())),
        ("Attention", {"heads": 2, "units": 4, "positions": "rotary"},
         small | {"output_weights": (4, 6)},
         lambda x, **p: their_rotary(x, *p.values())),
        ("FeedForward", {"units": 7}, dense,
         lambda x, **p: F.linear(
             F.gelu(F.linear(x, p["inner_weights"].T, p["inner_bias"])),
             p["output_weights"].T, p["output_bias"])),
        ("TransformerBlock", {"heads": 3, "units": 7, "causal": True}, block,
         lambda x, **p: their_block(x, *p.values())),
    ]  # fmt: skip


def transformer_run(numbers):
    """100 steps of Adam on the next of 7 characters: losses of epochs, and the end."""
    generator = np.random.default_rng(7)
    text = generator.integers(0, 7, 24 * 3)
    text[1::2] = (text[::2] * 3 + 1) % 7
    X = np.stack([text[i : i + 5] for i in range(24)])
    y = np.stack([text[i + 1 : i + 6] for i in range(24)])
    *_, (_, _, shapes, _) = sequence_layers()
    start = {"1.table": numbers(7, 6), "2.table": numbers(5, 6)}
    start |= {f"3.{name}": numbers(*shape) for name, shape in shapes.items()}
    start |= {"4.weights": numbers(6, 7), "4.bias": numbers(7)}
    at = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    optimizer = torch.optim.Adam(at.values(), lr=0.01)

    def logits(rows):
        x = at["1.table"][rows] + at["2.table"]
        x = their_block(x, *(at[f"3.{name}"] for name in shapes))
        return x @ at["4.weights"] + at["4.bias"]

    losses = []
    for _ in range(50):
        found = []
        for rows in (slice(0, 12), slice(12, 24)):
            optimizer.zero_grad()
            targets = torch.tensor(y[rows]).flatten()
            loss = F.cross_entropy(logits(torch.tensor(X[rows])).flatten(0, 1), targets)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        losses.append(np.mean(found))
    return {
        "X": X.tolist(),
        "y": y.tolist(),
        "start": {name: array.tolist() for name, array in start.items()},
        "losses": losses,
        "end": {name: tensor.tolist() for name, tensor in at.items()},
    }


def recurrence():
    """Values and gradients of cells in each direction, and a whole run of each."""
    generator = np.random.default_rng(6)

    def numbers(*shape):
        return generator.normal(size=shape).round(2)

    cases = []
    for kind in GATES:
        for way in ("forwards", "backwards", "both"):
            arrays = {"x": numbers(2, 5, 3), **cell_arrays(kind, 3, 2, way, numbers)}
            tensors = {
                n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()
            }
            value = recurrent(kind, way, *tensors.values())
            cotangent = numbers(*value.shape)
            (value * torch.tensor(cotangent)).sum().backward()
            case = {"cell": kind, "way": way, "units": 2}
            case["arrays"] = {name: array.tolist() for name, array in arrays.items()}
            case |= {"value": value.tolist(), "cotangent": cotangent.tolist()}
            gradients = {name: tensor.grad.tolist() for name, tensor in tensors.items()}
            cases.append(case | {"gradients": gradients})
    return {"cases": cases, "runs": [recurrent_run(kind, numbers) for kind in GATES]}


def cell_arrays(kind, features, units, way, numbers):
    """A cell's parameters, as thalweg has them; two cells' where it goes both ways."""
    gates = GATES[kind]
    shapes = {
        "weights": (features, gates * units),
        "recurrent": (units, gates * units),
        "bias": (gates * units,),
    }
    if kind == "GRU":
        shapes["recurrent_bias"] = (units,)
    places = ("forward.", "backward.") if way == "both" else ("",)
    return {p + name: numbers(*s) for p in places for name, s in shapes.items()}


def recurrent(kind, way, x, *own):
    """A cell over the times of x, (rows, times, features), by PyTorch.

    PyTorch has two biases for each gate. The second is 0 here, but for the GRU's third.
    """
    count = len(own) // (1 + (way == "both"))
    weights = []
    for at in range(0, len(own), count):
        w, u, b, *d = own[at : at + count]
        second = torch.zeros_like(b)
        if d:
            second = torch.cat([second[: -len(d[0])], d[0]])
        weights += [w.T, u.T, b, second]
    function = {"RNN": torch.rnn_tanh, "LSTM": torch.lstm, "GRU": torch.gru}[kind]
    directions = 2 if way == "both" else 1
    start = x.new_zeros(directions, len(x), own[1].shape[0])
    start = (start, start) if kind == "LSTM" else start
    x = x.flip(1) if way == "backwards" else x
    y = function(x, start, weights, True, 1, 0.0, False, directions == 2, True)[0]
    return y.flip(1) if way == "backwards" else y


def recurrent_run(kind, numbers):
    """100 steps of Adam on series of six times: every epoch's loss, and the end."""
    X, classes = numbers(24, 6, 2), np.arange(24) % 3
    start = cell_arrays(kind, 2, 4, "both", numbers)
    start = {f"1.{name}": array for name, array in start.items()}
    start |= {"3.weights": numbers(8, 3), "3.bias": numbers(3)}
    at = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    optimizer = torch.optim.Adam(at.values(), lr=0.01)
    own = [tensor for name, tensor in at.items() if name[0] == "1"]
    losses = []
    for _ in range(50):
        found = []
        for rows in (slice(0, 12), slice(12, 24)):
            optimizer.zero_grad()
            y = recurrent(kind, "both", torch.tensor(X[rows]), *own)[:, -1]
            logits = y @ at["3.weights"] + at["3.bias"]
            loss = F.cross_entropy(logits, torch.tensor(classes[rows]))
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        losses.append(np.mean(found))
    return {
        "cell": kind,
        "units": 4,
        "X": X.tolist(),
        "classes": classes.tolist(),
        "start": {name: array.tolist() for name, array in start.items()},
        "losses": losses,
        "end": {name: tensor.tolist() for name, tensor in at.items()},
    }


EPOCHS, ROWS, BATCH = 20, 36, 8  # the last batch of an epoch has 4 rows: 100 steps
RULES = [
    ("sgd", torch.optim.SGD, {"lr": 0.5}, {}),
    ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}, {"momentum": 0.9}),
    (
        "sgd",
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "nesterov": True},
    ),
    ("adagrad", torch.optim.Adagrad, {"lr": 0.1}, {}),
    ("adadelta", torch.optim.Adadelta, {"lr": 1.0}, {}),
    ("rmsprop", torch.optim.RMSprop, {"lr": 0.01}, {}),
    ("adam", torch.optim.Adam, {"lr": 0.03}, {}),
    (
        "adamw",
        torch.optim.AdamW,
        {"lr": 0.03, "weight_decay": 0.1},
        {"weight_decay": 0.1},
    ),
]


def runs():
    """Whole training runs: the loss of every step, and the weights at the end."""
    generator = np.random.default_rng(4)
    X = generator.normal(size=(ROWS, 4)).round(3)
    classes = (X @ generator.normal(size=(4, 3))).argmax(axis=1)
    numbers = (np.sin(X[:, 0]) + X[:, 1] * X[:, 2]).round(3)
    start = {
        "first.weights": generator.normal(size=(4, 6)).round(3).tolist(),
        "first.bias": generator.normal(size=6).round(3).tolist(),
        "last.weights": generator.normal(size=(6, 3)).round(3).tolist(),
        "last.bias": generator.normal(size=3).round(3).tolist(),
    }
    cases = []
    for dtype in ("float64", "float32"):
        for name, rule, theirs, ours in RULES:
            network = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
            case = run(network, rule, theirs, F.cross_entropy, X, classes, start, dtype)
            cases.append({"optimizer": name, "parameters": ours, **case})
    one = {k: np.array(v)[..., :1].tolist() for k, v in start.items() if k[0] == "l"}
    normalized = nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1)
    )
    with_state = run(
        normalized,
        torch.optim.Adam,
        {"lr": 0.03},
        lambda p, t: F.mse_loss(p[:, 0], t),
        X,
        numbers,
        {**start, **one},
        "float64",
        penalty=0.01,
    )
    return {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "X": X.tolist(),
        "classes": classes.tolist(),
        "numbers": numbers.tolist(),
        "start": start,
        "cases": cases,
        "BatchNorm and L2": with_state,
    }


def run(network, rule, settings, loss, X, y, start, dtype, penalty=0.0):
    """One run in the order of the rows."""
    network = network.to(getattr(torch, dtype))
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    for layer, name in zip(linear, ("first", "last"), strict=True):
        weights, bias = np.array(start[f"{name}.weights"]), start[f"{name}.bias"]
        layer.weight.data = torch.tensor(weights.T).to(layer.weight)
        layer.bias.data = torch.tensor(np.array(bias)).to(layer.bias)
    X, y = torch.tensor(X).to(getattr(torch, dtype)), torch.tensor(y)
    optimizer = rule(network.parameters(), **settings)
    losses = []
    for _ in range(EPOCHS):
        for first in range(0, ROWS, BATCH):
            rows = slice(first, first + BATCH)
            optimizer.zero_grad()
            value = loss(network(X[rows]), y[rows])
            losses.append(value.item())
            squares = sum((layer.weight**2).sum() for layer in linear)
            (value + penalty * squares).backward()
            optimizer.step()
    end = {
        f"{name}.{ours}": getattr(layer, theirs).data.T.tolist()
        for layer, name in zip(linear, ("first", "last"), strict=True)
        for ours, theirs in (("weights", "weight"), ("bias", "bias"))
    }
    for layer in network:
        if isinstance(layer, nn.BatchNorm1d):
            statistics = layer.state_dict()
            end |= {
                "normal.scale": layer.weight.data.tolist(),
                "normal.shift": layer.bias.data.tolist(),
                "normal.running_mean": statistics["running_mean"].tolist(),
                "normal.running_variance": statistics["running_var"].tolist(),
            }
    return {
        "dtype": dtype,
        "learning_rate": settings["lr"],
        "losses": losses,
        "end": end,
    }


def main():
    """Write one file for each group."""
    groups = (activations, losses, optimizers, schedules, normalization, runs)
    for group in (*groups, convolutions, recurrence, transformers):
        numbers = {"torch": torch.__version__.split("+")[0], **group()}
        text = json.dumps(numbers, indent=1)
        (FOLDER / f"{group.__name__}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
