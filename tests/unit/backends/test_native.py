"""What Python and the engine say to each other about plans, and about rows."""

import copy
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from thalweg import _engine
from thalweg.backends.engine.assemble import compile_any_rows
from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.native import (
    NativeProgram,
    enumerations,
    require_same_enumerations,
)
from thalweg.program.ir import Program
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType


@pytest.mark.parametrize("what", enumerations())
def test_a_number_that_differs_is_named(what: str) -> None:
    theirs = copy.deepcopy(_engine.enumerations())
    name = next(iter(theirs[what]))
    theirs[what][name] += 1
    with pytest.raises(ImportError, match=f"{name} of the {what}: "):
        require_same_enumerations(enumerations(), theirs)


@pytest.mark.parametrize("what", enumerations())
def test_a_name_of_one_side_alone_is_named(what: str) -> None:
    theirs = copy.deepcopy(_engine.enumerations())
    theirs[what]["another"] = 99
    with pytest.raises(ImportError, match=r"another of the .*: None here, 99 there"):
        require_same_enumerations(enumerations(), theirs)
    with pytest.raises(ImportError, match=r"another of the .*: 99 here, None there"):
        require_same_enumerations(theirs, enumerations())


def test_a_list_of_one_side_alone_is_named() -> None:
    theirs = {k: v for k, v in enumerations().items() if k != "dtypes"}
    with pytest.raises(ImportError, match=r"differ in the dtypes$"):
        require_same_enumerations(enumerations(), theirs)


def test_the_engine_that_is_installed_is_for_these_plans() -> None:
    require_same_enumerations(enumerations(), _engine.enumerations())


def two_by_two() -> NativeProgram:
    """Two inputs of rows, and two outputs."""

    def formula(arrays: Any) -> Any:
        return {"sum": arrays["x"] + arrays["z"], "product": arrays["x"] * arrays["z"]}

    def made(rows: Any) -> Program:
        return trace(formula, dict.fromkeys("xz", ArrayType((rows, 3), "float32")))

    compiled = compile_any_rows(Batch(made, ["x", "z"]))
    assert compiled is not None
    return NativeProgram(compiled, {})


def test_predict_goes_between_what_is_named_and_leaves_the_rest_bound() -> None:
    program, ones = two_by_two(), np.ones((2, 3), np.float32)
    program.bind_rows({"x": ones, "z": 3 * ones, **program.row_outputs(2)})
    with pytest.raises(ValueError, match="or one that knows between which"):
        program.engine.predict(ones)
    program.engine.predict_between("z", "product")
    assert_array_equal(program.engine.predict(5 * ones), 5 * ones)
    assert program.engine.predict(np.inf * ones) is None
    outputs = program.row_outputs(2)
    program.bind_rows(outputs)
    program.engine.run(2)
    assert_array_equal(outputs["product"], 3 * ones)


@pytest.mark.parametrize(
    ("between", "says"),
    [
        (("y", "sum"), "has no buffer y"),
        (("sum", "x"), "reads an input of rows and writes an output"),
        (("x", "z"), "reads an input of rows and writes an output"),
    ],
)
def test_predict_is_between_rows_that_there_are(between: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        two_by_two().engine.predict_between(*between)
