"""A person's formula is read, never run as Python, and differentiated by thalweg."""

import ast
import math
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.playground.own_formula import (
    CONSTANTS,
    FUNCTIONS,
    activation_of,
    as_source,
    formula_in,
    of_points,
)

Z = np.linspace(-2, 2, 9)


def numpy_names() -> dict[str, Any]:
    """What the names mean, said by NumPy and math alone."""
    erf = np.vectorize(math.erf)

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def selu(z: Any) -> Any:
        scale, alpha = 1.0507009873554805, 1.6732632423543772
        return scale * np.where(z > 0, z, alpha * (np.exp(z) - 1))

    def softplus(z: Any) -> Any:
        return np.log(1 + np.exp(z))

    return {
        **{name: getattr(np, name) for name in ("abs", "cos", "exp", "log", "sin")},
        **{name: getattr(np, name) for name in ("sign", "sqrt", "square", "tanh")},
        **{name: getattr(np, name) for name in ("maximum", "minimum", "where", "clip")},
        "erf": erf,
        "sigmoid": sigmoid,
        "relu": lambda z: np.maximum(z, 0),
        "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
        "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
        "selu": selu,
        "gelu": lambda z: z * (1 + erf(z / math.sqrt(2))) / 2,
        "silu": lambda z: z * sigmoid(z),
        "mish": lambda z: z * np.tanh(softplus(z)),
        "softplus": softplus,
        "step": lambda z: np.where(z >= 0, 1.0, 0.0),
        **CONSTANTS,
    }


def test_every_function_is_the_one_of_that_name() -> None:
    known = numpy_names()
    positive = np.abs(Z) + 0.1
    for name, (_, count) in FUNCTIONS.items():
        arguments = {1: "z", 2: "z, 0.5", 3: "z, -1, 1"}[count]
        text = f"{name}({arguments})" if name != "where" else "where(z > 0, z, 0)"
        z = positive if name in ("log", "sqrt") else Z
        expected = eval(text, {"__builtins__": {}}, {**known, "z": z})
        given = np.asarray(tw.compile(formula_in(text, ("z",)))(z))
        np.testing.assert_allclose(given, expected, rtol=1e-9, atol=1e-12)


LEAVES = st.sampled_from(["z", "1", "2.5", "-3", "pi"])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(
            lambda each: f"({each[0]} {each[1]} {each[2]})"
        ),
        st.tuples(inner, st.integers(0, 3)).map(lambda e: f"({e[0]}) ** {e[1]}"),
        st.tuples(st.sampled_from(["tanh", "sigmoid", "sin", "abs"]), inner).map(
            lambda each: f"{each[0]}({each[1]})"
        ),
    ),
    max_leaves=6,
).filter(lambda text: len(text) <= 200)


@given(EXPRESSIONS)
@settings(max_examples=60)
def test_it_says_what_python_says(text: str) -> None:
    own = f"{text} + z"  # one value for each z
    expected = eval(own, {"__builtins__": {}}, {**numpy_names(), "z": Z})
    given = np.asarray(tw.compile(formula_in(own, ("z",)))(Z))
    np.testing.assert_allclose(given, expected, rtol=1e-7, atol=1e-7)
    source = eval(f"lambda z: {as_source(own)}", {"tw": tw, "__builtins__": {}})
    np.testing.assert_array_equal(np.asarray(tw.compile(source)(Z)), given)


@pytest.mark.parametrize(
    "text",
    ["z * sigmoid(z)", "tanh(z) + 0.1 * z ** 3", "where(z > 0.1, z, exp(z) - 1)"],
)
def test_its_derivative_is_its_slope(text: str) -> None:
    formula = activation_of(text)
    slope = tw.gradient(lambda z: tw.sum(formula(z)))(Z + 0.05)
    call = tw.compile(formula)
    step = 1e-6
    difference = (call(Z + 0.05 + step) - call(Z + 0.05 - step)) / (2 * step)
    np.testing.assert_allclose(slope, difference, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("__import__('os')", "got the call __import__ at character 1"),
        ("z.real", "attribute at character 1"),
        ("z[0]", "subscript at character 1"),
        ("(lambda: z)()", "call at character 1"),
        ("z if z > 0 else 0", "ifexp at character 1"),
        ("[z for z in z]", "listcomp"),
        ("f'{z}'", "joinedstr"),
        ("'a' * 9", "the str 'a' at character 1"),
        ("True", "the bool 'True'"),
        ("z := 3", "must be an expression"),
        ("z; z", "must be an expression"),
        ("", "must be an expression"),
        ("exp", "the name exp"),
        ("exp(z, z)", "exp of 2, not 1"),
        ("exp(*z)", "starred"),
        ("exp(x=z)", "the call exp"),
        ("sgmoid(z)", "did you mean 'sigmoid'?"),
        ("y + 1", "the name y"),
        ("_z", "the name _z"),
        ("z ** z", "a power that isn't a whole number up to 16"),
        ("9 ** 9 ** 9 ** 9", "a power that isn't a whole number"),
        ("z ** 99", "a power that isn't a whole number"),
        ("1e400 * z", "the number inf"),
        ("1e300 * z", "the number 1e+300"),
        ("1 < z < 2", "compare"),
        ("z and z", "boolop"),
        ("~z", "unaryop"),
        ("z @ z", "binop"),
        ("(" * 150 + "z", "must be an expression"),
        ("z" * 201, "at most 200 characters"),
        ("+".join("z" * 99), "at most 200 parts"),
        ("z > 0", "true or false: write where"),
        ("3", "which is one for all"),
        ("1/0 * z", "division by zero"),
        ("\x00", "must be an expression"),
    ],
)
def test_what_no_formula_has_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        activation_of(text)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


WORDS = "z x1 ( ) , + - * / ** < >= 1 0.5 9 e pi . [ ] ' lambda if else __ import : ="
PIECES = st.sampled_from(
    [*FUNCTIONS, *WORDS.split(), "\\", "\n", " ", "é", "π", "exec"]
)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
@settings(max_examples=400)
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    for read in (activation_of, lambda t: of_points(t)(np.ones((3, 2)))):
        with suppress(ArgumentError):
            read(text)  # if it is taken, nothing else is in it than what is allowed
            allowed = {*FUNCTIONS, *CONSTANTS, "z", "x1", "x2"}
            names = [
                n.id for n in ast.walk(ast.parse(text.strip())) if type(n) is ast.Name
            ]
            assert set(names) <= allowed
