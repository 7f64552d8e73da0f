"""Real model files to be broken: one of each thing that the loader reads."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thalweg as tw

ROWS = 40
SPECIES = ("Adélie", "Gentoo", "Chinstrap")

Numbers = NDArray[Any]


def rows() -> tuple[Numbers, Numbers]:
    """Rows of four numbers, the third of which is whole, and their classes."""
    generator = np.random.default_rng(3)
    X = generator.normal(size=(ROWS, 4))
    X[:, 2] = generator.integers(0, 5, ROWS)
    return X, generator.integers(0, 3, ROWS)


def swish(z: Any) -> Any:
    """An activation of a user's own."""
    return z * tw.sigmoid(z)


@dataclass(frozen=True)
class NoisyNorm(tw.Layer):
    """A layer of a user's own with parameters, state, a constant and random draws."""

    noise: float = 0.1

    def parameters(self, input_shape: Any) -> Any:
        """A scale."""
        return {"scale": tw.Parameter(input_shape, tw.Initializer("ones", ones))}

    def state(self, input_shape: Any) -> Any:
        """A running mean."""
        return {"mean": tw.Parameter(input_shape, tw.Initializer("ones", ones))}

    def forward(self, x: Any, p: Any) -> Any:
        """Shifted, scaled, and something added."""
        return (x - p.mean) * p.scale + np.linspace(0, 1, x.shape[1])

    def training_forward(self, x: Any, p: Any, random: Any) -> Any:
        """The same by the batch's mean, with noise."""
        noise = self.noise * random.uniform(x.shape)
        mean = tw.mean(x, axis=0)
        return (x - mean) * p.scale + noise, {"mean": 0.9 * p.mean + 0.1 * mean}


def ones(shape: Any, fan_in: int, fan_out: int, generator: Any) -> Numbers:
    """An initializer of a user's own."""
    return np.ones(shape)


def asymmetric(predictions: Any, targets: Any, *, factor: float = 1.0) -> Any:
    """A loss of a user's own."""
    error = predictions - targets
    return tw.mean(tw.where(error > 0, factor * error**2, error**2), axis=-1)


def plain() -> tw.Network:
    """A network of thalweg's own parts, with a schedule and a penalty."""
    return fitted(
        [tw.Dense(4, "relu"), tw.Dropout(0.2), tw.Dense(3, "softmax")],
        optimizer=tw.Adam(tw.StepDecay(0.01, every=3)),
        penalty=tw.L1(0.1) + tw.L2(0.01),
    )


def perceptron() -> tw.Network:
    """A single unit."""
    return fitted([tw.Perceptron("tanh")], loss="huber")


def own() -> tw.Network:
    """A network with activations, a layer and a loss of a user's own."""
    loss = tw.Loss.of(asymmetric).with_parameters(factor=4.0)
    layers = [tw.Dense(4, swish), NoisyNorm(), tw.Dense(3, lambda z: tw.softmax(2 * z))]
    return fitted(layers, loss=loss, dtype="float64")


def normalized() -> tw.Network:
    """A network with every layer of thalweg's own, some inside others."""
    parts = tw.Columns(
        (
            (0, 2, tw.Columns(((0, 1, tw.Dense(2)), (1, 2, tw.BatchNorm())))),
            (2, 3, tw.Embedding(5, 2)),
            (3, 4, None),
        )
    )
    return fitted(
        [parts, tw.LayerNorm(), tw.BatchNorm(momentum=0.3), tw.Dense(3, "softmax")],
        optimizer=tw.SGD(0.05, momentum=0.9),
    )


def branching() -> tw.Network:
    """A network whose layers hold layers."""
    inner = tw.Residual([tw.Dense(3)], projection=[tw.Dense(3), tw.BatchNorm()])
    return fitted(
        [
            tw.Residual([tw.Dense(4, "relu"), tw.Dropout(0.2)]),
            tw.Parallel([[], [tw.LayerNorm(), inner], [tw.Dense(2, swish)]]),
            tw.Frozen([tw.Dense(5), tw.BatchNorm()]),
            tw.Parallel([tw.Dense(3), tw.Dense(3, "sigmoid")], join="multiply"),
            tw.Dense(3, "softmax"),
        ]
    )


def rows_by_name() -> tuple[dict[str, Numbers], Numbers]:
    """The rows as two inputs by name, and their classes."""
    X, y = rows()
    return {"place": X[:, :3], "code": X[:, 3:]}, y


def with_inputs() -> tw.Network:
    """A network with two inputs by name."""
    inputs = tw.Inputs({"place": [tw.Dense(3, "tanh")], "code": []})
    network = tw.Network([inputs, tw.Dense(3, "softmax")])
    network.fit(*rows_by_name(), epochs=2, batch_size=16)
    return network


@dataclass(frozen=True)
class Elman(tw.Layer):
    """A recurrent layer of a user's own over the numbers of a row: a loop in a file."""

    units: int = 2

    def parameters(self, input_shape: Any) -> Any:
        """For a number, and for the state."""
        drawn = tw.initializers.normal
        shapes = {"w": (1, self.units), "u": (self.units, self.units)}
        return {name: tw.Parameter(shape, drawn) for name, shape in shapes.items()}

    def forward(self, x: Any, p: Any) -> Any:
        """The state after each number, beside that from last to first."""
        numbers = tw.reshape(x, (*x.shape, 1))
        start = x[:, :1] * np.zeros(self.units)

        def step(h: Any, x: Any) -> Any:
            return tw.tanh(x @ p.w + h @ p.u)

        ahead = tw.scan(step, start, numbers[:, ::-1])
        back = tw.scan(step, start, numbers, turns=3, reverse=True)
        return tw.concatenate([ahead[:, -1], back[:, 0]], axis=1)


def looping() -> tw.Network:
    """A network with loops of a user's own."""
    return fitted([Elman(), tw.Dense(3, "softmax")])


@dataclass(frozen=True)
class Smooth(tw.Layer):
    """A layer of a user's own over windows of a row: a convolution as a formula."""

    def parameters(self, input_shape: Any) -> Any:
        """The filters."""
        return {"w": tw.Parameter((2, 3), tw.initializers.normal)}

    def forward(self, x: Any, p: Any) -> Any:
        """Each window by each filter, the last one first."""
        found = tw.windows(x, axes=1, sizes=2) @ p.w
        return tw.reshape(found[:, ::-1], (x.shape[0], -1))


def over_windows() -> tw.Network:
    """A network with windows of a user's own."""
    return fitted([Smooth(), tw.Dense(3, "softmax")])


def codes() -> tuple[Numbers, Numbers]:
    """Rows of four whole numbers from 0, and their classes."""
    X, y = rows()
    return np.abs(10 * X).astype(int), y


def embedding() -> tw.Network:
    """A network that learns vectors for codes, at every position of a row."""
    joined = tw.Parallel([tw.GlobalMax(), tw.GlobalMean(), tw.Flatten()])
    vectors = tw.Reshape((2, 2)), tw.Embedding(60, 2)
    network = tw.Network([*vectors, joined, tw.Dense(3, "softmax")])
    network.fit(*codes(), epochs=2, batch_size=16)
    return network


def series() -> tuple[Numbers, Numbers]:
    """The rows as series of two times with two channels, and their classes."""
    X, y = rows()
    return X.reshape(ROWS, 2, 2), y


def hours_text() -> str:
    """A table of hours: a number that follows a column, which is known ahead."""
    draw = random.Random(9)
    lines = ["hour,open,wind,load"]
    for row in range(120):
        opened = int(row % 24 > 7)
        cells = f"{draw.gauss(3, 1):.2f},{10 * opened + draw.gauss(0, 1):.2f}"
        lines.append(f"2024-03-{1 + row // 24:02} {row % 24:02}:00,{opened},{cells}")
    return "\n".join(lines) + "\n"


def steps_text() -> str:
    """A table of sequences of different lengths, each with its kind."""
    draw = random.Random(11)
    lines = ["id,t,x,kind"]
    for each in range(30):
        kind = ("up", "down", "still")[each % 3]
        slope = {"up": 1, "down": -1, "still": 0}[kind]
        for t in range(draw.randrange(4, 9)):
            lines.append(f"s{each},{t},{slope * t + draw.gauss(0, 0.2):.2f},{kind}")
    return "\n".join(lines) + "\n"


def over_series() -> tw.Network:
    """A network that looks at windows of series."""
    network = tw.Network(
        [
            tw.Rescale(0.5, (0.0, 0.1)),
            tw.Augment(1, "horizontal", 0.0, 0.1),
            tw.Conv(4, 2, padding="same", groups=2, activation="relu"),
            tw.ConvTranspose(2, 2, 2),
            tw.MaxPool(2),
            tw.MeanPool(2, 1, "same"),
            tw.Flatten(),
            tw.Dense(3, "softmax"),
        ]
    )
    network.fit(*series(), epochs=2, batch_size=16)
    return network


def transforming() -> tw.Network:
    """A network of attention, and of what goes with it, over codes."""
    network = tw.Network(
        [
            tw.Embedding(60, 4),
            tw.Positions("sine"),
            tw.Attention(2, True, 8, "rotary", True),
            tw.TransformerBlock(2, 6, causal=True, norm="rms", dropout=0.2),
            tw.Positions(),
            tw.FeedForward(5, swish),
            tw.Frozen([tw.TransformerBlock(1, 3), tw.FeedForward(3, "relu")]),
            tw.RMSNorm(),
            tw.GlobalMean(),
            tw.Dense(3, "softmax"),
        ]
    )
    network.fit(*codes(), epochs=2, batch_size=16)
    return network


def recurrent() -> tw.Network:
    """A network whose cells go through series, one of them a user's own."""
    from own_cell import Leaky  # the commit that bits are compared with may have none

    network = tw.Network(
        [
            tw.Bidirectional(tw.GRU(3)),
            tw.Recurrent(tw.RNN(3, swish), reverse=True),
            tw.Recurrent(tw.RNN(3), reverse=True),
            tw.LSTM(3),
            Leaky(),
            tw.Last(),
            tw.Dense(3, "softmax"),
        ]
    )
    network.fit(*series(), epochs=2, batch_size=16)
    return network


def images() -> tuple[Numbers, Numbers]:
    """Grey images of bytes, each unlike the others, and their classes."""
    generator = np.random.default_rng(4)
    pixels = generator.integers(0, 256, (ROWS, 8, 8, 1), np.uint8)
    return pixels, np.arange(ROWS) % 3


def convolving() -> tw.Network:
    """A network fitted on images of bytes, whose first filters are frozen."""
    network = tw.Network(
        [
            tw.Rescale(1 / 255),
            tw.Augment(1, "horizontal", 10.0, 0.1),
            tw.Frozen(
                [tw.Conv(3, 3, padding="same", activation="relu"), tw.MaxPool(2)]
            ),
            tw.Conv(4, 3, activation="relu"),
            tw.MaxPool(2),
            tw.Flatten(),
            tw.Dense(3, "softmax"),
        ]
    )
    network.fit(*images(), epochs=2, batch_size=16)
    return network


def write_photos(folder: Path) -> Path:
    """A folder of images for each class."""
    from PIL import Image

    for number, (pixels, kind) in enumerate(zip(*images(), strict=True)):
        place = folder / SPECIES[kind]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[..., 0]).save(place / f"{number}.png")
    return folder


def write_arrays(path: Path) -> Path:
    """A file of images, each with how bright it is."""
    pixels, _ = images()
    np.savez(path, X=pixels, y=brightness(pixels))
    return path


def brightness(pixels: Numbers) -> Numbers:
    """The mean of each image."""
    return pixels.mean(axis=(1, 2, 3))


def fitted(layers: list[Any], loss: Any = "cross_entropy", **how: Any) -> tw.Network:
    """Two epochs of training on the rows."""
    network = tw.Network(layers)
    network.fit(*rows(), loss=loss, epochs=2, batch_size=16, **how)
    return network


def table_text(count: int = 164) -> str:
    """A CSV file with a column for every encoding, and missing cells."""
    draw = random.Random(5)
    lines = ["amount,size,color,code,member,day,hour,species,price"]
    for row in range(count):
        amount = "" if row % 11 == 3 else f"{np.exp(draw.gauss(0, 2)):.2g}"
        color = draw.choice(["red", "green", '"blue, dark"', ""])
        day = f"20{draw.randint(10, 29)}-{draw.randint(1, 12):02}-{draw.randint(1, 28)}"
        hour = f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}"
        # More than 50 texts, half of the cells often: codes for an embedding.
        code = f"c{row % 16}" if row % 2 else f"d{row}"
        lines.append(
            f"{amount},{draw.gauss(9, 2):.3f},{color},{code},"
            f"{draw.choice(['yes', 'no'])},{day},{'' if row % 30 == 7 else hour},"
            f"{draw.choice(SPECIES)},{draw.uniform(1, 99):.2f}"
        )
    return "\n".join(lines) + "\n"


WRITTEN = {"separator": ",", "encoding": "utf-8", "comment": "#"}
"""How the table is written, said though it could be found out: a file then holds it."""


def forms_text(count: int = 120) -> str:
    """A table as people write them: each column in a form of its own."""
    draw = random.Random(6)
    lines = ["paid;weight;share;born;seen;lasted;member;sold"]
    for row in range(count):
        euros, rest, cents = draw.randint(1, 9), draw.randint(0, 999), row % 90 + 10
        paid = "-" if row % 13 == 5 else f"€ {euros}.{rest:03},{cents}"
        share = f"−{euros},5 %" if row % 3 else f"{cents} %"
        half, minute = draw.choice(["am", "pm"]), draw.randint(0, 59)
        month = row % 12 + 1
        born = f"{draw.randint(1, 28):02}.{month:02}.19{draw.randint(30, 99)}"
        lines.append(
            f"{paid};{40 + cents} kg;{share};{born};{month}:{minute:02} {half};"
            f"{draw.randint(1, 40)}:{minute:02}:00;{draw.choice(['ja', 'nein'])};"
            f"{draw.randint(1, 9_999)},{cents}"
        )
    return "\n".join(lines) + "\n"


def wide_text(columns: int = 80, count: int = 60) -> str:
    """A table of so many columns of every kind that they stand in arrays in a file."""
    draw = random.Random(7)
    names = [f"column {place}" for place in range(columns)]
    lines = [",".join([*names, "wide"])]
    for row in range(count):
        cells = [wide_cell(place, row, draw) for place in range(columns)]
        lines.append(",".join([*cells, draw.choice(SPECIES)]))
    return "\n".join(lines) + "\n"


def wide_cell(column: int, row: int, draw: random.Random) -> str:
    """A cell of a number far from normal, one near it, a word, a date, or none."""
    kind = column % 5
    if row % 7 == kind == 1:
        return ""
    if kind == 2:
        return draw.choice(("red", "grün", "blue"))
    if kind == 3:
        return f"{row % 28 + 1:02}.{column % 12 + 1:02}.20{draw.randint(10, 29)}"
    return f"{np.exp(draw.gauss(0, 2 if kind else 0.1)):.4g}"


def write_samples(folder: Path) -> None:
    """One file of each kind, and the folders of two runs that aren't finished."""
    folder.mkdir()
    plain().save(folder / "plain.thalweg")
    own().save(folder / "own.thalweg")
    normalized().save(folder / "normalized.thalweg")
    branching().save(folder / "branching.thalweg")
    with_inputs().save(folder / "inputs.thalweg")
    looping().save(folder / "looping.thalweg")
    over_windows().save(folder / "windows.thalweg")
    embedding().save(folder / "embedding.thalweg")
    over_series().save(folder / "series.thalweg")
    recurrent().save(folder / "recurrent.thalweg")
    transforming().save(folder / "transforming.thalweg")
    convolving().save(folder / "convolving.thalweg")
    table = folder / "table.csv"
    table.write_text(table_text(), encoding="utf-8")
    train_tables(table, folder)
    train_images(folder)
    train_texts(folder)
    write_frozen(table, folder)
    write_runs(table, folder)


def train_tables(table: Path, folder: Path) -> None:
    """A model that tells classes, and one that predicts a number."""
    how: dict[str, Any] = {"layers": (3,), "epochs": 2}
    tw.train(table, "species", ignore=("price",), **how).model.save(
        folder / "classes.thalweg"
    )
    number = tw.train(table, "price", loss="huber", **WRITTEN, **how)
    number.model.save(folder / "number.thalweg")
    forms = folder / "forms.csv"
    forms.write_text(forms_text(), encoding="utf-8")
    model = tw.train(forms, "sold", target_scale="log", **how).model
    model.save(folder / "forms.thalweg")
    wide = folder / "wide.csv"
    wide.write_text(wide_text(), encoding="utf-8")
    tw.train(wide, "wide", **how).model.save(folder / "wide.thalweg")


def train_images(folder: Path) -> None:
    """A model that tells images of classes apart, and one that gives them a number."""
    photos, arrays = write_photos(folder / "photos"), write_arrays(folder / "grey.npz")
    how: dict[str, Any] = {"filters": (3,), "epochs": 2}
    tw.train(photos, augment="shift=1", **how).model.save(folder / "photos.thalweg")
    tw.train(arrays, layers=(4,), **how).model.save(folder / "grey.thalweg")


def verse(words: int = 300) -> str:
    """A text of few words, some with letters beyond ASCII."""
    choose = random.Random(5)
    known = ["so", "long", "as", "mén", "can", "breathe", "or", "eyes", "can", "see,\n"]
    return " ".join(choose.choice(known) for _ in range(words))


def train_texts(folder: Path) -> None:
    """A model of characters, and one of bytes."""
    text = folder / "verse.txt"
    text.write_text(verse(), encoding="utf-8")
    how: dict[str, Any] = {"layers": (4,), "length": 8, "epochs": 2}
    tw.train(text, **how).model.save(folder / "verse.thalweg")
    how |= {"unit": "bytes", "cell": "transformer"}
    tw.train(text, **how).model.save(folder / "bytes.thalweg")


def write_frozen(table: Path, folder: Path) -> None:
    """What estimators have in their pickles and files: for an array, and a frame."""
    import polars as pl

    how: dict[str, Any] = {"layers": (3,), "epochs": 2}
    X, y = rows()
    frame = pl.read_csv(table, try_parse_dates=True)
    for name, given in (
        ("array", (X, y)),
        ("frame", (frame.drop("species", "price"), frame["species"].to_numpy())),
    ):
        estimator = tw.NetworkClassifier(**how).fit(*given)
        content: bytes = estimator.__getstate__()["network_"]
        (folder / f"{name}.frozen").write_bytes(content)
        estimator.save(folder / f"{name}.classifier.thalweg")
    regressor = tw.NetworkRegressor(**how, quantiles=(0.1, 0.9)).fit(X, X[:, :2])
    regressor.save(folder / "numbers.regressor.thalweg")


def write_runs(table: Path, folder: Path) -> None:
    """Checkpoints of a network's run and of a table's, each stopped on its way."""

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    network = tw.Network([*plain().layers, tw.BatchNorm(), tw.Dense(3, "softmax")])
    checkpoint = tw.Checkpoint(folder / "network.run")
    network.fit(*rows(), epochs=4, batch_size=8, checkpoint=checkpoint, callback=stop)
    checkpoint = tw.Checkpoint(folder / "table.run")
    how: dict[str, Any] = {"layers": (3,), "epochs": 4, "batch_size": 99}
    tw.train(table, "species", checkpoint=checkpoint, callback=stop, **how)
    for run in folder.glob("*.run"):
        keep_newest(run)


def keep_newest(run: Path) -> None:
    """One checkpoint is enough to be broken."""
    from thalweg.checkpoints.store import POINTER, Store, encode_entries

    newest, *older = Store(run).entries()
    for entry in older:
        (run / entry.file).unlink()
    (run / POINTER).write_bytes(encode_entries([newest]))


def copy_run(run: Path, place: Path) -> Path:
    """A run's folder, to be broken."""
    return Path(shutil.copytree(run, place / "run"))
