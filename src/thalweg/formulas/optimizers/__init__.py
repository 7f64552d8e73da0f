"""Optimizers: the rules by which gradients move parameters.

A rule sees all parameters θ as one flat vector, with their gradient g, the learning
rate η and the step t, which is 1 at first. Conventions and defaults are PyTorch's
unless the rule says otherwise; the tests compare with its numbers.
"""

from collections.abc import Callable, Mapping

from thalweg.checks import look_up, require_instance
from thalweg.formulas.optimizers.adam import Adam, AdamW
from thalweg.formulas.optimizers.adaptive import Adadelta, Adagrad, RMSProp
from thalweg.formulas.optimizers.lion import Lion
from thalweg.formulas.optimizers.rule import Optimizer
from thalweg.formulas.optimizers.sgd import SGD

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "Optimizer",
    "RMSProp",
    "optimizer",
]

OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = {
    rule.__name__.lower(): rule
    for rule in (SGD, Adagrad, Adadelta, RMSProp, Adam, AdamW, Lion)
}


def optimizer(chosen: str | Optimizer) -> Optimizer:
    """The optimizer of that name with its defaults, or the optimizer itself.

    Raises:
        ArgumentError: there is no optimizer of that name.

    Example:
        >>> from thalweg.formulas.optimizers import optimizer
        >>> optimizer("adam").learning_rate
        0.001
    """
    if isinstance(chosen, str):
        return look_up("optimizer", chosen, OPTIMIZERS)()
    require_instance(
        "optimizer", chosen, Optimizer, "a name or an optimizer such as Adam()"
    )
    return chosen
