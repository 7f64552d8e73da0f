"""Networks as estimators of scikit-learn: `NetworkClassifier`, `NetworkRegressor`.

This room imports scikit-learn, so `thalweg` imports it when one of them is asked for.
"""

from thalweg.estimators.classifier import NetworkClassifier
from thalweg.estimators.regressor import NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]
