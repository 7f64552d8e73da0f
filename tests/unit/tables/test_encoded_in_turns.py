"""Features that are written into two arrays in turns."""

import numpy as np
import polars as pl

from thalweg.tables.encode import Encoder
from thalweg.tables.flow import encoded_in_turns
from thalweg.tables.infer import infer
from thalweg.tables.table import Table

SIZES = (5, 1, 9, 3, 12, 4, 7, 2, 11, 6)  # of the parts
FRAME = pl.DataFrame(
    {"n": np.arange(60.0), "c": list("abcab") * 12, "y": list("uv") * 30}
)


def test_each_array_stays_as_it_is_until_the_one_after_the_next_is_asked_for() -> None:
    table = Table.of("t", FRAME)
    encoder = Encoder.fit(infer(table, target="y"), table, np.arange(60))
    starts = np.cumsum((0, *SIZES))
    parts = [
        Table.of("t", FRAME.slice(start, size))
        for start, size in zip(starts, SIZES, strict=False)
    ]
    found, before, reported = [], None, 0
    for X, marks, reports in encoded_in_turns(iter(parts), encoder, 4):
        assert len(marks) == len(X)
        if before is not None:
            assert np.array_equal(before, found[-1])
        assert len(X) % 4 == 0 or not reports
        found.append(X.copy())
        before = X
        reported += sum(report.rows for report in reports)
    assert np.array_equal(np.concatenate(found), encoder.transform(table).X)
    assert reported == table.rows
