"""A person's formula, of which nothing but a few names and operators is taken.

The text is parsed, never run: its tree is walked, and each of its nodes is either one
of those below or refused.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import thalweg.formulas.activations as activations
from thalweg.backends.numpy.calls import compile
from thalweg.checks import nearest
from thalweg.errors import ArgumentError, ThalwegError
from thalweg.formulas.activations import Activation
from thalweg.printable import printable
from thalweg.program import ops
from thalweg.program.composed import clip
from thalweg.program.types import NumpyArray

MOST_NODES = 200
MOST_CHARACTERS = 200
MOST_POWER = 16
LARGEST = 1e9

FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "abs": (ops.absolute, 1),
    **{
        name: (getattr(ops, name), 1)
        for name in ("cos", "erf", "exp", "log", "sign", "sin", "sqrt", "square")
    },
    **{
        name: (getattr(activations, name), 1)
        for name in (
            *("sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu"),
            *("mish", "softplus", "step"),
        )
    },
    "maximum": (ops.maximum, 2),
    "minimum": (ops.minimum, 2),
    "where": (ops.where, 3),
    "clip": (clip, 3),
}
"""What may be called, and with how many arguments."""

CONSTANTS = {"pi": math.pi, "e": math.e}

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda x, y: x / y,
}
COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

Formula = Callable[..., Any]


def formula_in(text: str, names: tuple[str, ...]) -> Formula:
    """The function that a text says.

    Arguments:
        text: such as ``z * sigmoid(z)``.
        names: of its arguments.

    Returns:
        A function of that many arrays.

    Raises:
        ArgumentError: the text isn't a formula, or has something in it that none may
            have; it says what, and at which character.

    Example:
        >>> from thalweg.playground.own_formula import formula_in
        >>> formula_in("2 * z + 1", ("z",))(3.0)
        7.0
        >>> formula_in("__import__('os')", ("z",))
        Traceback (most recent call last):
        thalweg.errors.ArgumentError: a formula may have z, numbers, + - * / **, ...
    """
    tree = parsed(text)
    check(tree, names)

    def formula(*arrays: Any) -> Any:
        return value_of(tree, dict(zip(names, arrays, strict=True)))

    return formula


def activation_of(text: str) -> Activation:
    """The activation that a text says of z, under its own text.

    Raises:
        ArgumentError: as `formula_in`; or it gives no number for each z.
    """
    formula = formula_in(text, ("z",))

    def own(z: ops.Array) -> ops.Array:
        return formula(z)

    own.__name__ = own.__qualname__ = "own"
    given = tried(own, text, np.linspace(-2, 2, 5))
    if given.dtype == bool:
        raise ArgumentError(
            f"formula must give a number for each z, got {shown(text)}, which is true "
            "or false: write where(…, 1, 0)"
        )
    return own


def tried(formula: Formula, text: str, *arrays: NumpyArray) -> NumpyArray:
    """What a formula gives for arrays, one value for each of their elements.

    Raises:
        ArgumentError: it gives something else.
    """
    must = "formula must give one value for each point, got"
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = np.asarray(compile(formula)(*arrays))
    except (ThalwegError, TypeError, ArithmeticError) as error:
        raise ArgumentError(f"{must} {shown(text)}: {error}") from error
    if given.shape != arrays[0].shape:
        raise ArgumentError(f"{must} {shown(text)}, which is one for all")
    return given


def of_points(text: str) -> Callable[[NumpyArray], NumpyArray]:
    """What a text says of x1 and x2: a number for each row, or whether it is so.

    Returns:
        A function of rows (rows, 2) that gives float32 or bool, (rows,).

    Raises:
        ArgumentError: as `formula_in`; or, when called, it gives what is no number.
    """
    formula = formula_in(text, ("x1", "x2"))

    def tell(X: NumpyArray) -> NumpyArray:
        first, second = np.asarray(X, np.float64).T
        given = tried(formula, text, first, second)
        if not np.isfinite(given).all():
            none = int((~np.isfinite(given)).sum())
            raise ArgumentError(
                "formula must give a finite number for each point, got "
                f"{shown(text)}, which doesn't for {none} of {len(given)}"
            )
        return given if given.dtype == bool else given.astype(np.float32)

    return tell


# Which texts are formulas ----------------------------------------------------------


def parsed(text: str) -> ast.Expression:
    """The tree of a text.

    Raises:
        ArgumentError: it is no expression, or a very long one.
    """
    if len(text) > MOST_CHARACTERS:
        raise ArgumentError(
            f"a formula must have at most {MOST_CHARACTERS} characters, got {len(text)}"
        )
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        place = getattr(error, "offset", None)
        at = f" at character {place}" if place else ""
        raise ArgumentError(
            f"a formula must be an expression, got {shown(text)}{at}"
        ) from None
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        raise ArgumentError(f"a formula must have at most {MOST_NODES} parts")
    return tree


def check(tree: ast.Expression, names: tuple[str, ...]) -> None:
    """Every part of a tree is one that a formula may have.

    Raises:
        ArgumentError: one isn't.
    """
    waiting: list[ast.AST] = [tree.body]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Constant(value=int() | float() as value) if (
                type(value) is not bool
            ):
                if not abs(value) <= LARGEST:
                    raise refused(node, names, f"the number {value:g}")
            case ast.Name(id=name) if name in names or name in CONSTANTS:
                pass
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
                waiting.append(inner)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                power_of(right, names)
                waiting.append(left)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                waiting += [left, right]
            case ast.Compare(left=left, ops=[op], comparators=[right]) if (
                type(op) in COMPARED
            ):
                waiting += [left, right]
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if (
                name in FUNCTIONS
            ):
                count = FUNCTIONS[name][1]
                if len(args) != count:
                    raise refused(node, names, f"{name} of {len(args)}, not {count}")
                waiting += args
            case _:
                raise refused(node, names, named(node, names))


def power_of(node: ast.AST, names: tuple[str, ...]) -> int:
    """A whole power, which must stand there as a number.

    Raises:
        ArgumentError: it doesn't.
    """
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    value = node.value if isinstance(node, ast.Constant) else None
    if type(value) is int and abs(value) <= MOST_POWER:
        return sign * value
    raise refused(node, names, f"a power that isn't a whole number up to {MOST_POWER}")


def named(node: ast.AST, names: tuple[str, ...]) -> str:
    """What a part is that no formula may have."""
    match node:
        case ast.Name(id=name):
            return f"the name {name}{nearest(name, [*names, *FUNCTIONS])}"
        case ast.Call(func=ast.Name(id=name)):
            return f"the call {name}{nearest(name, FUNCTIONS)}"
        case ast.Constant(value=value):
            return f"the {type(value).__name__} {shown(str(value))}"
        case _:
            return type(node).__name__.lower()


def refused(node: ast.AST, names: tuple[str, ...], what: str) -> ArgumentError:
    """The error for a part that no formula may have."""
    place = getattr(node, "col_offset", 0) + 1
    allowed = f"{', '.join(names)}, numbers, + - * / **, < <= > >= and "
    return ArgumentError(
        f"a formula may have {allowed}{', '.join(FUNCTIONS)}; got {printable(what)} "
        f"at character {place}"
    )


def shown(text: str) -> str:
    """A text as an error shows it."""
    return printable(repr(text[:60]))


# What they say ---------------------------------------------------------------------


def value_of(tree: ast.Expression, arrays: Mapping[str, Any]) -> Any:
    """The value of a checked tree: a node after the nodes that it has."""

    def of(node: ast.AST) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return arrays[name] if name in arrays else CONSTANTS[name]
            case ast.UnaryOp(op=op, operand=inner):
                return -of(inner) if isinstance(op, ast.USub) else of(inner)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return of(left) ** power_of(right, ())
            case ast.BinOp(left=left, op=op, right=right):
                return BINARY[type(op)](of(left), of(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return COMPARED[type(op)](of(left), of(right))
            case ast.Call(func=ast.Name(id=name), args=args):
                return FUNCTIONS[name][0](*map(of, args))
            case _:  # `check` leaves no other
                raise AssertionError(ast.dump(node))

    return of(tree.body)


class Source(ast.NodeTransformer):
    """Names of functions become those of thalweg, constants their numbers."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """``abs(z)`` is ``tw.absolute(z)``."""
        function = node.func
        assert isinstance(function, ast.Name)
        name = {"abs": "absolute"}.get(function.id, function.id)
        own = ast.Attribute(ast.Name("tw"), name)
        return ast.Call(own, [self.visit(each) for each in node.args], [])

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """``pi`` is 3.14…"""
        return ast.Constant(CONSTANTS[node.id]) if node.id in CONSTANTS else node


def as_source(text: str) -> str:
    """A formula as Python has it that imports thalweg as ``tw``.

    Raises:
        ArgumentError: it is none.

    Example:
        >>> from thalweg.playground.own_formula import as_source
        >>> as_source("z*sigmoid(abs(z))")
        'z * tw.sigmoid(tw.absolute(z))'
    """
    tree = parsed(text)
    check(tree, ("z", "x1", "x2"))
    return ast.unparse(Source().visit(tree))
