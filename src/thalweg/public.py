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
from thalweg.formulas.attention import Attention, attention, attention_weights
from thalweg.formulas.augmentation import Augment
from thalweg.formulas.branches import Parallel, Residual
from thalweg.formulas.clipping import clip_by_global_norm
from thalweg.formulas.convolution import Conv, ConvTranspose
from thalweg.formulas.embedding import Embedding
from thalweg.formulas.frozen import Frozen
from thalweg.formulas.initializers import Initializer
from thalweg.formulas.inputs import Inputs
from thalweg.formulas.layers import Columns, Dense, Dropout, Layer, Parameter
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
from thalweg.formulas.moments import Moment, Remembering
from thalweg.formulas.normalization import BatchNorm, LayerNorm, RMSNorm
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
from thalweg.formulas.pooling import (
    Flatten,
    GlobalMax,
    GlobalMean,
    MaxPool,
    MeanPool,
)
from thalweg.formulas.positions import Positions
from thalweg.formulas.preparation import Rescale, Reshape
from thalweg.formulas.recurrence import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Cell,
    Last,
    Recurrent,
)
from thalweg.formulas.schedules import (
    Constant,
    CosineWithWarmup,
    ExponentialDecay,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
)
from thalweg.formulas.transformer import FeedForward, TransformerBlock
from thalweg.learning import train
from thalweg.loading import load, resume
from thalweg.model.history import EpochRecord, History
from thalweg.network import Network
from thalweg.program import ops
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
from thalweg.program.ops import *  # noqa: F403
from thalweg.recording import Recording, record
from thalweg.report import write_report
from thalweg.search import tune
from thalweg.search.learning_rate import RangeTest, find_learning_rate
from thalweg.search.sweep import Sweep, sweep
from thalweg.tables.dialect import Dialect
from thalweg.tabular import inspect
from thalweg.tabular.libraries import load_libraries
from thalweg.text import Text
from thalweg.training.callbacks import Callback, Run
from thalweg.training.checkpoint import Checkpoint, CheckpointWarning
from thalweg.training.logs import JSONLines, TensorBoard
from thalweg.training.session import Session, Snapshot
from thalweg.training.stopping import EarlyStopping
from thalweg.training.streams import Stream

if TYPE_CHECKING:
    from thalweg.estimators import NetworkClassifier, NetworkRegressor
    from thalweg.forecasting.learn import TrainedForecast
    from thalweg.forecasting.model import ForecastModel
    from thalweg.forecasting.settings import ForecastSettings
    from thalweg.language.learn import TrainedOnText
    from thalweg.language.model import LanguageModel
    from thalweg.language.settings import TextSettings
    from thalweg.search.tuning import Tuned
    from thalweg.sequences.learn import TrainedOnSequences
    from thalweg.sequences.model import SequenceModel
    from thalweg.sequences.settings import SequenceSettings
    from thalweg.tabular.learn import Trained
    from thalweg.tabular.model import TableModel
    from thalweg.tabular.settings import Settings
    from thalweg.vision.learn import TrainedOnImages
    from thalweg.vision.model import ImageModel
    from thalweg.vision.settings import ImageSettings

__all__ = [
    "GRU",
    "L1",
    "L2",
    "LSTM",
    "RNN",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "ArgumentError",
    "Attention",
    "Augment",
    "BatchNorm",
    "Bidirectional",
    "Callback",
    "Cell",
    "Checkpoint",
    "CheckpointWarning",
    "Columns",
    "Constant",
    "Conv",
    "ConvTranspose",
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
    "FeedForward",
    "FileError",
    "Flatten",
    "ForecastModel",
    "ForecastSettings",
    "Frozen",
    "GlobalMax",
    "GlobalMean",
    "History",
    "ImageModel",
    "ImageSettings",
    "Initializer",
    "Inputs",
    "JSONLines",
    "LanguageModel",
    "Last",
    "Layer",
    "LayerNorm",
    "Lion",
    "Loss",
    "MaxPool",
    "MeanPool",
    "ModelFileError",
    "Moment",
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
    "Positions",
    "ProgramError",
    "RMSNorm",
    "RMSProp",
    "RangeTest",
    "Recording",
    "Recurrent",
    "ReduceOnPlateau",
    "Remembering",
    "Rescale",
    "Reshape",
    "Residual",
    "Run",
    "Schedule",
    "SequenceModel",
    "SequenceSettings",
    "Session",
    "Settings",
    "ShapeError",
    "Snapshot",
    "StepDecay",
    "Stream",
    "Sweep",
    "TableModel",
    "TensorBoard",
    "Text",
    "TextSettings",
    "ThalwegError",
    "TracingError",
    "Trained",
    "TrainedForecast",
    "TrainedOnImages",
    "TrainedOnSequences",
    "TrainedOnText",
    "TransformerBlock",
    "Tuned",
    "attention",
    "attention_weights",
    "binary_cross_entropy",
    "clip",
    "clip_by_global_norm",
    "compile",
    "cross_entropy",
    "cumulative_sum",
    "elu",
    "export",
    "find_learning_rate",
    "formula",
    "gelu",
    "gradient",
    "huber",
    "identity",
    "initializers",
    "inspect",
    "leaky_relu",
    "load",
    "logsumexp",
    "mean_absolute_error",
    "mean_squared_error",
    "mish",
    "perceptron",
    "poisson",
    "quantile",
    "record",
    "relu",
    "resume",
    "scan",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "split",
    "stack",
    "standard_deviation",
    "step",
    "sweep",
    "tanh",
    "train",
    "tune",
    "value_and_gradient",
    "variance",
    "write_report",
]
__all__ += ops.__all__

_LATER = {
    "NetworkClassifier": "thalweg.estimators",
    "NetworkRegressor": "thalweg.estimators",
    "ForecastModel": "thalweg.forecasting.model",
    "ForecastSettings": "thalweg.forecasting.settings",
    "ImageModel": "thalweg.vision.model",
    "ImageSettings": "thalweg.vision.settings",
    "LanguageModel": "thalweg.language.model",
    "SequenceModel": "thalweg.sequences.model",
    "SequenceSettings": "thalweg.sequences.settings",
    "Settings": "thalweg.tabular.settings",
    "TableModel": "thalweg.tabular.model",
    "TextSettings": "thalweg.language.settings",
    "Trained": "thalweg.tabular.learn",
    "TrainedForecast": "thalweg.forecasting.learn",
    "TrainedOnImages": "thalweg.vision.learn",
    "TrainedOnSequences": "thalweg.sequences.learn",
    "TrainedOnText": "thalweg.language.learn",
    "Tuned": "thalweg.search.tuning",
}
"""Where those are whose modules take time: they import polars or scikit-learn."""


HEAVY = (
    *("ForecastModel", "ImageModel", "LanguageModel", "SequenceModel", "TableModel"),
    *("Trained", "TrainedForecast", "TrainedOnImages", "TrainedOnSequences"),
    *("TrainedOnText", "Tuned"),
)


def __getattr__(name: str) -> Any:
    """What takes time to import, when it is asked for."""
    if name in _LATER:
        if name in HEAVY:
            load_libraries()
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
