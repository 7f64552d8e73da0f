"""scikit-learn's own checks of estimators: all of them, none expected to fail."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from thalweg.estimators import NetworkClassifier, NetworkRegressor


@parametrize_with_checks([NetworkClassifier(), NetworkRegressor()])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learn_check(estimator: Any, check: Any) -> None:
    check(estimator)
