"""Hashes of what some fifty runs give: what must not change as thalweg is rebuilt.

    python scripts/bits.py FOLDER [RUN ...]

writes FOLDER/bits.json, with a hash for each thing that each run gives, and the thing
itself as FOLDER/RUN.THING wherever that can be read. `scripts/same_bits` runs it on two
versions and compares. What is left out is versions and times.

It uses what users of thalweg use, so that it runs on every version: public names alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from model_samples import (
    NoisyNorm,
    asymmetric,
    forms_text,
    swish,
    table_text,
)
from numpy.typing import NDArray

import thalweg as tw

Things = dict[str, Any]
Run = Callable[[Path], Things]
RUNS: dict[str, Run] = {}

ROWS, COLUMNS = 150, 6
GENERATOR = np.random.default_rng(17)
X = GENERATOR.normal(size=(ROWS, COLUMNS))
CLASSES = GENERATOR.integers(0, 3, ROWS)
NUMBERS = X @ np.arange(1, 7) + GENERATOR.normal(size=ROWS)
COUNTS = GENERATOR.poisson(3, ROWS)
WEIGHTS = GENERATOR.uniform(0.5, 2, ROWS)
CODES = np.column_stack([X[:, :4], GENERATOR.integers(0, 5, (ROWS, 2))])

ACTIVATIONS = (
    *("elu", "gelu", "identity", "leaky_relu", "mish", "relu"),
    *("selu", "sigmoid", "silu", "softplus", "tanh"),
)
INITIALIZERS = (
    *("glorot_uniform", "glorot_normal", "he_uniform", "he_normal"),
    *("lecun_uniform", "lecun_normal", "zeros", "ones", "constant", "normal"),
    "orthogonal",
)
RATE = 0.01
SCHEDULES: Mapping[str, tw.Schedule] = {
    "constant": tw.Constant(RATE),
    "step": tw.StepDecay(RATE, every=2),
    "exponential": tw.ExponentialDecay(RATE, factor=0.9),
    "cosine": tw.CosineWithWarmup(RATE),
    "one_cycle": tw.OneCycle(RATE),
    "plateau": tw.ReduceOnPlateau(RATE, patience=1),
}
OPTIMIZERS: Mapping[str, tw.Optimizer] = {
    "sgd": tw.SGD(RATE),
    "momentum": tw.SGD(RATE, momentum=0.9),
    "nesterov": tw.SGD(RATE, momentum=0.9, nesterov=True),
    "adam": tw.Adam(RATE),
    "adamw": tw.AdamW(RATE),
    "adagrad": tw.Adagrad(RATE),
    "adadelta": tw.Adadelta(),
    "rmsprop": tw.RMSProp(RATE),
    "lion": tw.Lion(RATE),
}
PENALTIES: Mapping[str, tw.Penalty] = {
    "l1": tw.L1(0.01),
    "l2": tw.L2(0.01),
    "both": tw.L1(0.01) + tw.L2(0.01),
}


def run(make: Run) -> Run:
    """A run by the name of its function."""
    RUNS[make.__name__] = make
    return make


# Networks -----------------------------------------------------------------------------


def trained(
    layers: Sequence[Any], y: Any = CLASSES, inputs: Any = X, **fit: Any
) -> tw.Network:
    """A network after three epochs on the rows, the last batch of which is smaller."""
    network = tw.Network(list(layers))
    network.fit(inputs, y, **{"epochs": 3, **fit})
    return network


def given(network: tw.Network, y: Any = CLASSES, inputs: Any = X) -> Things:
    """What a trained network is, and what it says of the rows."""
    return {
        "parameters": network.parameters,
        "predictions": network.predict(inputs),
        "few": network.predict(inputs[:7]),
        "scores": network.evaluate(inputs, y),
        "history": history(network.history),
    }


def history(found: Any) -> Things:
    """What happened in each epoch, but for how long it took."""
    data = found.to_dict()
    for record in data["epochs"]:
        del record["seconds"]
    return data


def written(network: tw.Network, folder: Path, inputs: Any = X) -> Things:
    """A network's file, its exports, and its formulas."""
    network.save(folder / "network.thalweg")
    again = tw.load(folder / "network.thalweg")
    tw.export(network, folder / "network.py")
    tw.export(network, folder / "network.onnx")
    return {
        "file": contents(folder / "network.thalweg"),
        "loaded": again.predict(inputs),
        "explain": str(network.explain()),
        "python": (folder / "network.py").read_text(encoding="utf-8"),
        "onnx": onnx_of(folder / "network.onnx"),
    }


def contents(path: Path) -> Things:
    """A model file's arrays and document, but for who wrote it and the times."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    document = json.loads(header.pop("__metadata__")["thalweg"])
    del document["writer"]
    header.pop("times", None)
    arrays = {
        name: content[slice(*(start + place for place in entry["data_offsets"]))]
        for name, entry in header.items()
    }
    return {"document": document, "arrays": arrays}


def onnx_of(path: Path) -> str:
    """An ONNX file as text, without the version of who wrote it."""
    import onnx

    model = onnx.load(str(path))
    model.producer_version = ""
    return str(model)


@run
def activations(folder: Path) -> Things:
    """Each activation, one after the other, and softmax."""
    layers = [tw.Dense(5, name) for name in ACTIVATIONS]
    network = trained([*layers, tw.Dense(3, "softmax")])
    return given(network) | written(network, folder)


@run
def activations_float64(folder: Path) -> Things:
    """The same in float64."""
    layers = [tw.Dense(5, name) for name in ACTIVATIONS]
    network = trained([*layers, tw.Dense(3, "softmax")], dtype="float64")
    return given(network) | written(network, folder)


@run
def layers(folder: Path) -> Things:
    """Each layer, some inside others."""
    ends = ((4, 5, tw.Embedding(5, 2)), (5, 6, None))
    inner = tw.Columns(((0, 2, tw.Dense(2)), (2, 4, tw.BatchNorm())))
    stacks = {"flat": ((0, 4, tw.Dense(4)), *ends), "deep": ((0, 4, inner), *ends)}
    found: Things = {}
    for name, parts in stacks.items():
        network = trained(
            [
                tw.Columns(parts),
                tw.LayerNorm(),
                tw.Dropout(0.2),
                tw.BatchNorm(momentum=0.3),
                tw.Dense(8, "silu"),
                tw.Dense(3, "softmax"),
            ],
            inputs=CODES,
        )
        place = folder / name
        place.mkdir()
        found[name] = given(network, inputs=CODES) | written(network, place, CODES)
    return found


@run
def convolutions(folder: Path) -> Things:
    """Convolutions over images and series, and pooling."""
    images = np.random.default_rng(3).normal(size=(len(X), 6, 6, 2))
    layers = [
        tw.Conv(4, 3, padding="same", groups=2, activation="relu"),
        tw.MaxPool(2),
        tw.Conv(4, 2, dilation=2, padding="reflect", activation="tanh"),
        tw.ConvTranspose(2, 2, 2),
        tw.MeanPool(2, 1),
        tw.Parallel([[tw.GlobalMax()], [tw.GlobalMean()], [tw.Flatten()]]),
        tw.Dense(3, "softmax"),
    ]
    network = trained(layers, inputs=images)
    return given(network, inputs=images) | written(network, folder, images)


@run
def recurrence(folder: Path) -> Things:
    """Cells over series, in each direction, one of them a user's own."""
    from own_cell import Leaky  # the commit that is compared may have no cells

    series = np.random.default_rng(5).normal(size=(len(X), 7, 3))
    layers = [
        tw.Bidirectional(tw.Recurrent(tw.GRU(5))),
        tw.Recurrent(tw.RNN(4, swish), reverse=True),
        Leaky(),
        tw.Parallel([[tw.LSTM(4), tw.Last()], tw.Recurrent(tw.RNN(3), True, False)]),
        tw.Dense(3, "softmax"),
    ]
    network = trained(layers, inputs=series)
    return given(network, inputs=series) | written(network, folder, series)


@run
def transformers(folder: Path) -> Things:
    """Attention and what goes with it, over sequences of vectors."""
    times = np.random.default_rng(5).normal(size=(len(X), 9, 8))
    layers = [
        tw.Positions("sine"),
        tw.Attention(2, units=12, positions="rotary", bias=True),
        tw.TransformerBlock(4, 16, causal=True, dropout=0.1),
        tw.Positions(),
        tw.TransformerBlock(1, 6, norm="rms"),
        tw.FeedForward(5, "silu"),
        tw.RMSNorm(),
        tw.GlobalMean(),
        tw.Dense(3, "softmax"),
    ]
    network = trained(layers, inputs=times)
    return given(network, inputs=times) | written(network, folder, times)


@run
def preparation(folder: Path) -> Things:
    """What a network is given is prepared by layers."""
    images = np.random.default_rng(4).normal(size=(len(X), 5, 6, 2))
    layers = [
        tw.Rescale(0.5, (0.1, 0.2)),
        tw.Augment(1, "both", 100, 0.1),
        tw.Flatten(),
        tw.Dense(3, "softmax"),
    ]
    network = trained(layers, inputs=images)
    return given(network, inputs=images) | written(network, folder, images)


@run
def perceptron(folder: Path) -> Things:
    """One perceptron, which learns yes or no."""
    network = trained([tw.Perceptron("sigmoid")], (CLASSES == 1).astype(int))
    return given(network, (CLASSES == 1).astype(int)) | written(network, folder)


@run
def own_formulas(folder: Path) -> Things:
    """Activations, a layer and a loss that a user wrote."""
    loss = tw.Loss.of(asymmetric).with_parameters(factor=4.0)
    network = trained(
        [tw.Dense(4, swish), NoisyNorm(), tw.Dense(3, lambda z: tw.softmax(2 * z))],
        loss=loss,
        dtype="float64",
    )
    return given(network) | written(network, folder)


def of_initializer(name: str) -> Run:
    """A network whose weights start so."""

    def make(folder: Path) -> Things:
        first = tw.Dense(5, "tanh", initializer=name)
        return given(trained([first, tw.Dense(3, "softmax")]))

    return make


@run
def initializers(folder: Path) -> Things:
    """Each initializer."""
    return {name: of_initializer(name)(folder) for name in INITIALIZERS}


LOSSES: Mapping[str, tuple[Any, Any, Any, Any]] = {
    "mean_squared_error": (tw.mean_squared_error, 1, "identity", NUMBERS),
    "mean_absolute_error": (tw.mean_absolute_error, 1, "identity", NUMBERS),
    "huber": (tw.huber.with_parameters(delta=0.5), 1, "identity", NUMBERS),
    "binary_cross_entropy": (tw.binary_cross_entropy, 1, "sigmoid", CLASSES == 1),
    "cross_entropy": (tw.cross_entropy, 3, "softmax", CLASSES),
    "poisson": (tw.poisson, 1, "softplus", COUNTS),
    "quantile": (tw.quantile, 1, "identity", NUMBERS),
}


def of_loss(name: str) -> Run:
    """A network that learns by the loss, with weights of rows."""
    loss, outputs, activation, y = LOSSES[name]

    def make(folder: Path) -> Things:
        target = y.astype(float) if y.dtype == bool else y
        stack = [tw.Dense(6, "tanh"), tw.Dense(outputs, activation)]
        network = trained(stack, target, loss=loss, sample_weight=WEIGHTS)
        return given(network, target) | written(network, folder)

    return make


def of_optimizer(name: str) -> Run:
    """A network trained by the optimizer, in both dtypes, clipped or not."""

    def make(folder: Path) -> Things:
        stack = [tw.Dense(6, "tanh"), tw.Dense(3, "softmax")]
        return {
            f"{dtype} {clip}": given(
                trained(stack, optimizer=OPTIMIZERS[name], dtype=dtype, clip_norm=clip)
            )
            for dtype in ("float32", "float64")
            for clip in (None, 0.5)
        }

    return make


@run
def schedules(folder: Path) -> Things:
    """Each schedule, over enough epochs to change the rate."""
    stack = [tw.Dense(6, "tanh"), tw.Dense(3, "softmax")]
    return {
        name: given(trained(stack, optimizer=tw.Adam(each), epochs=8))
        for name, each in SCHEDULES.items()
    }


@run
def penalties(folder: Path) -> Things:
    """Each penalty, and two together."""
    stack = [tw.Dense(6, "tanh"), tw.Dense(3, "softmax")]
    return {name: given(trained(stack, penalty=p)) for name, p in PENALTIES.items()}


@run
def batches(folder: Path) -> Things:
    """Batches of one row, of odd sizes, of all rows, and more than there are."""
    stack = [tw.Dense(6, "relu"), tw.Dropout(0.3), tw.Dense(3, "softmax")]
    sizes = (1, 7, 31, 32, 33, 64, 1000, "all")
    return {str(size): given(trained(stack, batch_size=size)) for size in sizes}


@run
def validation(folder: Path) -> Things:
    """Rows that are held out, given, or none; early stopping; the order of rows."""
    stack = [tw.Dense(16, "relu"), tw.Dense(3, "softmax")]
    mine = X[:40], CLASSES[:40], WEIGHTS[:40]
    kinds: dict[str, Things] = {
        "none": {"validation": None},
        "given": {"validation": mine},
        "weighted": {"sample_weight": WEIGHTS, "seed": 5},
        "stopped": {
            "epochs": 60,
            "optimizer": tw.Adam(0.05),
            "early_stopping": tw.EarlyStopping(patience=3, min_delta=0.01),
        },
        "in order": {"shuffle": False},
    }
    return {name: given(trained(stack, **how)) for name, how in kinds.items()}


@run
def threads(folder: Path) -> Things:
    """A network wide enough to be worth several threads, on one to four."""
    wide = np.random.default_rng(2).normal(size=(1500, 40))
    y = (wide[:, 0] > 0).astype(int)
    stack = [tw.Dense(96, "silu"), tw.Dropout(0.1), tw.Dense(2, "softmax")]
    found: Things = {}
    for count in (1, 2, 3, 4):
        network = trained(stack, y, wide, batch_size=256, threads=count)
        found[str(count)] = network.parameters, network.predict(wide, threads=count)
    return found


@run
def interpreter(folder: Path) -> Things:
    """NumPy in the place of the engine."""
    stack = [
        tw.Dense(6, "gelu"),
        tw.Dropout(0.2),
        tw.LayerNorm(),
        tw.Dense(3, "softmax"),
    ]
    network = trained(stack, engine="interpreter")
    return given(network) | {"predicted": network.predict(X, engine="interpreter")}


@run
def warm_start(folder: Path) -> Things:
    """Training that goes on from parameters that were set."""
    network = trained([tw.Dense(6, "tanh"), tw.Dense(3, "softmax")])
    network.set_parameters({name: a * 0.5 for name, a in network.parameters.items()})
    network.fit(X, CLASSES, epochs=2, warm_start=True)
    return given(network)


@run
def checkpoints(folder: Path) -> Things:
    """A run that is stopped after two epochs and resumed, and one that never was."""

    def stop(record: Any) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    stack = [tw.Dense(6, "tanh"), tw.Dropout(0.2), tw.Dense(3, "softmax")]
    stopped = tw.Network(stack)
    place = folder / "run"
    stopped.fit(X, CLASSES, epochs=5, checkpoint=tw.Checkpoint(place), callback=stop)
    names = sorted(path.name for path in place.iterdir())
    resumed: Any = tw.resume(place, X, CLASSES)
    return {
        "names": names,
        "stopped": given(stopped),
        "resumed": given(resumed),
        "never": given(trained(stack, epochs=5)),
    }


@run
def sweep(folder: Path) -> Things:
    """Nine networks side by side."""
    found = tw.sweep(
        [tw.Dense(6, "tanh"), tw.Dense(3, "softmax")],
        X,
        CLASSES,
        over={"learning_rate": [0.001, 0.01, 0.1], "seed": [0, 1, 2]},
        epochs=3,
    )
    return {
        "best": found.best.parameters,
        "all": [n.parameters for n in found.networks],
    }


@run
def learning_rate(folder: Path) -> Things:
    """The range test."""
    test = tw.find_learning_rate(
        [tw.Dense(6, "tanh"), tw.Dense(3, "softmax")], X, CLASSES, steps=60, starts=2
    )
    return {"test": repr(test)}


@run
def formulas(folder: Path) -> Things:
    """Formulas called on arrays, and their gradients."""
    points = {
        "points": np.linspace(-4, 4, 33),
        "far": np.array([-1e30, -800.0, -0.0, 0.0, 800.0, 1e30, np.inf, np.nan]),
    }
    found: Things = {}
    for where, x in points.items():
        for name in ACTIVATIONS:
            formula = getattr(tw, name)
            slope = tw.gradient(lambda z, formula=formula: tw.sum(formula(z)))
            found[f"{name} {where}"] = formula(x), slope(x)
        found[f"softmax {where}"] = tw.softmax(x)
    found["compiled"] = tw.compile(lambda z: -tw.log(tw.softmax(z)))(points["points"])
    return found


# Tables -------------------------------------------------------------------------------


def of_table(text: str, target: str, folder: Path, **settings: Any) -> Things:
    """A model of a table, all that is said of it, and all that it says."""
    table = folder / "table.csv"
    table.write_text(text, encoding="utf-8")
    learned = tw.train(table, target, **{"layers": (8,), "epochs": 4, **settings})
    model = learned.model
    model.save(folder / "table.thalweg")
    tw.export(model, folder / "table.py")
    tw.export(model, folder / "table.onnx")
    tw.write_report(learned, folder / "table.html")
    return {
        "parameters": model.network.parameters,
        "history": history(learned.history),
        "test": learned.test,
        "baselines": learned.baselines,
        "notes": list(learned.notes),
        "reading": learned.reading.text,
        "predictions": model.predict(table).to_dict(as_series=False),
        "scores": model.evaluate(table),
        "file": contents(folder / "table.thalweg"),
        "python": (folder / "table.py").read_text(encoding="utf-8"),
        "onnx": onnx_of(folder / "table.onnx"),
        "report": (folder / "table.html").read_text(encoding="utf-8"),
    }


@run
def table_of_classes(folder: Path) -> Things:
    """Three classes, and a column for every encoding."""
    return of_table(table_text(), "species", folder)


@run
def table_of_two_classes(folder: Path) -> Things:
    """Two classes, weighed alike, by another loss and optimizer."""
    how: Things = {"class_weight": ("balanced",), "optimizer": "sgd", "dropout": 0.1}
    return of_table(table_text(), "member", folder, **how)


@run
def table_of_numbers(folder: Path) -> Things:
    """A number, with penalties, a schedule and another activation."""
    how: Things = {"l1": 0.01, "l2": 0.01, "schedule": "cosine", "activation": "relu"}
    return of_table(table_text(), "price", folder, **how)


@run
def table_of_forms(folder: Path) -> Things:
    """Columns in forms of their own, and logarithms of a number."""
    return of_table(forms_text(), "sold", folder, target_scale="log")


@run
def table_in_time(folder: Path) -> Things:
    """The last rows are those of the test."""
    return of_table(table_text(), "price", folder, time="day", ignore=("code",))


@run
def table_of_groups(folder: Path) -> Things:
    """Rows of one group stay together; another column weighs them."""
    return of_table(table_text(), "price", folder, group="code", weights="size")


@run
def inspection(folder: Path) -> Things:
    """What is said of a table that nothing was learned of."""
    for name, text in (("table", table_text()), ("forms", forms_text())):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return {
        "table": str(tw.inspect(folder / "table.csv", "species")),
        "forms": str(tw.inspect(folder / "forms.csv", "sold")),
    }


@run
def tune(folder: Path) -> Things:
    """A search of six trials."""
    table = folder / "table.csv"
    table.write_text(table_text(), encoding="utf-8")
    found = tw.tune(
        table, "species", trials=6, budget="10m", folds=2, epochs=9, threads=1
    )
    return {
        "parameters": found.trained.model.network.parameters,
        "settings": found.trained.model.results["settings"],
    }


# Estimators ---------------------------------------------------------------------------


def of_estimator(estimator: Any, y: Any, folder: Path, **fit: Any) -> Things:
    """An estimator, what it says of the rows, its file and its exports."""
    estimator.fit(X, y, **fit)
    estimator.save(folder / "estimator.thalweg")
    tw.export(estimator, folder / "estimator.py")
    tw.export(estimator, folder / "estimator.onnx")
    found: Things = {
        "predictions": estimator.predict(X),
        "score": estimator.score(X, y),
        "file": contents(folder / "estimator.thalweg"),
        "python": (folder / "estimator.py").read_text(encoding="utf-8"),
        "onnx": onnx_of(folder / "estimator.onnx"),
    }
    if hasattr(estimator, "predict_proba"):
        found["probabilities"] = estimator.predict_proba(X)
    return found


@run
def classifier(folder: Path) -> Things:
    """Three classes with names, weighed alike."""
    names = np.array(["a", "b", "c"])[CLASSES]
    made = tw.NetworkClassifier(layers=(8,), epochs=4, class_weight="balanced")
    return of_estimator(made, names, folder, sample_weight=WEIGHTS)


@run
def calibrated_classifier(folder: Path) -> Things:
    """Probabilities that are calibrated."""
    made = tw.NetworkClassifier(layers=(8,), epochs=4, calibrate=True, dropout=0.1)
    return of_estimator(made, CLASSES == 1, folder)


@run
def classifier_of_labels(folder: Path) -> Things:
    """Several labels a row."""
    labels = np.column_stack([CLASSES == 0, CLASSES > 0, X[:, 0] > 0]).astype(int)
    return of_estimator(tw.NetworkClassifier(layers=(8,), epochs=4), labels, folder)


@run
def regressor(folder: Path) -> Things:
    """Two numbers."""
    made = tw.NetworkRegressor(layers=(8, 4), epochs=4, activation="relu")
    return of_estimator(made, np.column_stack([NUMBERS, COUNTS]), folder)


@run
def regressor_of_quantiles(folder: Path) -> Things:
    """Quantiles of a number."""
    made = tw.NetworkRegressor(layers=(8,), epochs=4, quantiles=(0.1, 0.5, 0.9))
    return of_estimator(made, NUMBERS, folder)


for each in LOSSES:
    RUNS[f"loss_{each}"] = of_loss(each)
for each in OPTIMIZERS:
    RUNS[f"optimizer_{each}"] = of_optimizer(each)


# What is written ----------------------------------------------------------------------

# Each with what stands in its place.
LEFT_OUT: Sequence[tuple[str, str]] = (
    (r"thalweg(/| )\d+\.\d+\.\d+(\.\w+)?", "thalweg VERSION"),
    (r"\d[\d,.e-]* (s|minutes|hours)( in all)?(?=[<;,.]|$)", "TIME"),
    (r"[^<>]*(?=</td></tr>)", "TIME"),  # the last cell of a row, in reports
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?( UTC|Z)?", "MOMENT"),
)


def without_times(text: str) -> str:
    """A text without what may differ."""
    for pattern, name in LEFT_OUT:
        text = re.sub(pattern, name, text)
    return text


def flat(thing: Any, name: str) -> Iterator[tuple[str, Any]]:
    """What a run gives, by names one below the other."""
    if isinstance(thing, Mapping) and thing:
        for key, value in thing.items():
            yield from flat(value, f"{name}/{key}")
    elif isinstance(thing, (tuple, list)) and any(
        isinstance(each, (np.ndarray, Mapping)) for each in thing
    ):
        for number, value in enumerate(thing):
            yield from flat(value, f"{name}/{number}")
    else:
        yield name, thing


def bytes_of(thing: Any) -> bytes:
    """A thing as bytes that are the same only if it is."""
    if isinstance(thing, bytes):
        return thing
    if isinstance(thing, np.ndarray):
        array: NDArray[Any] = thing
        if array.dtype == object:
            return repr(array.tolist()).encode()
        kind = f"{array.dtype.str} {array.shape} "
        return kind.encode() + np.ascontiguousarray(array).tobytes()
    text = thing if isinstance(thing, str) else repr(thing)
    return without_times(text).encode("utf-8", "surrogatepass")


def main() -> None:
    """Write the hashes of all runs, or of those that are named."""
    place, *names = sys.argv[1:]
    target, found = Path(place), dict[str, str]()
    target.mkdir(parents=True, exist_ok=True)
    for name in names or RUNS:
        print(name, file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            things = RUNS[name](Path(folder))
        for key, thing in flat(things, name):
            content = bytes_of(thing)
            found[key] = hashlib.sha256(content).hexdigest()
            if isinstance(thing, str):
                (target / key.replace("/", ".")).write_bytes(content)
    (target / "bits.json").write_text(json.dumps(found, indent=0), encoding="utf-8")


if __name__ == "__main__":
    main()
