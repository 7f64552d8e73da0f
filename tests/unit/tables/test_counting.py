"""Whether numbers count from 0 or 1, against Python's own range."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thalweg.tables.counting import counts

FIRST = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0])
ANY = st.floats(allow_nan=True, allow_infinity=True)


@given(st.data())
def test_numbers_count_from_zero_or_one_and_nothing_else(data: Any) -> None:
    size = data.draw(st.integers(1, 9))
    start = data.draw(FIRST)
    rows = [[start + place for place in range(size)], [data.draw(ANY)] * size]
    rows.append([*rows[0][:-1], data.draw(ANY)])
    found = counts(np.array(rows))
    for row, said in zip(rows, found.tolist(), strict=True):
        assert said == (row in (list(range(size)), list(range(1, size + 1))))
