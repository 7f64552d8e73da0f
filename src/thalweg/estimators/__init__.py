"""Networks as estimators of scikit-learn: `NetworkClassifier`, `NetworkRegressor`.

This room imports scikit-learn, so `thalweg` imports it when one of them is asked for.
"""

from thalweg.data.room import load_libraries

load_libraries()

from thalweg.estimators.classifier import NetworkClassifier  # noqa: E402
from thalweg.estimators.regressor import NetworkRegressor  # noqa: E402

__all__ = ["NetworkClassifier", "NetworkRegressor"]
