"""Tables of series whose meaning is known."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl


def hourly(rows: int = 200, seed: int = 0) -> pl.DataFrame:
    """Hours with a daily season, a number, a category, and what is known ahead."""
    random = np.random.default_rng(seed)
    start = datetime(2024, 3, 1)
    hours = np.arange(rows)
    warm = np.sin(2 * np.pi * hours / 24)
    open_ = (hours // 24 % 3 > 0).astype(int)
    load = 50 + 20 * warm + 10 * open_ + random.normal(0, 1, rows)
    return pl.DataFrame(
        {
            "time": pl.Series(np.datetime64(start, "us") + hours.astype("m8[h]")),
            "wind": random.normal(3, 1, rows).round(3),
            "sky": random.choice(["clear", "cloudy", "rain"], rows),
            "open": open_,
            "load": load.round(3),
        }
    )


def as_text(frame: pl.DataFrame) -> str:
    """The frame as CSV, its times without seconds."""
    return frame.with_columns(pl.col("time").dt.to_string("%Y-%m-%d %H:%M")).write_csv()
