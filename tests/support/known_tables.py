"""Tables that everybody has, or may have, with the column to predict.

scikit-learn brings some; those of the folder that THALWEG_DATA names are well known
tables of several authors (Palmer penguins, UCI Adult, California housing, UCI wine
quality, diamonds of ggplot2, UCI bike sharing), which a checkout doesn't hold.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

SCIKIT_LEARN = ("iris", "wine", "breast_cancer", "diabetes", "digits")
FILES = {
    "penguins": "species",
    "adult_train": "income",
    "adult_test": "income",
    "california_housing": "median_house_value",
    "wine_quality": "quality",
    "diamonds": "price",
    "bikeshare": "bikers",
}
FOLDER = "THALWEG_DATA"
EXAMPLE = Path(__file__).parents[2] / "examples" / "penguins.csv"


def scikit_learn_frame(name: str) -> pd.DataFrame:
    """A table of scikit-learn's, its target in a column ``target``."""
    load: Any = getattr(import_module("sklearn.datasets"), f"load_{name}")
    return load(as_frame=True).frame


def path_of(name: str, folder: Path) -> tuple[Path, str]:
    """The CSV file of a table and its target; a test without the file is skipped.

    Args:
        name: of the table.
        folder: where those of scikit-learn are written to.
    """
    if name in SCIKIT_LEARN:
        path = folder / f"{name}.csv"
        scikit_learn_frame(name).to_csv(path, index=False)
        return path, "target"
    if name == "penguins":
        return EXAMPLE, FILES[name]
    if FOLDER not in os.environ:
        pytest.skip(f"{FOLDER} names no folder with {name}.csv")
    return Path(os.environ[FOLDER]) / f"{name}.csv", FILES[name]
