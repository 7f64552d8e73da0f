"""An experiment: all that a run depends on, as plain data and as an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast
from urllib.parse import parse_qsl, quote

from thalweg.checks import is_number, nearest, require
from thalweg.errors import ArgumentError
from thalweg.playground.datasets import SOURCES
from thalweg.playground.fields import Choice, Field, Number, OrNone, Text
from thalweg.printable import printable

MOST_LAYERS = 6
MOST_POINTS = 400
MOST_UNITS = 16
NOTHING = "none"

ACTIVATIONS = Choice(
    {
        name: name.replace("_", " ")
        for name in (
            *("tanh", "sigmoid", "relu", "leaky_relu", "elu", "selu", "gelu", "silu"),
            *("mish", "softplus", "identity"),
        )
    }
    | {"own": "your own formula"}
)
UNITS = Number(1, MOST_UNITS, whole=True)
DROPOUT = Number(0, 0.9)


@dataclass(frozen=True)
class Hidden:
    """A hidden layer.

    Arguments:
        units: how many there are.
        activation: a name, or ``own`` for the experiment's own formula.
        dropout: the part of the units that is switched off in a step.
    """

    units: int = 8
    activation: str = "tanh"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        UNITS.checked("units", self.units)
        ACTIVATIONS.checked("activation", self.activation)
        DROPOUT.checked("dropout", self.dropout)

    def __str__(self) -> str:
        off = f":{self.dropout!r}" if self.dropout else ""
        return f"{self.units}:{self.activation}{off}"

    @classmethod
    def read(cls, text: str) -> Hidden:
        """A layer as an address has it, such as ``8:tanh:0.3``.

        Raises:
            ArgumentError: it is none.
        """
        units, activation, dropout = [*text.split(":"), *("tanh", "0")][:3]
        if text.count(":") == 0:
            activation, dropout = "tanh", "0"
        elif text.count(":") == 1:
            dropout = "0"
        require(text.count(":") <= 2, "a layer", "units:activation:dropout", text)
        return cls(
            int(UNITS.read("units", units)),
            activation,
            DROPOUT.read("dropout", dropout),
        )


Point = tuple[float, float, int]


@dataclass(frozen=True)
class Experiment:
    """All that a run depends on.

    Arguments:
        data: where rows come from: a name of `SOURCES`.
        training_rows, validation_rows: how many there are to be.
        noise: of data that is drawn.
        formula: of x1 and x2, where data comes from one.
        points: x, y and class of rows that were drawn by hand.
        layers: the hidden ones.
        own_activation: a formula of z.
        loss: ``cross_entropy`` or ``mean_squared_error``.
        optimizer, learning_rate, schedule, batch_size, l1, l2: how it learns.
        initializer: of all weights; empty for that of each activation.
        patience: of early stopping; None without it.
        epochs: how many are recorded.
        seed: of the weights, the order of rows, and dropout.
        data_seed: of the rows.

    Raises:
        ArgumentError: a value is out of its range.

    Example:
        >>> from thalweg.playground.experiment import Experiment, Hidden
        >>> experiment = Experiment(data="circles", layers=(Hidden(4, "relu", 0.5),))
        >>> experiment.to_query()
        'data=circles&layers=4:relu:0.5'
        >>> Experiment.from_query("data=circles&layers=4:relu:0.5") == experiment
        True
    """

    data: str = "moons"
    training_rows: int = 80
    validation_rows: int = 80
    noise: float = 0.2
    formula: str = "x1 * x2 > 0"
    points: tuple[Point, ...] = ()
    layers: tuple[Hidden, ...] = (Hidden(), Hidden())
    own_activation: str = "z * sigmoid(z)"
    loss: str = "cross_entropy"
    optimizer: str = "Adam"
    learning_rate: float = 0.02
    schedule: str = "Constant"
    batch_size: int = 10
    l1: float = 0.0
    l2: float = 0.0
    initializer: str = "usual"
    patience: int | None = 20
    epochs: int = 200
    seed: int = 0
    data_seed: int = 0

    def __post_init__(self) -> None:
        for name, field in FIELDS.items():
            field.checked(name, getattr(self, name))
        most = f"at most {MOST_LAYERS}"
        require(len(self.layers) <= MOST_LAYERS, "layers", most, len(self.layers))
        most = f"at most {MOST_POINTS}"
        require(len(self.points) <= MOST_POINTS, "points", most, len(self.points))
        for point in self.points:
            fits = len(point) == 3 and all(map(is_number, point[:2]))
            fits = (
                fits and max(abs(point[0]), abs(point[1])) <= 10 and point[2] in (0, 1)
            )
            require(
                fits, "a point", "x and y from -10 to 10 and a class, 0 or 1", point
            )

    # As plain data --------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a page."""
        return {
            **vars(self),
            "layers": [vars(each) for each in self.layers],
            "points": [[*each] for each in self.points],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Experiment:
        """From plain data; what it lacks has its default.

        Raises:
            ArgumentError: there is a name that no experiment has, or a value that can't
                be.
        """
        require_names(data)
        given = dict(data)
        if "layers" in given:
            given["layers"] = tuple(map(layer_in, entries("layers", given["layers"])))
        if "points" in given:
            given["points"] = tuple(
                tuple(entries("a point", each))
                for each in entries("points", given["points"])
            )
        return cls(**given)

    # As an address --------------------------------------------------------------------

    def to_query(self) -> str:
        """What differs from the usual, as the text of an address."""
        usual = Experiment()
        parts = {
            field.name: self._written(field.name)
            for field in fields(self)
            if getattr(self, field.name) != getattr(usual, field.name)
        }
        return "&".join(f"{name}={quote(text, SAFE)}" for name, text in parts.items())

    def _written(self, name: str) -> str:
        value = getattr(self, name)
        if name == "layers":
            return ",".join(map(str, value)) or NOTHING
        if name == "points":
            return ";".join(f"{x!r},{y!r},{c}" for x, y, c in value)
        return NOTHING if value is None else str(value)

    @classmethod
    def from_query(cls, text: str) -> Experiment:
        """From the text of an address.

        Raises:
            ArgumentError: as `from_dict`.
        """
        pairs = parse_qsl(text.removeprefix("?"), keep_blank_values=True)
        given = dict(pairs)
        require(len(given) == len(pairs), "settings", "given once each", text)
        require_names(given)
        return cls(**{name: read(name, value) for name, value in given.items()})


SAFE = ":,;*-/()."
"""Left as they are in an address; a plus would be read as a space."""

FIELDS: dict[str, Field] = {
    "data": Choice({name: each.label for name, each in SOURCES.items()}),
    "training_rows": Number(10, 1000, whole=True),
    "validation_rows": Number(10, 1000, whole=True),
    "noise": Number(0, 1),
    "formula": Text(200),
    "own_activation": Text(200),
    "loss": Choice(
        {"cross_entropy": "cross-entropy", "mean_squared_error": "mean squared error"}
    ),
    "optimizer": Choice(
        {
            name: name
            for name in (
                *("SGD", "Momentum", "Adam", "AdamW", "RMSProp", "Adagrad"),
                *("Adadelta", "Lion"),
            )
        }
    ),
    "learning_rate": Number(1e-5, 100, log=True),
    "schedule": Choice(
        {
            "Constant": "constant",
            "StepDecay": "steps",
            "ExponentialDecay": "exponential",
            "CosineWithWarmup": "warm-up, cosine",
            "OneCycle": "one cycle",
            "ReduceOnPlateau": "on a plateau",
        }
    ),
    "batch_size": Number(1, 1000, whole=True),
    "l1": Number(0, 1),
    "l2": Number(0, 1),
    "initializer": Choice(
        {
            "usual": "the activation's",
            **{
                name: name.replace("_", " ")
                for name in (
                    *("glorot_uniform", "glorot_normal", "he_uniform", "he_normal"),
                    *("lecun_normal", "orthogonal", "zeros", "ones"),
                )
            },
        }
    ),
    "patience": OrNone(Number(1, 1000, whole=True)),
    "epochs": Number(1, 1000, whole=True),
    "seed": Number(0, 2**31 - 1, whole=True),
    "data_seed": Number(0, 2**31 - 1, whole=True),
}
"""What each may be; layers and points have classes of their own."""


def require_names(given: Mapping[str, Any]) -> None:
    """Every name is one of an experiment's.

    Raises:
        ArgumentError: one isn't; it names the nearest.
    """
    known = [field.name for field in fields(Experiment)]
    for name in given:
        if name not in known:
            shown = printable(repr(name)[:60])
            meant = nearest(str(name)[:60], known)
            raise ArgumentError(f"an experiment has no setting {shown}{meant}")


def entries(name: str, value: Any) -> Sequence[Any]:
    """A list of plain data.

    Raises:
        ArgumentError: it is none.
    """
    require(isinstance(value, list | tuple), name, "a list", type(value).__name__)
    return value


def layer_in(data: Any) -> Hidden:
    """A layer from plain data.

    Raises:
        ArgumentError: it is none.
    """
    known = {field.name for field in fields(Hidden)}
    given = cast("dict[str, Any]", data if isinstance(data, dict) else {"": type(data)})
    must = f"an object with {', '.join(sorted(known))}"
    require(set(given) <= known, "a layer", must, printable(repr(given)[:60]))
    return Hidden(**given)


def read(name: str, text: str) -> Any:
    """A value from an address."""
    if name == "layers":
        written = [] if text == NOTHING else text.split(",")
        return tuple(Hidden.read(each) for each in written)
    if name == "points":
        return tuple(point_in(each) for each in text.split(";")) if text else ()
    return FIELDS[name].read(name, text)


def point_in(text: str) -> Point:
    """A point as an address has it: ``0.5,-1,1``.

    Raises:
        ArgumentError: it is none.
    """
    try:
        x, y, kind = text.split(",")
        return float(x), float(y), int(kind)
    except ValueError as error:
        raise ArgumentError(f"a point must be x,y,class, got {text[:60]!r}") from error


def choices() -> dict[str, Any]:
    """What each field may be, as plain data: of these a page makes its controls."""
    return {
        **{name: field.to_dict() for name, field in FIELDS.items()},
        "units": UNITS.to_dict(),
        "activation": ACTIVATIONS.to_dict(),
        "dropout": DROPOUT.to_dict(),
        "most_layers": MOST_LAYERS,
    }
