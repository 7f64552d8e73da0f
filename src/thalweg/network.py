"""The network: layers, their parameters, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

import thalweg.defaults as defaults
from thalweg.backends.engine.batch import Batch
from thalweg.checks import (
    look_up,
    require_instance,
    require_seed,
)
from thalweg.errors import NotFittedError, ShapeError
from thalweg.forks import WRITING, Lock
from thalweg.formulas.chain import Shapes, describe
from thalweg.formulas.frozen import frozen_places
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss, LossFunction
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.model.history import History
from thalweg.model.lengths import require_same_parameters
from thalweg.model.memory import Memory, memory_of, parts_of
from thalweg.model.programs import Programs, shapes_once
from thalweg.model.record import KEPT_PROGRAMS, NetworkRecord
from thalweg.model.stack import initial_values
from thalweg.model.state import OptimizerState, TrainingState
from thalweg.model.step import (
    LENGTHS,
    prediction_program,
    require_outputs,
)
from thalweg.model.traced import TracedLayer
from thalweg.printable import printable
from thalweg.program.ir import Program
from thalweg.program.types import Dtype, NumpyArray, Shape
from thalweg.training.arguments import (
    check_targets,
    require_dtype,
    require_parameters,
    row_shape,
)
from thalweg.training.callbacks import AfterEpoch, Callback, callbacks_from
from thalweg.training.channels import warn_of_images
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.execution import Execution
from thalweg.training.fit import Regime, Scorer, Trainer, batch_rows
from thalweg.training.fit_arguments import FitArguments, FitKeywords
from thalweg.training.forward import Forward, Quick
from thalweg.training.generation import generate
from thalweg.training.given import Given, longest
from thalweg.training.named import (
    side_by_side,
    width_of,
    with_shapes,
    with_shapes_of,
)
from thalweg.training.objective import constant_loss_of, objective_of_rows
from thalweg.training.rows import (
    Rows,
    at_positions,
    input_dtype_of,
    numbers_from,
    require_finite,
    rows_from,
    table_from,
)
from thalweg.training.run import run
from thalweg.training.sequences import (
    are_sequences,
    by_times,
    cut,
    lengths_of_outputs,
    padded,
    rows_of_lengths,
    together,
    with_times,
)
from thalweg.training.session import Session
from thalweg.training.stopping import EarlyStopping
from thalweg.training.streams import Stream

if TYPE_CHECKING:
    from thalweg.explain.backpropagation import Backpropagation
    from thalweg.explain.receptive_field import ReceptiveField


class Network(NetworkRecord):
    """A stack of layers that learns from rows.

    f(x) = fₙ(… f₂(f₁(x)))

    Arguments:
        layers: one or more layers, first to last.

    Raises:
        ArgumentError: there are no layers, or one of them isn't a layer.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> network = tw.Network([tw.Dense(8, "tanh"), tw.Dense(1, "sigmoid")])
        >>> history = network.fit(
        ...     X, [0, 1, 1, 0], optimizer=tw.Adam(0.1), epochs=100, validation=None
        ... )
        >>> network.predict(X).round().ravel().tolist()
        [0.0, 1.0, 1.0, 0.0]

    Source: Rumelhart, Hinton and Williams, "Learning representations by
    back-propagating errors", 1986.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__(layers)
        self._forwards: dict[tuple[Execution, Dtype, bool], Forward] = {}
        self._for_more_times: dict[int, Network] = {}  # the same, for longer rows
        self._quick: Quick | None = None  # prediction by the usual one of them
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        """What `copy.deepcopy` takes along: no compiled programs, and no lock."""
        return {
            **vars(self),
            "_forwards": {},
            "_for_more_times": {},
            "_quick": None,
            "programs": None,
            "own_programs": None,
            "_lock": None,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.own_programs = Programs(KEPT_PROGRAMS)
        self._lock = Lock()

    def __repr__(self) -> str:
        layers = ", ".join(describe(layer) for layer in self.layers)
        return printable(f"Network([{layers}])")

    def _repr_html_(self) -> str:
        """The summary as a table, which notebooks show."""
        from thalweg.explain.summary import summary_html

        return summary_html(self)

    def summary(self) -> str:
        """The network at a glance: what each layer gives, and how much it learns.

        Returns:
            A text with a line for each layer, those inside others indented; in front
            of each what the names of its parameters start with. Notebooks show the
            same as a table. Before there are parameters it says so.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.Dense(16, "relu"), tw.Dense(1)]).initialize(2)
            >>> print(network.summary())
            Network of 2 layers
            <BLANKLINE>
               layer                         gives       parameters
            1  Dense(16, activation='relu')  (rows, 16)          48
            2  Dense(1)                      (rows, 1)           17
            <BLANKLINE>
            It takes (rows, 2) in float32. It learns 65 parameters.
            It wasn't fitted yet.
        """
        from thalweg.explain.summary import summary

        return summary(self)

    # Parameters -----------------------------------------------------------------------

    def initialize(
        self,
        input_shape: int | Shape | Mapping[str, int | Shape],
        seed: int = defaults.SEED,
        dtype: Dtype = defaults.DTYPE,
    ) -> Network:
        """Draw first parameters for rows of a shape; `fit` does this by itself.

        Arguments:
            input_shape: the shape of a row, or its number of features; of a network
                whose first layer is `Inputs`, a dict with that of each input.
            seed: the same seed gives the same parameters.
            dtype: float32, or float64.

        Returns:
            The network itself.

        Raises:
            ShapeError, DtypeError: naming the layer, the formula's line and the shapes.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.Dense(3)]).initialize(2)
            >>> {name: array.shape for name, array in network.parameters.items()}
            {'1.weights': (2, 3), '1.bias': (3,)}
        """
        require_dtype(dtype)
        require_seed(seed)
        if isinstance(input_shape, Mapping):
            self.layers = tuple(with_shapes(self.layers, input_shape))
            shape = width_of(self.layers)
        else:
            shape = row_shape(input_shape)
        shapes = self._shapes_for(shape, dtype)
        values = initial_values({**shapes.parameters, **shapes.state}, seed, dtype)
        self.take(shapes, memory_of(values, shapes, dtype), dtype)
        return self

    def _shapes_for(self, shape: Shape, dtype: Dtype) -> Shapes:
        """The shapes for rows of a shape."""
        return shapes_once(self.layers, shape, dtype, self.programs)

    def take(self, shapes: Shapes, memory: Memory, dtype: Dtype) -> None:
        """Make parameters and state of those shapes the network's own."""
        if memory is not self._memory or shapes is not self._shapes:
            self._forwards, self._for_more_times, self._quick = {}, {}, None
        super().take(shapes, memory, dtype)

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Put values in the place of parameters or state, by their names.

        Arguments:
            values: arrays of the shapes that the network has.

        Raises:
            NotFittedError: the network has no parameters yet: call `initialize`.
            ArgumentError: a name isn't one of the network's.
            ShapeError: an array has another shape.
            DtypeError: an array doesn't hold numbers.
        """
        shapes, memory = self._fitted()
        places = {**parts_of(memory.parameters, shapes), **memory.state}
        arrays: dict[str, NumpyArray] = {}
        for name, value in values.items():
            place = look_up("parameter", name, places)
            arrays[name] = numbers_from(value, name)
            if arrays[name].shape != place.shape:
                raise ShapeError(
                    f"{name} must have shape {place.shape}, got {arrays[name].shape}"
                )
        with WRITING, np.errstate(over="ignore"):
            for name, array in arrays.items():
                np.copyto(places[name], array)

    # Training -------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        loss: str | Loss | LossFunction | None = None,
        optimizer: str | Optimizer = defaults.OPTIMIZER,
        epochs: int = defaults.EPOCHS,
        batch_size: int | str = defaults.FIT_BATCH_SIZE,
        validation: float | tuple[Any, ...] | None = defaults.VALIDATION,
        early_stopping: EarlyStopping | None = EarlyStopping(),  # noqa: B008 - frozen
        seed: int = defaults.SEED,
        shuffle: bool = True,
        sample_weight: Any = None,
        penalty: Penalty | None = None,
        clip_norm: float | None = None,
        dtype: Dtype = defaults.DTYPE,
        warm_start: bool = False,
        progress: bool = False,
        callback: AfterEpoch | None = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: Checkpoint | None = None,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
        lengths: Any = None,
        group_by_length: bool = False,
    ) -> History:
        """Learn from rows, and say what happened.

        θ ← update(θ, ∇J(θ)), J(θ) = 1/B Σ wᵢ ℓ(f(xᵢ; θ), yᵢ) + R(θ), for every batch

        Arguments:
            X: inputs, shape (rows, features); of a network whose first layer is
                `Inputs`, a dict with such an array for each input. An array of uint8,
                such as images, is read where it lies, as the numbers 0 to 255. Rows
                of different lengths are a list of arrays (times, …).
            y: class numbers (rows,), or numbers (rows,) or (rows, outputs); at each
                position, where the last layer gives (rows, positions…, outputs). Where
                rows have different lengths, a list of arrays, or padded as X is.
            loss: ℓ, a name, a `Loss`, or a function of predictions and targets that
                gives one value a row. None goes by the last activation: cross_entropy
                after softmax, binary_cross_entropy after sigmoid, else
                mean_squared_error. A last layer that was loaded as its program no
                longer tells its activation: None is the loss it was trained with.
            optimizer: the rule, with its learning rate.
            epochs: how often every row is used, at most.
            batch_size: B, the rows of a step; 1 is stochastic, ``"all"`` full-batch
                gradient descent.
            validation: the fraction of rows held out, (X, y) or (X, y, sample_weight)
                of your own, or None.
            early_stopping: None trains every epoch and keeps the last weights.
            seed: of first parameters, held-out rows, shuffling and dropout.
            shuffle: take the rows in another order every epoch; False keeps yours.
            sample_weight: wᵢ, one number a row, used in loss and metrics alike.
            penalty: R, such as ``L2(1e-4)``.
            clip_norm: the longest gradient allowed.
            dtype: float32, or float64.
            warm_start: go on from the parameters and layers' state that there are,
                instead of new ones; what is `Frozen` stays in any case. If the last
                `fit` had the same optimizer, at any learning rate, its slots (such as
                momentum) and its count of steps go on too, and with them schedules,
                dropout and the order of rows: without early stopping two fits of 5
                epochs are one of 10. Another optimizer starts afresh, as after `load`
                or a run that diverged. The history, the best epoch and the patience are
                those of this fit alone.
            progress: show both losses while training.
            callback: called with an `EpochRecord` after every epoch.
            callbacks: objects that follow the run and may end it; see `Callback`.
            checkpoint: where and how often to write what `resume` goes on from.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest. The weights are the
                same to the bit for any number.
            lengths: how many times each row of an array (rows, times, …) has, (rows,);
                what lies behind them is padding, and never seen. None for a list,
                whose arrays say it, and where every row has all times.
            group_by_length: make batches of rows of similar length, in a random order
                of every epoch: a batch takes as long as its longest row.

        Returns:
            The history, which is also kept as ``network.history``.

        Raises:
            ArgumentError, ShapeError, DtypeError: an argument can't be used.
            DivergenceError: the loss became NaN or infinite; the best parameters so far
                are kept.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
            >>> network = tw.Network([tw.Dense(1)])
            >>> history = network.fit(X, 3 * X + 1, optimizer=tw.Adam(0.1), epochs=80)
            >>> network.predict([[0.5]]).round(1).tolist()
            [[2.5]]

        Source: Bottou, Curtis and Nocedal, "Optimization methods for large-scale
        machine learning", 2018.
        """
        asked = FitArguments(
            *(loss, optimizer, epochs, batch_size, validation, early_stopping, seed),
            *(shuffle, sample_weight, penalty, clip_norm, dtype, warm_start, engine),
            *(threads, lengths, group_by_length),
        )
        if checkpoint is not None:
            must = "a Checkpoint or None"
            require_instance("checkpoint", checkpoint, Checkpoint, must)
        told = callbacks_from(callback, callbacks, progress, epochs)
        trainer, shapes, rows = self._begun(X, y, asked)
        if checkpoint is None:
            return run(self, trainer, shapes, told)
        from thalweg.checkpoints.writer import writing

        with writing(checkpoint, trainer, engine, rows, validation) as writer:
            return run(self, trainer, shapes, told, writer)

    def session(
        self, X: Any, y: Any, **arguments: Unpack[FitKeywords]
    ) -> Session[Network]:
        """Begin what `fit` does, and take its steps one by one.

        Arguments:
            X, y: as in `fit`.
            arguments: those of `fit` by their names, but for those that follow a run:
                progress, callbacks and checkpoints.

        Returns:
            A `Session`, which takes a step or an epoch when it's told to, goes back to
            where it was, and has branches.

        Raises:
            ArgumentError, ShapeError, DtypeError: an argument can't be used.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
            >>> network = tw.Network([tw.Dense(1)])
            >>> session = network.session(X, 3 * X + 1, optimizer=tw.SGD(0.1), epochs=9)
            >>> while not session.is_over:
            ...     record = session.epoch()
            >>> record.epoch, session.finish().stopped_because
            (9, 'all 9 epochs were done')
        """
        trainer, shapes, _ = self._begun(X, y, FitArguments(**arguments))
        return Session(self, trainer, shapes)

    def _begun(
        self, X: Any, y: Any, asked: FitArguments
    ) -> tuple[Trainer, Shapes, Rows]:
        """What trains, the shapes of the network, and all rows that were given."""
        execution = Execution(asked.engine, asked.threads, self.programs)
        warm_start, seed, dtype = asked.warm_start, asked.seed, asked.dtype
        layers = self._layers_for(X, warm_start)
        goes_on = warm_start and self.is_initialized
        validation = asked.validation
        least = max(longest(X, validation), self._times() if goes_on else 0)
        given = Given(layers, self._shapes_for, dtype, least)
        rows = given.rows(X, y, asked.sample_weight, asked.lengths)
        training, held_out = given.split(rows, validation, seed)
        start = self._start(layers, training, seed, dtype, warm_start)
        shapes, memory = start.shapes, start.memory
        from thalweg.files.savable import require_savable

        require_savable(layers, shapes, dtype)
        require_parameters(shapes)
        warn_of_images(layers, shapes, X)
        loss = asked.loss
        if loss is None and isinstance(self.layers[-1], TracedLayer):
            loss = self.loss
        objective = objective_of_rows(
            *(start, training, loss, asked.optimizer, asked.penalty, asked.clip_norm)
        )
        if held_out is not None:
            check_targets(
                held_out.y, shapes.outputs[-1], objective.loss, "validation y"
            )
        size = batch_rows(asked.batch_size, len(training))
        regime = Regime(
            *(objective, int(asked.epochs), size, asked.early_stopping, int(seed)),
            *(asked.shuffle, asked.group_by_length),
        )
        history = History(
            settings=settings_of(regime, training, held_out),
            constant_loss=constant_loss_of(
                objective.loss, training, held_out, shapes.outputs[-1]
            ),
        )
        past = start.optimizer_state
        if past is None or not past.serves(objective.optimizer):
            past = OptimizerState.first(objective.optimizer, memory)
        past.rule = objective.optimizer
        state = TrainingState.first(memory, past, history)
        trainer = Trainer(
            start.layers, shapes, state, training, held_out, regime, execution
        )
        return trainer, shapes, rows

    def _layers_for(self, X: Any, warm_start: bool) -> Sequence[Layer]:
        """The layers, which know the shapes of inputs that are given by name."""
        goes_on = warm_start and self.is_initialized
        return self.layers if goes_on else with_shapes_of(self.layers, X)

    def _start(
        self,
        layers: Sequence[Layer],
        rows: Rows,
        seed: int,
        dtype: Dtype,
        warm_start: bool,
    ) -> Network:
        """The network to start from: itself if it fits, or one of new parameters."""
        shape = rows.X.shape[1:]
        if not warm_start or self._shapes is None:
            fresh = Network(layers)
            fresh.programs = self.programs
            fresh.initialize(shape, seed, dtype)
            if self.is_initialized:
                places = tuple(frozen_places(layers))
                kept = self.state.items()
                fresh.set_parameters({n: a for n, a in kept if n.startswith(places)})
            return fresh
        own = self._shapes.outputs[0]
        if own == shape and self.dtype == dtype:
            return self
        if shape[0] > own[0] and shape[1:] == own[1:] and rows.lengths is not None:
            return self._for_times(rows.X)
        raise ShapeError(
            f"a warm start needs rows of shape {own} in {self.dtype}, got {shape} in "
            f"{dtype}"
        )

    # Using ----------------------------------------------------------------------------

    def predict(
        self,
        X: Any,
        *,
        lengths: Any = None,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
    ) -> Any:
        """What the last layer gives.

        Arguments:
            X: inputs as in `fit`.
            lengths: as in `fit`.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.

        Returns:
            An array of shape (rows, outputs). Where rows have different lengths and
            each of their times has outputs, a list of arrays (times, outputs) for a
            list, else an array that is 0 at padding.

        Raises:
            NotFittedError: the network has no parameters yet.
            ShapeError: rows have another shape than in training; they may have other
                lengths, unless a layer has learned how many times there are.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.Dense(2, "softmax")]).initialize(3)
            >>> network.predict([[0.0, 0.0, 0.0]]).tolist()
            [[0.5, 0.5]]
        """
        if lengths is not None or self._are_sequences(X):
            return self._predict_sequences(X, lengths, Execution(engine, threads))
        if engine == defaults.ENGINE and threads is None and self._quick is not None:
            try:  # a with statement would take a tenth of the time of one row
                quick = self._quick(X)  # None if X must be looked at more closely
                if quick is not None:
                    return quick
            except IndexError:  # which the longer way explains
                pass
        table = table_from(side_by_side(self.layers, X, self.dtype))
        self._require_shape(table)
        return self._predictions(table, None, Execution(engine, threads))

    def _predictions(
        self, table: NumpyArray, lengths: NumpyArray | None, execution: Execution
    ) -> NumpyArray:
        """What the last layer gives, some rows at a time."""
        shapes, _ = self._fitted()
        predictions = np.empty((len(table), *shapes.outputs[-1]), self.dtype)
        with self._lock.held():
            dtype = input_dtype_of(table, self.dtype)
            forward = self._forward(execution, dtype, lengths is not None)
            for part in forward.chunks(len(table)):
                rows = {"X": self._converted(table[part], part.start)}
                if lengths is not None:
                    rows[LENGTHS] = lengths[part]
                predictions[part] = forward.run(rows)["predictions"]
        return predictions

    def _are_sequences(self, X: Any) -> bool:
        """Whether X is a list of arrays that aren't rows of the usual shape."""
        if not isinstance(X, list | tuple) or self._shapes is None:
            return False
        return are_sequences(X, self._shapes.outputs[0])

    def _predict_sequences(self, X: Any, lengths: Any, execution: Execution) -> Any:
        """The same for rows of different lengths, without a look at padding."""
        table, counts = padded(X, lengths)
        found: list[Any] = [None] * len(table)
        behind = None
        for times, rows in by_times(counts, self._times()):
            part = with_times(table[rows, :times], times)
            network = self._for_times(part)
            shapes, own = network.shapes, counts[rows]
            behind = lengths_of_outputs(self.layers, shapes, own, self.dtype)
            predictions = network._predictions(part, own, execution)
            each = predictions if behind is None else cut(predictions, behind)
            for row, prediction in zip(rows, each, strict=True):
                found[row] = prediction
        if behind is None:
            return np.stack(found)
        return found if lengths is None else together(found, "predictions", 0)[0]

    def _times(self) -> int:
        """How many times the rows have that the network was made for."""
        return self._fitted()[0].outputs[0][0]

    def _for_times(self, table: NumpyArray) -> Network:
        """The network for rows of as many times as an array has; itself mostly.

        Raises:
            ShapeError: rows have another shape, or what a layer has learned goes with
                another number of times.
        """
        shapes, memory = self._fitted()
        shape = table.shape[1:]
        if shape == shapes.outputs[0] or shape[1:] != shapes.outputs[0][1:]:
            self._require_shape(table)
            return self
        if shape[0] not in self._for_more_times:
            others = self._shapes_for(shape, self.dtype)
            require_same_parameters(shapes, others)
            longer = Network(self.layers)
            longer.programs = self.programs
            longer.take(others, memory, self.dtype)
            self._for_more_times[shape[0]] = longer
        return self._for_more_times[shape[0]]

    def stream(
        self,
        rows: int = 1,
        *,
        times: int | None = None,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
    ) -> Stream:
        """The network for one time after the other, with what it keeps of them.

        y_t = f(x₁, …, x_t)_t

        Time by time it gives what `predict` gives for whole rows, to the bit, and each
        time costs as much as the one before. It has a copy of the parameters that there
        are now; after another `fit`, make another stream.

        Arguments:
            rows: how many sequences go side by side.
            times: room for as many, where a layer keeps every time, as `Attention`
                does; None for as many as the network was made for.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.

        Returns:
            A `Stream`, which is called with the inputs of a time, (rows, …).

        Raises:
            NotFittedError: the network has no parameters yet.
            ArgumentError: a layer needs later times, or may; it is named.
            ShapeError: the network isn't one of rows of times.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.RNN(1, "identity")]).initialize((9, 1))
            >>> network.set_parameters({"1.weights": [[1]], "1.recurrent": [[1]]})
            >>> stream = network.stream()
            >>> [stream([[x]]).item() for x in (1.0, 2.0, 3.0)]
            [1.0, 3.0, 6.0]

        Source: Elman, "Finding structure in time", 1990.
        """
        return Stream(self, rows, times, Execution(engine, threads, self.programs))

    def generate(
        self,
        start: Any,
        length: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = defaults.SEED,
    ) -> NumpyArray:
        """Classes that go on with a sequence, each drawn by those before it.

        c_{t+1} = i with probability p_i^(1/τ) / Σⱼ p_j^(1/τ), p = f(c₁, …, c_t)_t

        Where a layer keeps every time, as `Attention` does, c_{t+1} follows from as
        many classes before it as the network was made for.

        Arguments:
            start: class numbers to go on with, shape (times,), one or more.
            length: how many more there are to be.
            temperature: τ; below 1 likely classes are drawn more often than p says, and
                at 0 only the likeliest.
            top_k: draw the likeliest so many alone, and those as likely as the last of
                them; None for all.
            seed: the same seed draws the same classes, on any number of threads.

        Returns:
            The class numbers behind start, shape (length,).

        Raises:
            NotFittedError: the network has no parameters yet.
            ArgumentError: an argument is out of its range; a layer needs later times;
                or the network doesn't take class numbers and give probabilities.
            ShapeError: start has another shape.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> layers = [tw.Embedding(3, 8), tw.GRU(16), tw.Dense(3, "softmax")]
            >>> X = np.arange(40)[:, None] % 3 + np.arange(6) % 3
            >>> network = tw.Network(layers)
            >>> history = network.fit(X % 3, (X + 1) % 3, optimizer=tw.Adam(0.05))
            >>> network.generate([1, 2], 5).tolist()
            [0, 1, 2, 0, 1]

        Source: Graves, "Generating sequences with recurrent neural networks", 2013.
        """
        return generate(self, self.predict, start, length, temperature, top_k, seed)

    def _converted(self, table: NumpyArray, first_row: int) -> NumpyArray:
        """Inputs in the network's dtype, all finite; bytes stay bytes."""
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(table, input_dtype_of(table, self.dtype))
        require_finite(rows, "X", first_row, table)
        return rows

    def _require_shape(self, X: NumpyArray) -> None:
        """Rows have the shape that the network was made for."""
        wanted = self.shapes.outputs[0]
        if X.shape[1:] != wanted:
            raise ShapeError(
                f"X must have shape (rows, {', '.join(map(str, wanted))}) "
                f"as in training, got {X.shape}"
            )

    def _forward(
        self, execution: Execution, input_dtype: Dtype, with_lengths: bool = False
    ) -> Forward:
        """The program of prediction for inputs of a dtype, made at its first use."""
        kind = execution, input_dtype, with_lengths
        if kind not in self._forwards:
            shapes, memory = self._fitted()
            own = shapes.outputs[0], self.dtype, input_dtype, with_lengths

            def prediction(rows: int) -> Program:
                return prediction_program(
                    self.layers, shapes, rows, self.dtype, input_dtype, with_lengths
                )

            key = ("predictions", self.layers, *own)
            program = Batch(prediction, ["X", LENGTHS] if with_lengths else ["X"])
            self._forwards[kind] = execution.forward(program, memory.buffers(), key)
        found = self._forwards[kind]
        if execution == Execution() and not with_lengths:
            self._quick = found.quick()  # for rows like the last ones
        return found

    def evaluate(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
        lengths: Any = None,
    ) -> dict[str, float]:
        """The loss and the metrics on rows.

        Arguments:
            X: inputs as in `fit`.
            y: targets as in `fit`.
            sample_weight: one number a row, or None.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.
            lengths: as in `fit`.

        Returns:
            ``loss`` and ``accuracy`` where classes are predicted; ``loss``, ``rmse``
            (in the targets' unit) and ``r2`` where numbers are.

        Raises:
            NotFittedError: the network was never fitted.
            ShapeError: rows have another shape than in training.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
            >>> network = tw.Network([tw.Dense(1)])
            >>> history = network.fit(X, 3 * X + 1, optimizer=tw.Adam(0.1), epochs=80)
            >>> list(network.evaluate(X, 3 * X + 1))
            ['loss', 'rmse', 'r2']
        """
        shapes, memory = self._fitted()
        if self.loss is None:
            raise NotFittedError(
                "the network was never fitted, so it has no loss: call fit"
            )
        if lengths is not None or self._are_sequences(X):
            table, counts = padded(X, lengths, least=self._times())
            shapes = self._for_times(table).shapes
            rows = rows_of_lengths(
                self.layers, shapes, table, counts, y, sample_weight, self.dtype
            )
        else:
            inputs = side_by_side(self.layers, X, self.dtype)
            rows = rows_from(inputs, y, sample_weight, self.dtype)
            self._require_shape(rows.X)
        outputs = require_outputs(shapes)
        rows = at_positions(rows, outputs)
        check_targets(rows.y, outputs, self.loss)
        execution = Execution(engine, threads)
        scorer = Scorer(self.layers, shapes, self.loss, rows, memory, execution)
        loss, metrics = scorer.score()
        return {"loss": loss, **metrics}

    def explain(self, program: bool = False, profile: bool = False) -> str:
        """For each layer its formula, the formula of its gradient, shapes, parameters.

        Arguments:
            program: also show the whole training step after each pass.
            profile: also run the step many times, and show for each of its kernels
                the bytes, the operations and the measured time.

        Returns:
            A text of several lines.

        Raises:
            NotFittedError: the network has no parameters yet.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.Dense(1, "tanh")]).initialize(2)
            >>> "3 parameters" in network.explain()
            True
        """
        from thalweg.explain.explanation import explain

        return explain(self, program, profile)

    # Seeing ---------------------------------------------------------------------------

    def outputs(self, X: Any) -> list[NumpyArray]:
        """What every layer gives for rows: f₁(x), f₂(f₁(x)), …, as in prediction.

        Arguments:
            X: inputs as in `fit`.

        Returns:
            An array (rows, …) for each layer, first to last; the last is what `predict`
            gives.

        Raises:
            NotFittedError: the network has no parameters yet.
            ShapeError: rows have another shape than in training.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> network = tw.Network([tw.Dense(3, "tanh"), tw.Dense(1)]).initialize(2)
            >>> [each.shape for each in network.outputs(np.zeros((5, 2)))]
            [(5, 3), (5, 1)]

        Source: Rumelhart, Hinton and Williams, "Learning representations by
        back-propagating errors", 1986.
        """
        from thalweg.explain.outputs import outputs

        return outputs(self, self._rows(X))

    def backpropagation(self, X: Any, y: Any) -> Backpropagation:
        """All numbers that backpropagation computes of rows.

        z = x W + b, a = φ(z); δ = ∂ℓ/∂z, ∂ℓ/∂W = xᵀ δ, ∂ℓ/∂b = δ, ∂ℓ/∂x = δ Wᵀ

        As in prediction: dropout is off, and no penalty is added.

        Arguments:
            X: inputs as in `fit`.
            y: targets as in `fit`.

        Returns:
            The rows' losses; z, a and δ of each layer that has an activation; and the
            gradient of the mean loss, by the parameters' names and as one vector.

        Raises:
            NotFittedError: the network was never fitted.
            ShapeError: rows have another shape than in training.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> network = tw.Network([tw.Dense(1, "sigmoid")])
            >>> X, y = np.array([[1.0], [-1.0]]), np.array([1, 0])
            >>> history = network.fit(X, y, epochs=1, validation=None)
            >>> found = network.backpropagation(X[:1], y[:1])
            >>> delta, prediction = found.layers[1].delta, network.predict(X[:1])
            >>> bool(np.allclose(delta, prediction - 1))
            True

        Source: Rumelhart, Hinton and Williams, "Learning representations by
        back-propagating errors", 1986.
        """
        from thalweg.explain.backpropagation import backpropagation

        return backpropagation(self, *self._pair(X, y))

    def finite_differences(self, X: Any, y: Any, step: float = 1e-5) -> NumpyArray:
        """The slope of the mean loss by every parameter, without any calculus.

        (J(θᵢ + h) − J(θᵢ − h)) / 2h, in float64

        Arguments:
            X, y: rows as in `fit`.
            step: h.

        Returns:
            As many numbers as parameters, in their order.

        Raises:
            NotFittedError: the network was never fitted.
            ShapeError: rows have another shape than in training.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> X, y = np.array([[1.0, 2.0]]), np.array([[1.0]])
            >>> network = tw.Network([tw.Dense(1)])
            >>> history = network.fit(X, y, epochs=1, validation=None)
            >>> by_hand = network.finite_differences(X, y)
            >>> bool(np.allclose(by_hand, network.backpropagation(X, y).gradient))
            True

        Source: Burden and Faires, "Numerical analysis", 2010, chapter 4.
        """
        from thalweg.explain.backpropagation import finite_differences

        return finite_differences(self, *self._pair(X, y), step)

    def feature_maps(self, X: Any, layer: int) -> NumpyArray:
        """What a layer gives for rows: fₙ(… f₂(f₁(x))), as in prediction.

        Arguments:
            X: inputs as in `fit`.
            layer: n, 1 for the first.

        Returns:
            An array (rows, …): behind a convolution (rows, places…, filters), a map for
            each filter.

        Raises:
            NotFittedError: the network has no parameters yet.
            ArgumentError: there is no such layer.
            ShapeError: rows have another shape than in training.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> layers = [tw.Conv(4, 3), tw.Flatten(), tw.Dense(2)]
            >>> network = tw.Network(layers).initialize((8, 8, 1))
            >>> network.feature_maps(np.zeros((1, 8, 8, 1)), layer=1).shape
            (1, 6, 6, 4)

        Source: Zeiler and Fergus, "Visualizing and understanding convolutional
        networks", 2014.
        """
        from thalweg.explain.feature_maps import feature_maps

        return feature_maps(self, self._rows(X), layer)

    def attention_weights(self, X: Any, layer: int | str) -> NumpyArray:
        """How much each time of a row takes of each other: softmax(Q Kᵀ / √d).

        Arguments:
            X: inputs as in `fit`.
            layer: the number of the layer that is an `Attention` or has one inside, as
                a `TransformerBlock` has, 1 for the first; or its place, as the names of
                its parameters begin, such as ``2.1.2``.

        Returns:
            An array (rows, heads, times, times): of each time the weights of all times,
            which add up to 1.

        Raises:
            NotFittedError: the network has no parameters yet.
            ArgumentError: there is no such layer, or not one attention in it.
            ShapeError: rows have another shape than in training; they may have other
                lengths, unless a layer has learned how many times there are.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> layers = [tw.TransformerBlock(2, 8, causal=True), tw.Dense(3)]
            >>> network = tw.Network(layers).initialize((5, 4))
            >>> weights = network.attention_weights(np.ones((1, 5, 4)), layer=1)
            >>> weights.shape, weights[0, 0, 1].round(2).tolist()
            ((1, 2, 5, 5), [0.5, 0.5, 0.0, 0.0, 0.0])

        Source: Bahdanau, Cho and Bengio, "Neural machine translation by jointly
        learning to align and translate", 2015.
        """
        from thalweg.explain.attention_weights import attention_weights

        return attention_weights(*self._with_rows(X), layer)

    def gates(self, X: Any, layer: int | str) -> dict[str, NumpyArray]:
        """What the gates of an LSTM or a GRU say at each time of a row.

        Arguments:
            X: inputs as in `fit`.
            layer: the number of the layer that is recurrent or has one inside, 1 for
                the first; or its place, as the names of its parameters begin.

        Returns:
            An array (rows, times, units) for each gate by its letter in the cell's
            formula: i, f, g, o of an `LSTM`, r, z, n of a `GRU`; of both directions
            ``forward.i``, ``backward.i`` and so on.

        Raises:
            NotFittedError: the network has no parameters yet.
            ArgumentError: there is no such layer, or not one cell with gates in it.
            ShapeError: rows have another shape than in training; they may have other
                lengths, unless a layer has learned how many times there are.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> network = tw.Network([tw.LSTM(3)]).initialize((5, 2))
            >>> gates = network.gates(np.zeros((1, 5, 2)), layer=1)
            >>> print(gates["f"][0, 0].round(2))  # it keeps at first
            [0.73 0.73 0.73]

        Source: Karpathy, Johnson and Fei-Fei, "Visualizing and understanding recurrent
        networks", 2015.
        """
        from thalweg.explain.gates import gates

        return gates(*self._with_rows(X), layer)

    def receptive_field(self, layer: int) -> ReceptiveField:
        """Which places of a row a unit of a layer can see, by all windows before it.

        r ← r + (k − 1) d s,  o ← o − p s,  s ← s · t, from r = s = 1 and o = 0, for
        every layer of windows of size k, dilation d and stride t, with p places set
        before x

        Arguments:
            layer: its number, 1 for the first.

        Returns:
            The field's ``size`` r, ``stride`` s and ``offset`` o along each axis of
            places, pixels in an image; ``at(row, column)`` is what the unit there sees.

        Raises:
            NotFittedError: the network has no parameters yet.
            ArgumentError: there is no such layer, or what it sees isn't known.
            ShapeError: rows have no places.

        Example:
            >>> import thalweg as tw
            >>> layers = [tw.Conv(4, 3), tw.MaxPool(2), tw.Conv(8, 3)]
            >>> field = tw.Network(layers).initialize((12, 12, 1)).receptive_field(3)
            >>> field.size, field.stride, field.offset
            ((8, 8), (2, 2), (0, 0))
            >>> field.at(0, 1)
            (slice(0, 8, None), slice(2, 10, None))

        Source: Araujo, Norris and Sim, "Computing receptive fields of convolutional
        neural networks", 2019.
        """
        from thalweg.explain.receptive_field import receptive_field

        return receptive_field(self, layer)

    def saliency(self, X: Any, classes: Any = None) -> NumpyArray:
        """How strongly each number of a row moves the probability of a class.

        s = |∂ log p_c / ∂x|

        Arguments:
            X: inputs as in `fit`.
            classes: c, a class number for each row, shape (rows,); None for the
                likeliest of each.

        Returns:
            An array of X's shape.

        Raises:
            NotFittedError: the network has no parameters yet.
            ArgumentError: it gives no probabilities, or there is no such class.
            ShapeError: rows have another shape than in training, or there aren't as
                many classes.

        Example:
            >>> import thalweg as tw
            >>> network = tw.Network([tw.Dense(2, "softmax")]).initialize(2)
            >>> network.set_parameters({"1.weights": [[3, -3], [0, 0]]})
            >>> network.saliency([[0.0, 0.0]], [0]).tolist()
            [[3.0, 0.0]]

        Source: Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks:
        visualising image classification models and saliency maps", 2014.
        """
        from thalweg.explain.saliency import saliency

        rows = self._rows(X)
        return saliency(self, rows, self._classes(rows, classes))

    def occlusion(
        self,
        X: Any,
        classes: Any = None,
        *,
        size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        value: float = 0.0,
    ) -> NumpyArray:
        """The probability of a class as a patch is moved over a row.

        p_c(x with all numbers of the window of place i at a value), for every place i

        Arguments:
            X: rows (rows, places…, channels).
            classes: c, a class number for each row, shape (rows,); None for the
                likeliest of each.
            size: of the patch, one number for all axes or one for each.
            stride: from a place of the patch to the next.
            value: what the patch shows, on all channels.

        Returns:
            An array (rows, places of the patch…) of probabilities. Where it's low, the
            network needs what the patch hides.

        Raises:
            NotFittedError: the network has no parameters yet.
            ArgumentError: it gives no probabilities, there is no such class, or size or
                stride is no whole number of 1 or more.
            ShapeError: rows have no places, or the patch doesn't fit into them.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> layers = [tw.Flatten(), tw.Dense(2, "softmax")]
            >>> network = tw.Network(layers).initialize((4, 4, 1))
            >>> network.occlusion(np.ones((1, 4, 4, 1)), size=2).shape
            (1, 3, 3)

        Source: Zeiler and Fergus, "Visualizing and understanding convolutional
        networks", 2014.
        """
        from thalweg.explain.occlusion import occlusion

        rows = self._rows(X)
        chosen = self._classes(rows, classes)
        return occlusion(self, self.predict, rows, chosen, size, stride, value)

    def _with_rows(self, X: Any) -> tuple[Network, NumpyArray]:
        """The network for as many times as rows have, and the rows."""
        table = table_from(side_by_side(self.layers, X, self.dtype))
        network = self._for_times(table)
        return network, network._rows(table)

    def _rows(self, X: Any) -> NumpyArray:
        """Inputs as the network's layers read them, in its dtype."""
        table = table_from(side_by_side(self.layers, X, self.dtype))
        self._require_shape(table)
        return self._converted(table, 0).astype(self.dtype, copy=False)

    def _pair(self, X: Any, y: Any) -> tuple[NumpyArray, NumpyArray]:
        """Inputs and targets as the network's programs read them."""
        given = rows_from(self._rows(X), y, None, self.dtype)
        return given.X, at_positions(given, require_outputs(self.shapes)).y

    def _classes(self, rows: NumpyArray, classes: Any) -> NumpyArray:
        """The class numbers that were given, or the likeliest."""
        from thalweg.explain.probabilities import likeliest, require_probabilities

        require_probabilities(self)
        return likeliest(self.predict(rows)) if classes is None else np.asarray(classes)

    def save(self, path: str | Path) -> None:
        """Write the network to one safe file.

        Arguments:
            path: the file, ``*.thalweg`` by custom. An existing file is replaced whole,
                or left whole.

        Raises:
            NotFittedError: the network has no parameters yet.
            FileError: the file can't be written.
        """
        from thalweg.files.network_codec import save

        save(self, path)


def settings_of(
    regime: Regime, training: Rows, held_out: Rows | None
) -> dict[str, Any]:
    """How a run was set up, as plain data for the history and the file."""
    objective = regime.objective
    stopping, clip_norm = regime.early_stopping, objective.clip_norm
    return {
        "loss": objective.loss.name,
        "optimizer": repr(objective.optimizer),
        "penalty": None if objective.penalty is None else repr(objective.penalty),
        "clip_norm": None if clip_norm is None else float(clip_norm),
        "epochs": regime.epochs,
        "batch_size": regime.batch_size,
        "early_stopping": None if stopping is None else repr(stopping),
        "seed": regime.seed,
        "group_by_length": regime.group_by_length,
        "training_rows": len(training),
        "validation_rows": 0 if held_out is None else len(held_out),
    }
