"""scikit-learn's own checks of estimators: all of them, none expected to fail."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from thalweg.estimators import NetworkClassifier, NetworkRegressor

CHECKS = parametrize_with_checks([NetworkClassifier(), NetworkRegressor()])


# Before scikit-learn 1.9 the checks are a generator, and pytest wants a list.
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learn_check(estimator: Any, check: Any) -> None:
    check(estimator)
