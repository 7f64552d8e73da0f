"""The text and the series of the figures: those of the folder ``examples``."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from thalweg.errors import FileError
from thalweg.figures.samples import Sample
from thalweg.program.types import NumpyArray

INSTALLED = Path(__file__).parent / "data"  # where CMake puts them
CHECKOUT = Path(__file__).parents[3] / "examples"  # where they are kept


def example(name: str) -> Path:
    """A file of the folder ``examples``, from a checkout or from what is installed.

    Raises:
        FileError: it is in neither place.
    """
    for folder in (INSTALLED, CHECKOUT):
        if (folder / name).is_file():
            return folder / name
    raise FileError(f"{name}: there is no such example in {INSTALLED} or {CHECKOUT}")


@dataclass(frozen=True)
class Text:
    """A text as class numbers of its characters.

    Arguments:
        alphabet: the different characters, by their code points.
        numbers: where each character stands in the alphabet, int32.
        source: a phrase for people.
    """

    alphabet: str
    numbers: NumpyArray
    source: str

    def __len__(self) -> int:
        return len(self.numbers)

    def __str__(self) -> str:
        return "".join(self.alphabet[number] for number in self.numbers)

    def part(self, start: int, stop: int) -> Text:
        """Some of its characters, in the same alphabet."""
        return replace(self, numbers=self.numbers[start:stop])

    def encoded(self, characters: str) -> NumpyArray:
        """Characters as their numbers."""
        return np.array([self.alphabet.index(each) for each in characters], np.int32)

    def windows(self, times: int) -> Sample:
        """Windows of so many characters, one behind the other, each with the next."""
        rows = (len(self) - 1) // times
        end = rows * times
        X, y = (self.numbers[i : i + end].reshape(rows, times) for i in (0, 1))
        return Sample(X, y, self.source)


def shakespeare() -> Text:
    """Plays, 199,994 characters."""
    characters = example("shakespeare.txt").read_text(encoding="utf-8")
    alphabet = "".join(sorted(set(characters)))
    places = {character: number for number, character in enumerate(alphabet)}
    numbers = np.array([places[character] for character in characters], np.int32)
    source = "examples/shakespeare.txt: Coriolanus and a part of Richard III"
    return Text(alphabet, numbers, source)


def bikers() -> tuple[NumpyArray, str]:
    """How many rented a bike in each hour of 139 days, and where that is from."""
    with example("bikes.csv").open(encoding="utf-8", newline="") as file:
        counts = [float(row["bikers"]) for row in csv.DictReader(file)]
    return np.array(counts), "examples/bikes.csv: UCI Bike Sharing, every hour of 2011"
