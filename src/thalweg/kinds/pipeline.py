"""The whole way of a prediction: what goes in, the network, and what comes out.

What happens to numbers before the network and behind it are formulas: given arrays they
compute, as `predict` does; traced they are programs, which exports write down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from thalweg.network import Network
from thalweg.program import ops
from thalweg.program.types import Dtype, NumpyArray, Shape
from thalweg.tables.dialect import USUAL_DIALECT, Dialect

if TYPE_CHECKING:
    from thalweg.tables.encode import Encoder
    from thalweg.tables.table import Table


def as_given(source: Any) -> Any:
    """What the user gives is X itself."""
    return source


@dataclass(frozen=True)
class ArrayInputs:
    """Rows of numbers go in.

    Arguments:
        shape: of a row.
        dtype: of the numbers.
        formula: what the network takes, of X.
        finite: whether a missing or infinite number is an error.
        with_lengths: whether rows have lengths of their own.
        read: X of what the model predicts from.
    """

    shape: Shape
    dtype: Dtype
    formula: Callable[[Any], Any]
    finite: bool
    with_lengths: bool = False
    read: Callable[[Any], Any] = as_given


@dataclass(frozen=True)
class TableInputs:
    """The columns of a table go in.

    Arguments:
        encoder: how they become what the network takes.
        table: reads what the user gives.
        dialect: how the text of a file is written.
    """

    encoder: Encoder
    table: Callable[[Any], Table]
    dialect: Dialect = USUAL_DIALECT


Inputs: TypeAlias = ArrayInputs | TableInputs


@dataclass(frozen=True)
class Answers:
    """What comes out for every row.

    Arguments:
        formula: each answer by its name, of what the network gives.
        columns: for each answer the names of a row's numbers, where they have any.
        labels: what the whole numbers in ``prediction`` stand for; None where numbers
            stand for themselves.
        offset: what is added to what the network gives, of what it takes; None where
            nothing is.
    """

    formula: Callable[[Any], dict[str, Any]]
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict[str, list[str]])
    labels: NumpyArray | None = None
    offset: Callable[[Any], Any] | None = None


class Described(Protocol):
    """What says of itself what goes in, and what comes out.

    A name as Python's own have it, as it is no method that a user calls.
    """

    def __pipeline__(self) -> Pipeline:
        """The whole way of a prediction."""
        ...


@dataclass(frozen=True)
class Pipeline:
    """What goes in, the network, and what comes out.

    Arguments:
        network: the trained network.
        inputs: what the user gives.
        answers: what they get.
        about: what a reader of a file may want to know, as JSON has it.
    """

    network: Network
    inputs: Inputs
    answers: Answers
    about: Mapping[str, Any]

    @classmethod
    def of_network(cls, network: Network) -> Pipeline:
        """A network by itself: X in, ``predictions`` out.

        Raises:
            NotFittedError: it has no parameters yet.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.Dense(1)]).initialize(3)
            >>> Pipeline.of_network(network).inputs.shape
            (3,)
        """
        shape = network.shapes.outputs[0]
        dtype = network.dtype
        inputs = ArrayInputs(
            shape,
            network.input_dtype,
            lambda X: ops.cast(X, dtype),
            finite=False,
            with_lengths=network.takes_lengths,
        )
        answers = Answers(lambda outputs: {"predictions": outputs})
        return cls(network, inputs, answers, {"kind": "network"})
