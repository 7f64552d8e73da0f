"""What a user of the package has, by its short names."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from thalweg.backends.numpy.calls import compile, formula, gradient, value_and_gradient
from thalweg.errors import (
    ArgumentError,
    DataError,
    DivergenceError,
    DtypeError,
    FileError,
    ModelFileError,
    NotFittedError,
    ProgramError,
    ShapeError,
    ThalwegError,
    TracingError,
)
from thalweg.exports import export
from thalweg.formulas import initializers
from thalweg.formulas.activations import (
    elu,
    gelu,
    identity,
    leaky_relu,
    mish,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    step,
    tanh,
)
from thalweg.formulas.branches import Parallel, Residual
from thalweg.formulas.clipping import clip_by_global_norm
from thalweg.formulas.initializers import Initializer
from thalweg.formulas.inputs import Inputs
from thalweg.formulas.layers import Columns, Dense, Dropout, Embedding, Layer, Parameter
from thalweg.formulas.losses import (
    Loss,
    binary_cross_entropy,
    cross_entropy,
    huber,
    mean_absolute_error,
    mean_squared_error,
    poisson,
    quantile,
)
from thalweg.formulas.normalization import BatchNorm, LayerNorm
from thalweg.formulas.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Optimizer,
    RMSProp,
)
from thalweg.formulas.penalties import L1, L2, Penalty
from thalweg.formulas.perceptron import Perceptron, perceptron
from thalweg.formulas.schedules import (
    Constant,
    CosineWithWarmup,
    ExponentialDecay,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
)
from thalweg.loading import load, resume
from thalweg.model.history import EpochRecord, History
from thalweg.network import Network
from thalweg.program.composed import (
    clip,
    cumulative_sum,
    logsumexp,
    split,
    stack,
    standard_deviation,
    variance,
)
from thalweg.program.loops import scan
from thalweg.program.ops import (
    absolute,
    argmax,
    broadcast_to,
    cast,
    concatenate,
    cos,
    equal,
    erf,
    exp,
    expm1,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    not_equal,
    one_hot,
    ones_like,
    reshape,
    sign,
    sin,
    sqrt,
    square,
    stop_gradient,
    sum,
    take,
    transpose,
    where,
    xlogy,
    zeros_like,
)
from thalweg.report import write_report
from thalweg.search import tune
from thalweg.search.learning_rate import RangeTest, find_learning_rate
from thalweg.search.sweep import Sweep, sweep
from thalweg.tables.dialect import Dialect
from thalweg.tabular import inspect, train
from thalweg.tabular.libraries import load_libraries
from thalweg.training.callbacks import Callback, Run
from thalweg.training.checkpoint import Checkpoint, CheckpointWarning
from thalweg.training.logs import JSONLines, TensorBoard
from thalweg.training.stopping import EarlyStopping

if TYPE_CHECKING:
    from thalweg.estimators import NetworkClassifier, NetworkRegressor
    from thalweg.search.tuning import Tuned
    from thalweg.tabular.learn import Trained
    from thalweg.tabular.model import TableModel
    from thalweg.tabular.settings import Settings

__all__ = [
    "L1",
    "L2",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "ArgumentError",
    "BatchNorm",
    "Callback",
    "Checkpoint",
    "CheckpointWarning",
    "Columns",
    "Constant",
    "CosineWithWarmup",
    "DataError",
    "Dense",
    "Dialect",
    "DivergenceError",
    "Dropout",
    "DtypeError",
    "EarlyStopping",
    "Embedding",
    "EpochRecord",
    "ExponentialDecay",
    "FileError",
    "History",
    "Initializer",
    "Inputs",
    "JSONLines",
    "Layer",
    "LayerNorm",
    "Lion",
    "Loss",
    "ModelFileError",
    "Network",
    "NetworkClassifier",
    "NetworkRegressor",
    "NotFittedError",
    "OneCycle",
    "Optimizer",
    "Parallel",
    "Parameter",
    "Penalty",
    "Perceptron",
    "ProgramError",
    "RMSProp",
    "RangeTest",
    "ReduceOnPlateau",
    "Residual",
    "Run",
    "Schedule",
    "Settings",
    "ShapeError",
    "StepDecay",
    "Sweep",
    "TableModel",
    "TensorBoard",
    "ThalwegError",
    "TracingError",
    "Trained",
    "Tuned",
    "absolute",
    "argmax",
    "binary_cross_entropy",
    "broadcast_to",
    "cast",
    "clip",
    "clip_by_global_norm",
    "compile",
    "concatenate",
    "cos",
    "cross_entropy",
    "cumulative_sum",
    "elu",
    "equal",
    "erf",
    "exp",
    "expm1",
    "export",
    "find_learning_rate",
    "floor",
    "formula",
    "gelu",
    "gradient",
    "greater",
    "greater_equal",
    "huber",
    "identity",
    "initializers",
    "inspect",
    "leaky_relu",
    "less",
    "less_equal",
    "load",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "mean_absolute_error",
    "mean_squared_error",
    "min",
    "minimum",
    "mish",
    "not_equal",
    "one_hot",
    "ones_like",
    "perceptron",
    "poisson",
    "quantile",
    "relu",
    "reshape",
    "resume",
    "scan",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "square",
    "stack",
    "standard_deviation",
    "step",
    "stop_gradient",
    "sum",
    "sweep",
    "take",
    "tanh",
    "train",
    "transpose",
    "tune",
    "value_and_gradient",
    "variance",
    "where",
    "write_report",
    "xlogy",
    "zeros_like",
]

_LATER = {
    "NetworkClassifier": "thalweg.estimators",
    "NetworkRegressor": "thalweg.estimators",
    "Settings": "thalweg.tabular.settings",
    "TableModel": "thalweg.tabular.model",
    "Trained": "thalweg.tabular.learn",
    "Tuned": "thalweg.search.tuning",
}
"""Where those are whose modules take time: they import polars or scikit-learn."""


def __getattr__(name: str) -> Any:
    """What takes time to import, when it is asked for."""
    if name in _LATER:
        if name in ("TableModel", "Trained", "Tuned"):
            load_libraries()
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
