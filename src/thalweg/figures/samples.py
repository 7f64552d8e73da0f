"""The data of the figures: small, real, and bundled with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Sample:
    """Rows of inputs and targets, and where they come from.

    Arguments:
        X: shape (rows, features), float64.
        y: shape (rows,): class numbers or numbers.
        source: a phrase for people.
    """

    X: NumpyArray
    y: NumpyArray
    source: str

    def __len__(self) -> int:
        return len(self.y)

    @property
    def pair(self) -> tuple[NumpyArray, NumpyArray]:
        """Inputs and targets."""
        return self.X, self.y

    def shuffled(self, seed: int) -> Sample:
        """The same rows in another order."""
        order = np.random.default_rng(seed).permutation(len(self))
        return Sample(self.X[order], self.y[order], self.source)

    def first(self, rows: int) -> Sample:
        """The first rows."""
        return Sample(self.X[:rows], self.y[:rows], self.source)

    def rest(self, rows: int) -> Sample:
        """All but the first rows."""
        return Sample(self.X[rows:], self.y[rows:], self.source)

    def standardized(self, like: Sample | None = None) -> Sample:
        """Inputs with mean 0 and standard deviation 1 in these rows, or in others."""
        X = (like or self).X
        return Sample((self.X - X.mean(0)) / X.std(0), self.y, self.source)

    def standardized_target(self, like: Sample | None = None) -> Sample:
        """Targets with mean 0 and standard deviation 1 in these rows, or in others."""
        y = (like or self).y
        return Sample(self.X, (self.y - y.mean()) / y.std(), self.source)


def loader() -> Any:
    """scikit-learn's data sets; it has no types, and takes long to import."""
    import sklearn.datasets

    return sklearn.datasets


def digits() -> Sample:
    """8 × 8 pixels from 0 to 1, and the digit they show."""
    X, y = loader().load_digits(return_X_y=True)
    return Sample(X / 16, y, "scikit-learn's digits: 1,797 images of 8 × 8 pixels")


def diabetes() -> Sample:
    """Ten measurements of a patient, and the progression of diabetes a year later."""
    X, y = loader().load_diabetes(return_X_y=True, scaled=False)
    return Sample(X, y, "scikit-learn's diabetes: 442 patients, 10 measurements")


def breast_cancer() -> Sample:
    """Thirty measurements of cells, and 1 where the tumor is malignant."""
    X, benign = loader().load_breast_cancer(return_X_y=True)
    return Sample(
        X, 1 - benign, "scikit-learn's breast cancer: 569 tumors, 30 measurements"
    )


def iris() -> Sample:
    """Sepal and petal, length and width in cm; 0 setosa, 1 versicolor, 2 virginica."""
    X, y = loader().load_iris(return_X_y=True)
    return Sample(X, y, "scikit-learn's iris: 150 flowers, 4 lengths in cm")


def moons(rows: int, noise: float, seed: int) -> Sample:
    """Two interleaved half circles with noise: made, as their shape is the point."""
    X, y = loader().make_moons(rows, noise=noise, random_state=seed)
    source = (
        f"made: scikit-learn's make_moons, {rows} rows, noise {noise:g}, seed {seed}"
    )
    return Sample(X, y, source)


# Images -------------------------------------------------------------------------------


def digit_images(margin: int = 0) -> Sample:
    """The digits as images (rows, height, width, 1), in a frame of zeros if wanted."""
    rows = digits()
    images = rows.X.reshape(-1, 8, 8, 1)
    around = ((0, 0), (margin, margin), (margin, margin), (0, 0))
    source = f"{rows.source}, in a frame of {margin} pixels" if margin else rows.source
    return Sample(np.pad(images, around), rows.y, source)


def photo(step: int) -> tuple[NumpyArray, str]:
    """A photo in grays from 0 to 1, each pixel the mean of so many times so many."""
    pixels = loader().load_sample_image("china.jpg").mean(-1) / 255
    height, width = (n - n % step for n in pixels.shape)
    blocks = pixels[:height, :width].reshape(height // step, step, width // step, step)
    return blocks.mean((1, 3)), "scikit-learn's china.jpg, a photo"
