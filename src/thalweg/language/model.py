"""A network together with the vocabulary of the text it was made for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

import thalweg.defaults as defaults
from thalweg.checks import require, require_instance, require_whole
from thalweg.errors import DataError, ModelFileError
from thalweg.files.columnar import pack, unpack
from thalweg.files.document import TEXT
from thalweg.files.modelfile import Content
from thalweg.files.network_codec import as_written, network_data, network_from
from thalweg.kinds.model import Model, reading
from thalweg.kinds.pipeline import Answers, ArrayInputs, Pipeline
from thalweg.kinds.scores import Metrics
from thalweg.kinds.task import Task
from thalweg.kinds.usual import USUAL
from thalweg.language.scores import guesses_of, text_scores
from thalweg.network import Network
from thalweg.program import ops
from thalweg.text import Text, Vocabulary
from thalweg.text.vocabulary import vocabulary_from
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    import polars as pl

MOST_WRITTEN = 2**24
NEW_LINE = "\n"


@dataclass(frozen=True)
class LanguageModel(Model):
    """A trained network, and how a text becomes its inputs.

    Arguments:
        network: the trained network: of (rows, times) numbers it gives (rows, times,
            numbers) probabilities of the next.
        vocabulary: what each number stands for.
        results: plain data about how it was trained: test metrics, baselines, notes.

    Example:
        >>> import pathlib, thalweg as tw
        >>> verse = "so long as men can breathe or eyes can see,\\n" * 40
        >>> _ = pathlib.Path("verse.txt").write_text(verse)
        >>> how = {"layers": (32,), "length": 16, "dropout": 0.0}
        >>> model = tw.train("verse.txt", epochs=30, **how).model
        >>> model.write("so long", 13, temperature=0)
        'so long as men can b'
    """

    kind = "text"
    network: Network
    vocabulary: Vocabulary
    results: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def task(self) -> Task:
        """Each next character is one of some classes."""
        count = f"{self.vocabulary.size:,} different {self.vocabulary.unit}"
        return Task("classes", f"the next of {count}")

    @property
    def target(self) -> str:
        """What is predicted, in words."""
        return f"next {self.vocabulary.unit.removesuffix('s')}"

    @property
    def length(self) -> int:
        """The characters of a window."""
        return self.network.shapes.outputs[0][0]

    def write(
        self,
        start: str = NEW_LINE,
        length: int = 500,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = defaults.SEED,
    ) -> str:
        """Go on with a text, each character drawn by its probability.

        Arguments:
            start: how the text begins, a character or more that the model knows.
            length: characters, or bytes, that are to come.
            temperature: below 1 likely characters become likelier; 0 takes the
                likeliest; above 1 all become more alike.
            top_k: draw from so many likeliest alone; None is from all.
            seed: the same seed draws the same.

        Returns:
            The start, and what comes after it.

        Raises:
            ArgumentError: the start is empty or has an unknown character, or another
                argument can't be used.
        """
        require_instance("start", start, str, "a text")
        require(len(start) > 0, "start", "a text of a character or more", start)
        require_whole("length", length, least=0)
        must = f"at most {MOST_WRITTEN:,}"
        require(length <= MOST_WRITTEN, "length", must, length)
        numbers = self.vocabulary.encode(start, "start")
        written = self.network.generate(
            numbers, int(length), temperature=temperature, top_k=top_k, seed=seed
        )
        return self.vocabulary.text(np.concatenate([numbers, written]))

    def predict(
        self,
        source: Any,
        *,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
    ) -> pl.DataFrame:
        """How probable each character of a text was, given those before it.

        Arguments:
            source: the path of a text, or a `Text`.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.

        Returns:
            A polars frame of a row for each character but the first: ``character``;
            its ``probability``, and that in ``bits``, −log₂; and the character that was
            ``likeliest``, with ``highest``, its probability.

        Raises:
            FileError, DataError: the text can't be read, or has fewer than two.
        """
        return self.answers(self.text(source), Execution(engine, threads))

    def answers(self, text: Text, execution: Execution = USUAL) -> pl.DataFrame:
        """How probable each character of a text was that was read."""
        import polars as pl

        found = list(guesses_of(self.network, text.numbers, execution))
        joined = {
            name: np.concatenate([getattr(each, name) for each in found])
            for name in ("probabilities", "bits", "likeliest", "highest")
        }
        labels = pl.Series(self.vocabulary.labels(), dtype=pl.String)
        return pl.DataFrame(
            {
                "character": labels.gather(text.numbers[1:].astype(np.int64)),
                "probability": joined["probabilities"],
                "bits": joined["bits"],
                "likeliest": labels.gather(joined["likeliest"]),
                "highest": joined["highest"],
            }
        )

    def evaluate(
        self,
        source: Any,
        *,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
    ) -> Metrics:
        """How well each next character of a text is predicted.

        Arguments:
            source: the path of a text, or a `Text`.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.

        Returns:
            ``bits_per_character`` (or ``bits_per_byte``), −log₂ p on average;
            ``perplexity``, 2 to that power; ``accuracy``, how often the likeliest
            character came. A character that the model doesn't know counts as the
            unknown one.

        Raises:
            FileError, DataError: the text can't be read, or has fewer than two.
        """
        return self.scores(self.text(source), Execution(engine, threads))

    def scores(self, text: Text, execution: Execution = USUAL) -> Metrics:
        """The same of a text that was read."""
        unit = self.vocabulary.unit
        return text_scores(self.network, text.numbers, unit, execution)

    def text(self, source: Any) -> Text:
        """A text in the model's own numbers, of two characters or more.

        Raises:
            FileError, DataError: it can't be read, or is shorter.
        """
        if isinstance(source, Text):
            found = source.in_vocabulary(self.vocabulary)
        else:
            path = cast("str | os.PathLike[str]", source)
            found = Text.read(path, vocabulary=self.vocabulary)
        if len(found) < 2:
            raise DataError(
                f"{found.name}: must have two {self.vocabulary.unit} or more, as the "
                f"first has none before it, got {len(found)}"
            )
        return found

    def __pipeline__(self) -> Pipeline:
        """Numbers of characters in, probabilities out, for `thalweg.export`."""
        network, dtype = self.network, self.network.dtype
        shape = network.shapes.outputs[0]
        inputs = ArrayInputs(
            shape, network.input_dtype, lambda X: ops.cast(X, dtype), finite=True
        )
        about = {
            "kind": "text",
            "length": self.length,
            "target": self.target,
            "task": self.task.kind,
            "vocabulary": self.vocabulary.to_dict(),
        }
        answers = Answers(lambda outputs: {"probabilities": outputs})
        return Pipeline(network, inputs, answers, about)

    def _content(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What a file of the model holds."""
        document, tensors = network_data(self.network)
        packed, arrays = pack({"vocabulary": self.vocabulary.to_dict()})
        text = {**packed, "results": self.results}
        document = {"kind": self.kind, **document, "text": text}
        return as_written({**document, "required_features": [TEXT]}, tensors | arrays)


def model_from(content: Content) -> LanguageModel:
    """A model of a text from what a file holds.

    Raises:
        ModelFileError: a part is missing or doesn't fit the others.
    """
    network, path = network_from(content, Network), content.name
    with reading(path, "the model is"):
        text = content.document["text"]
        found = unpack({"vocabulary": text["vocabulary"]}, content.tensors)
        vocabulary = vocabulary_from(found["vocabulary"])
        results = dict(text["results"])
    require_fit(network, vocabulary, path)
    return LanguageModel(network, vocabulary, results)


def require_fit(network: Network, vocabulary: Vocabulary, path: str) -> None:
    """The network takes windows, and gives a probability for each number."""
    inputs, outputs = network.shapes.outputs[0], network.shapes.outputs[-1]
    if len(inputs) != 1 or outputs != (*inputs, vocabulary.size):
        raise ModelFileError(
            f"{path}: a network of {inputs} inputs and {outputs} outputs doesn't go "
            f"with a vocabulary of {vocabulary.size:,}"
        )
