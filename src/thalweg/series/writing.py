"""Times as a table writes them."""

from __future__ import annotations

import polars as pl

from thalweg.tables.forms import DateForm, Form

HOURS = ("%H", "%I", "%k", "%l", "%T", "%R")
"""Signs of strptime that have the hour."""


def written(moments: pl.Series, form: Form) -> pl.Series:
    """Times as texts, in the form of a column's cells.

    A clock stands behind a date where one of the times isn't midnight; seconds where
    one isn't a whole minute.

    Arguments:
        moments: times as the form understands them.
        form: how the column's cells are written.

    >>> hours = pl.Series(["2024-01-31 22:00"]).str.to_datetime("%Y-%m-%d %H:%M")
    >>> written(hours, DateForm(order="%d/%m/%Y")).to_list()
    ['31/01/2024 22:00']
    """
    if not moments.dtype.is_temporal():
        whole = moments.cast(pl.Int64, strict=False)
        return whole if (whole == moments).all() else moments
    clock = moments if moments.dtype == pl.Time else moments.dt.time()
    part = clock_form(clock)
    if not isinstance(form, DateForm):
        return moments.dt.to_string(part or "%H:%M")
    order = form.order
    has_clock = any(sign in order for sign in HOURS)
    if part and not has_clock:
        order += f" {part}"
    return moments.dt.to_string(order)


def clock_form(clock: pl.Series) -> str:
    """How exactly times of day are written; not at all if each is midnight."""
    if clock.dt.nanosecond().max():
        return "%H:%M:%S%.f"
    if clock.dt.second().max():
        return "%H:%M:%S"
    return "%H:%M" if (clock.dt.hour().max(), clock.dt.minute().max()) != (0, 0) else ""
