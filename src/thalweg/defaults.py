"""What holds where nothing is said: every default, once, with its reason.

Two entrances train. ``Network.fit`` (and with it `sweep` and `find_learning_rate`) gets
layers and arrays from somebody who designs a network: what it does unasked is what a
textbook says. `train` (and with it `tune`, the command and the estimators) gets a table
and nothing else: its defaults were chosen with tables in mind, such as those of
docs/how-to/learning-rate.md. Where the two differ, ``FIT_…`` stands beside the other.

>>> from thalweg.formulas.optimizers import OPTIMIZERS
>>> OPTIMIZERS[OPTIMIZER]().learning_rate, LEARNING_RATE
(0.001, 0.003)
"""

# The network -------------------------------------------------------------------------

LAYERS = (128, 64)
"""Wide enough that early stopping, and not their number, limits what is learned."""

ACTIVATION = "silu"
"""Smooth, and a unit that is below 0 on every row still learns."""

DROPOUT = 0.0
"""Early stopping alone is enough for most tables; noise makes training slower."""

DTYPE = "float32"
"""Twice as fast as float64, and far more digits than a loss needs."""

IMAGE_ACTIVATION = "relu"
"""Of images: half of what it gives is zero, which the engine's products skip."""

IMAGE_DROPOUT = 0.25
"""Of images: the last layer has thousands of inputs, and mostly few images a class."""

IMAGE_FILTERS, MOST_FILTERS = 16, 128
"""Of the first convolution; each further one has twice as many, as places get fewer."""

TEXT_CELL, TEXT_LAYERS, TEXT_EMBEDDING = "gru", (128,), 32
"""Of text: on Shakespeare's plays a GRU of that size learned more in the same seconds
than an LSTM, a transformer, or cells of another size."""

TEXT_DROPOUT = 0.1
"""Of text: without it a short one is soon known by heart, and more slows a long one."""

TEXT_LENGTH = 64
"""Of text: characters of a window; gradients go through so many times."""

FORECAST_CELL, FORECAST_UNITS, FORECAST_DROPOUT = "gru", 64, 0.3
"""Of a series: it did better than dense layers, convolutions, a linear part beside it,
and the same without dropout; docs/how-to/series.md has the figures."""

# Steps -------------------------------------------------------------------------------

OPTIMIZER = "adam"
"""Its steps hardly depend on the scale of the gradients, so one rate fits most tasks.

A network that is fitted has the rule's own learning rate, which is constant.
"""

LEARNING_RATE, SCHEDULE = 0.003, "plateau"
"""Of a table: a higher rate than Adam's own gets there sooner, as it is lowered later.

"""
PLATEAU_FACTOR = 0.3
"""Gentler than `ReduceOnPlateau`'s own: a fall that came too early costs less."""

IMAGE_LEARNING_RATE, IMAGE_SCHEDULE = 0.01, "one_cycle"
"""Of images: an epoch takes long, and a rate that rises and falls needs few of them."""

IMAGE_STEPS, FEWEST_IMAGE_EPOCHS, MOST_IMAGE_EPOCHS = 2_000, 5, 50
"""Of images: so many epochs as come to so many steps, within these bounds."""

TEXT_LEARNING_RATE, TEXT_SCHEDULE = 0.01, "one_cycle"
"""Of text: as of images, and few epochs are enough."""

TEXT_BATCH = 16
"""Of text: a window has a target at each of its times, so few of them are a step."""

TEXT_STEPS, FEWEST_TEXT_EPOCHS, MOST_TEXT_EPOCHS = 2_000, 4, 20
"""Of text: so many epochs as come to so many steps, within these bounds."""

FORECAST_EPOCHS = 100
"""Of a series: early stopping ends most runs before."""

FIT_BATCH_SIZE = SMALL_BATCH = 32
"""Many steps an epoch, each still an even load for a processor's vectors."""
LARGE_BATCH, SMALL_TABLE = 128, 2_000
"""Of a table with as many training rows: steps are plenty, and larger ones faster."""

WHOLE_BATCH_ROWS = 64
"""Of an estimator: up to this many rows none is held out, and each step takes them all.

A dozen rows can't choose an epoch, and what they could have taught is missed more. With
whole batches a weight of 2 is to the last digit the same as a row twice.
"""

DOUBLE_ROWS = 1_000
"""Of an estimator: below this many rows it computes in float64, which costs no time."""

L1 = L2 = 0.0
"""No penalty that nobody asked for: its rate has to fit the loss's unit."""

# When to stop ------------------------------------------------------------------------

EPOCHS = 200
"""A bound for what early stopping doesn't end before."""

FIT_PATIENCE, PATIENCE = 10, 12
"""Of a table two more: after six epochs its schedule lowers the rate, and the lower one
gets as many to show what it can."""

TEXT_PATIENCE = 5
"""Of text: an epoch takes long, and what is learned by heart isn't forgotten again."""

MIN_DELTA = 0.0
"""Every improvement counts, as nothing is known of the loss's unit."""

VALIDATION = TEST = 0.2
"""A fifth of the rows each: of some hundred still enough to tell networks apart."""

TEXT_SHARE = 0.1
"""Of a text a tenth each: each character counts, so a short part has many targets."""

MOST_VALIDATION_IMAGES = 5_000
"""Of images: enough to choose an epoch by, and each epoch has to predict them."""

SEED = 0
"""A fixed one: the same call gives the same network."""

# What runs it ------------------------------------------------------------------------

ENGINE = "native"
"""The engine in C++; the interpreter is its meaning, and slow."""

# A search ----------------------------------------------------------------------------

BUDGET = "5m"
"""As long as somebody may wait for it without going away."""

FOLDS = 5
"""Each network learns from four fifths of the rows, nearly as many as in the end."""

SAMPLER = "random"
"""Needs no further package, and depends on the seed alone."""
