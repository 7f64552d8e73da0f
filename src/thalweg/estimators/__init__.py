"""Networks as estimators of scikit-learn: `NetworkClassifier`, `NetworkRegressor`.

This room imports scikit-learn, so `thalweg` imports it when one of them is asked for.
"""

from __future__ import annotations

from thalweg.tabular.libraries import load_libraries

load_libraries()

from thalweg.estimators.classifier import NetworkClassifier  # noqa: E402
from thalweg.estimators.regressor import NetworkRegressor  # noqa: E402
from thalweg.files.modelfile import Content  # noqa: E402
from thalweg.tables.strict import tag_of  # noqa: E402

__all__ = ["NetworkClassifier", "NetworkRegressor", "estimator_in"]


def estimator_in(content: Content) -> NetworkClassifier | NetworkRegressor:
    """The estimator that a file holds, of whichever kind it is.

    Raises:
        ModelFileError: the file holds none, or breaks a rule of the format.
    """
    is_regressor = tag_of(content.document.get("estimator"), "type") == "regressor"
    kind = NetworkRegressor if is_regressor else NetworkClassifier
    return kind.from_content(content)
