"""The names that authors gave to a formula's values, found while it is traced."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from thalweg.program.ir import Program
from thalweg.program.trace import PROGRAM_FOLDER, Trace, Tracer

Arrays = dict[str, Any]
Formula = Callable[[Arrays], Arrays]
OWN_FOLDERS = (PROGRAM_FOLDER, str(Path(__file__).parent))
ARGUMENT, VARIABLE = "argument.", "variable."


def with_local_names(function: Formula) -> Formula:
    """The function, with what formulas inside it call their values as further outputs.

    Being outputs, the names survive every pass. They're looked up by Python's profiling
    hook; where a profiler is at work already, values stay without names.
    """

    def run(arrays: Arrays) -> Arrays:
        if sys.getprofile() is not None:
            return function(arrays)
        names = LocalNames(next(iter(arrays.values())).trace)
        sys.setprofile(names.look)
        try:
            outputs = function(arrays)
        finally:
            sys.setprofile(None)
        return {**outputs, **names.found}

    return run


class LocalNames:
    """Each value's first name: inner calls return before outer ones."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.seen = set(range(len(trace.inputs)))
        self.found: Arrays = {}

    def look(self, frame: FrameType, event: str, _: Any) -> None:
        """Take the names in a call of a formula that returns."""
        if event != "return" or frame.f_code.co_filename.startswith(OWN_FOLDERS):
            return
        for name, value in frame.f_locals.items():
            if isinstance(value, Tracer) and value.trace is self.trace:
                self._take(kind_of(frame, name), name, value)

    def _take(self, kind: str, name: str, tracer: Tracer) -> None:
        if tracer.value not in self.seen:
            self.seen.add(tracer.value)
            self.found[f"{kind}{len(self.found)}.{name}"] = tracer


def kind_of(frame: FrameType, name: str) -> str:
    """Whether a name is that of an argument or of a variable."""
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    return ARGUMENT if name in code.co_varnames[:count] else VARIABLE


def names_of(program: Program, kind: str) -> dict[int, str]:
    """The names of a kind, by the value that has them."""
    return {
        value: output.split(".", 2)[2]
        for output, value in reversed(list(program.outputs.items()))
        if output.startswith(kind)
    }
