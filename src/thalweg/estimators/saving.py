"""A fitted estimator as a model file, as a pickle and as a copy: one form of what it
learned for all of them, which nothing runs when it is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from thalweg.errors import ModelFileError
from thalweg.estimators.choices import rule_of, settings_of
from thalweg.estimators.features import Features, TableFeatures
from thalweg.estimators.frozen import (
    Data,
    Tensors,
    features_of,
    frozen,
    frozen_data,
    refusing,
    thawed,
)
from thalweg.estimators.parameters import NotInFile, parameter_data, parameter_from
from thalweg.estimators.scikit import validation
from thalweg.estimators.targetdata import targets_data, targets_from
from thalweg.estimators.targets import Targets
from thalweg.files.columnar import pack, unpack
from thalweg.files.document import ESTIMATOR
from thalweg.files.modelfile import Content, opened_model, write_model
from thalweg.files.network_codec import as_written, history_data, network_from
from thalweg.formulas.optimizers import Optimizer
from thalweg.model.history import History
from thalweg.network import Network
from thalweg.tables.strict import require_keys, text, texts, whole

KEYS = ("type", "parameters", "targets", "columns", "names", "found")
LATER = {"group_by_length": False}
"""Parameters that older files don't have; a file says them where they aren't this."""


class Saving(ABC):
    """What an estimator can do with files, pickles and copies of itself."""

    saved_as: ClassVar[str]
    """What a file calls such an estimator."""

    optimizer: Any
    network_: Network
    history_: History
    n_features_in_: int
    _features: Features
    _targets: Targets

    @abstractmethod
    def _found_data(self) -> tuple[Data, Tensors]:
        """What was learned beside the network, as plain data and arrays."""

    @abstractmethod
    def _find_again(self, data: Any, tensors: Tensors) -> None:
        """Take what `_found_data` gave, with the targets and the network at hand.

        Raises:
            ModelFileError: it doesn't go with them.
        """

    # Files ----------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to one safe file.

        In it are the parameters, the classes, the features and their names, the network
        with its optimizer's state, and the history. A parameter that a file can't hold,
        such as a function of your own, is named: the estimator that is read predicts
        the same bits, and asks for it before it is fitted again.

        Arguments:
            path: the file, ``*.thalweg`` by custom. An existing file is replaced whole,
                or left whole.

        Raises:
            NotFittedError: scikit-learn's, if the estimator isn't fitted.
            ArgumentError: classes of a type that wouldn't come back as they are.
            FileError: the file can't be written.

        Example:
            >>> from sklearn.datasets import load_iris
            >>> import thalweg as tw
            >>> X, y = load_iris(return_X_y=True)
            >>> tw.NetworkClassifier(epochs=2).fit(X, y).save("iris.thalweg")
            >>> tw.NetworkClassifier.load("iris.thalweg").classes_
            array([0, 1, 2])
        """
        validation.check_is_fitted(self)
        document, tensors = frozen_data(self.network_, self._features)
        document["history"] = history_data(self.history_, tensors)
        targets, arrays = targets_data(self._targets)
        found, more = self._found_data()
        names = getattr(self, "feature_names_in_", None)
        grows = {
            "features": document["features"],
            "targets": targets,
            "names": None if names is None else names.tolist(),
        }
        packed, lists = pack(grows)
        document = {"kind": ESTIMATOR, **document, "features": packed["features"]}
        document["estimator"] = {
            "type": self.saved_as,
            "parameters": self._parameter_data(),
            "targets": packed["targets"],
            "columns": self.n_features_in_,
            "names": packed["names"],
            "found": found,
        }
        document["required_features"] = [ESTIMATOR]
        write_model(path, *as_written(document, tensors | arrays | more | lists))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote; nothing in the file is run or imported.

        Arguments:
            path: the file.

        Returns:
            An estimator that predicts the same bits, and goes on as the one that was
            saved.

        Raises:
            FileError: the file can't be read.
            ModelFileError: it breaks a rule of the format, or holds something else.
        """
        with opened_model(path) as content:
            return cls.from_content(content)

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """The estimator of a file that the gate let in.

        Raises:
            ModelFileError: a part is missing, or doesn't fit the others.
        """
        path = content.name
        if content.document.get("kind") != ESTIMATOR:
            raise ModelFileError(
                f"{path}: must hold a {cls.saved_as}; thalweg.load reads what it holds"
            )
        network = network_from(content, Network)
        tensors = content.tensors
        with refusing(path):
            described = content.document["estimator"]
            data = require_keys(described, "an estimator", *KEYS)
            grows = unpack({n: data[n] for n in ("targets", "names")}, tensors)
            if data["type"] != cls.saved_as:
                held = text(data["type"], "the estimator's type")
                raise ModelFileError(f"must hold a {cls.saved_as}, holds a {held}")
            estimator = cls._with_parameters(data["parameters"])
            estimator.network_, estimator.history_ = network, network.history
            rule = estimator._rule(network.history.settings)
        estimator._features = features_of(content, network, rule)
        with refusing(path):
            estimator._targets = targets_from(grows["targets"], tensors)
            estimator._take_columns(data["columns"], grows["names"])
            estimator._find_again(data["found"], tensors)
        return estimator

    def _parameter_data(self) -> Data:
        every = parameters_of(self)
        written = {
            n: value for n, value in every if n not in LATER or value != LATER[n]
        }
        return {name: parameter_data(value) for name, value in written.items()}

    @classmethod
    def _with_parameters(cls, data: Any) -> Self:
        known = (name for name, _ in parameters_of(cls()) if name not in LATER)
        given = require_keys(data, "the parameters", *known, optional=tuple(LATER))
        return cls(**{name: parameter_from(each) for name, each in given.items()})

    def _rule(self, settings: Any) -> Optimizer | None:
        """The optimizer that the network was trained by, if it is known here."""
        if isinstance(self.optimizer, NotInFile):
            return None
        rows = whole(settings["training_rows"], "the training rows")
        return rule_of(self, settings_of(self), max(rows, 1))

    def _take_columns(self, columns: Any, names: Any) -> None:
        """How many columns X has, and what they are called, if they have names."""
        count = whole(columns, "the columns")
        features = self._features
        wanted = self.network_.shapes.outputs[0]
        if isinstance(features, TableFeatures):
            if names is not None and texts(names, "the names") != features.names:
                raise ModelFileError("the names must be those of the frame's columns")
            wanted = (len(features.names),)
        if wanted[0] != count:
            raise ModelFileError(f"{count} columns don't go with the features")
        self.n_features_in_ = count
        if names is not None:
            called = texts(names, "the columns' names")
            if len(called) != count:
                raise ModelFileError(f"{count} columns can't have {len(called)} names")
            self.feature_names_in_ = np.array(called, object)

    # Pickles and copies ---------------------------------------------------------------

    def __copy__(self) -> Any:
        copied: Any = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __getstate__(self) -> dict[str, Any]:
        inherited: Any = super()
        state: dict[str, Any] = dict(inherited.__getstate__())
        if "history_" in state:
            state["network_"] = frozen(self.network_, self._features)
            del state["_features"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        inherited: Any = super()
        inherited.__setstate__(state)
        if "history_" in state:
            rule = self._rule(self.history_.settings)
            self.network_, self._features = thawed(state["network_"], rule)


def parameters_of(estimator: Any) -> Iterable[tuple[str, Any]]:
    """The names and values of its parameters, as scikit-learn knows them."""
    return estimator.get_params(deep=False).items()
