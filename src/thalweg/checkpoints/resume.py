"""Going on with a run that was written down."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from thalweg.checkpoints.run_codec import OWN_ROWS, Saved, digest_of, saved_from
from thalweg.checkpoints.step_files import NAME
from thalweg.checkpoints.store import Store, opened
from thalweg.checkpoints.writer import Writer
from thalweg.checks import require_instance
from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.files.modelfile import Content, read_model
from thalweg.files.network_codec import Make
from thalweg.formulas.chain import Shapes, shapes_of
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.model.record import AnyNetwork, NetworkRecord
from thalweg.program.types import Dtype, Shape
from thalweg.training.arguments import check_targets
from thalweg.training.callbacks import Callbacks
from thalweg.training.execution import Execution
from thalweg.training.fit import Regime, Trainer
from thalweg.training.given import Given, longest
from thalweg.training.objective import objective_of_rows
from thalweg.training.rows import Rows
from thalweg.training.run import run


@contextmanager
def saved_run(
    place: str | PathLike[str], make: Make[AnyNetwork]
) -> Generator[tuple[Store, Saved[AnyNetwork]]]:
    """The newest checkpoint in a folder, which is this process's own meanwhile.

    Arguments:
        place: the folder; or a checkpoint in it, where the pointer was lost.
        make: a network of layers.

    Raises:
        FileError: there is none that can be used.
    """
    path = Path(place)
    is_file = NAME.fullmatch(path.name) is not None and path.is_file()
    with opened(path.parent if is_file else path) as store:
        if is_file:
            tensors, document = read_model(path)
            saved_from(Content(str(path), document, tensors), make)
            store.lead_to(path)
        tensors, document, path = store.newest()
        saved = saved_from(Content(str(path), document, tensors), make)
        store.go_on(document, path)
        yield store, saved


def go_on(
    store: Store,
    saved: Saved[AnyNetwork],
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    validation: tuple[Any, ...] | None = None,
    optimizer: Optimizer | None = None,
    penalty: Penalty | None = None,
    callbacks: Callbacks = Callbacks(),  # noqa: B008 - frozen
    threads: int | None = None,
    lengths: Any = None,
) -> AnyNetwork:
    """Go on with a network's run, on the rows that it had.

    Raises:
        DataError: the rows are others.
        ArgumentError: a rule that the user wrote is missing.
    """
    network, setup = saved.network, saved.setup
    execution = Execution(setup.engine, threads)
    given = given_again(network, X, validation)
    rows = given.rows(X, y, sample_weight, lengths)
    require_same(
        rows, network.dtype, setup.training_sha256, "X, y and sample_weight", saved.path
    )
    training, held_out = split_again(saved, given, rows, validation)
    network.optimizer = rule_of(saved, "optimizer", network.optimizer, optimizer)
    network.penalty = rule_of(saved, "penalty", network.penalty, penalty)
    assert network.optimizer is not None
    shapes = network.shapes
    objective = objective_of_rows(
        network,
        training,
        network.loss,
        network.optimizer,
        network.penalty,
        setup.clip_norm,
    )
    if held_out is not None:
        check_targets(held_out.y, shapes.outputs[-1], objective.loss, "validation y")
    regime = Regime(
        objective,
        setup.epochs,
        setup.batch_size,
        setup.early_stopping,
        setup.seed,
        setup.shuffle,
        setup.group_by_length,
    )
    state = saved.state(objective.optimizer, network.memory)
    trainer = Trainer(
        network.layers, shapes, state, training, held_out, regime, execution
    )
    require_place(trainer, saved.path)
    require_same_figures(trainer, saved.path)
    run(network, trainer, shapes, callbacks, Writer(store, setup, resumed=True))
    return network


def given_again(network: NetworkRecord, X: Any, validation: Any) -> Given:
    """How rows become those of a network, which has its shapes already."""

    def shapes_for(shape: Shape, dtype: Dtype) -> Shapes:
        return shapes_of(network.layers, shape, dtype)

    times = max(longest(X, validation), network.shapes.outputs[0][0])
    return Given(network.layers, shapes_for, network.dtype, times)


def split_again(
    saved: Saved[Any], given: Given, rows: Rows, validation: tuple[Any, ...] | None
) -> tuple[Rows, Rows | None]:
    """The training and the validation rows that the run had."""
    setup, dtype = saved.setup, saved.network.dtype
    if setup.validation != OWN_ROWS:
        if validation is not None:
            raise ArgumentError(
                f"validation must be left out: the run in {saved.path} held out "
                f"{setup.validation or 'no'} rows by itself"
            )
        assert not isinstance(setup.validation, str)
        return given.split(rows, setup.validation, setup.seed)
    if validation is None:
        raise ArgumentError(
            f"validation must be (X, y) or (X, y, sample_weight), as it was for the "
            f"run in {saved.path}"
        )
    training, held_out = given.split(rows, validation, setup.seed)
    assert held_out is not None
    require_same(held_out, dtype, setup.validation_sha256, "validation", saved.path)
    return training, held_out


def require_same(
    rows: Rows, dtype: Dtype, digest: str | None, name: str, path: str
) -> None:
    """The rows are those that the run had.

    Raises:
        DataError: they aren't.
    """
    if digest_of(rows, dtype) != digest:
        raise DataError(
            f"{name} must be those that the run in {path} had; these differ, in shape "
            "or in a number"
        )


def require_place(trainer: Trainer, path: str) -> None:
    """The place in the epoch is one that these rows have.

    Raises:
        ModelFileError: it isn't.
    """
    state, (steps, numbers) = trainer.state, trainer.log_shape
    fits = not state.done or (state.done <= steps and state.log.shape[1] == numbers)
    if not fits or state.steps_before(steps) < 0:
        raise ModelFileError(
            f"{path}: a log of {state.log.shape} and {state.optimizer.steps} steps "
            f"don't go with {steps} steps an epoch"
        )


def require_same_figures(trainer: Trainer, path: str) -> None:
    """The history has the figures that the run goes on to fill in.

    Raises:
        ModelFileError: it hasn't.
    """
    training, validation = trainer.figures
    epochs = trainer.state.history.epochs
    if not epochs:
        return
    first = epochs[0]
    found = first.training_metrics.keys(), first.validation_metrics.keys()
    if not epochs.alike or found != (training, validation):
        raise ModelFileError(
            f"{path}: every epoch must have the metrics of this run, "
            f"{', '.join(training)}"
        )
    if (first.validation_loss is None) != (not validation):
        raise ModelFileError(f"{path}: every epoch must have a validation loss")


def rule_of(saved: Saved[Any], name: str, known: Any, given: Any) -> Any:
    """A rule from the file; one that the user wrote must be given again."""
    written = saved.network.history.settings.get(name)
    if known is not None or written is None:
        if given is not None and given != known:
            raise ArgumentError(f"{name} must be left out: the run has {written}")
        return known
    if given is None:
        raise ArgumentError(
            f"{name} must be given: {written} was its author's own, and isn't in "
            f"{saved.path}"
        )
    require_instance(
        name, given, Optimizer if name == "optimizer" else Penalty, written
    )
    return given
