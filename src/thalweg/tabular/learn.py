"""Tables as a kind of data: how their rows are learned from, and tested."""

from __future__ import annotations

from dataclasses import dataclass, replace

from thalweg.errors import DataError
from thalweg.files.modelfile import Content
from thalweg.formulas.embedding import Embedding
from thalweg.formulas.layers import Columns, Dense, Dropout, Layer
from thalweg.kinds.cautions import few_rows
from thalweg.kinds.constant import class_count, constant_guess
from thalweg.kinds.kind import Tested
from thalweg.kinds.last_layer import POSITIVE, output_layer, require_fitting
from thalweg.kinds.row_errors import Outputs, errors_of
from thalweg.kinds.scores import linear_outputs, repeated
from thalweg.kinds.targets import NumberTargets
from thalweg.kinds.trained import TrainedModel
from thalweg.network import Network
from thalweg.program.types import Shape
from thalweg.tables.encode import Encoder
from thalweg.tables.scales import Scale
from thalweg.tables.table import Table
from thalweg.tabular.cautions import below_zero
from thalweg.tabular.from_tables import FromTables
from thalweg.tabular.model import TableModel, model_from
from thalweg.tabular.own import NO_OWN, Own, ReadTable
from thalweg.tabular.prepare import prepare
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings
from thalweg.tabular.worked import libraries_have_worked
from thalweg.training.checkpoint import TABLE
from thalweg.training.execution import Execution


@dataclass(frozen=True)
class Trained(TrainedModel[TableModel, Prepared]):
    """A tested network, and how it came about.

    Arguments:
        model: the network with its table; `save` writes it.
        history: losses and metrics of every epoch.
        prepared: what each column is, and how rows were split.
        test: metrics on rows that were never used.
        baselines: the same metrics on the same rows for ``constant guess`` and ``linear
            model``.
        reading: the learning curves in plain words.
        notes: what the user should know of the scores: that few rows were tested, or
            predictions of a count are below 0.
        diverged: why training ended before its time, if the loss became NaN or
            infinite; the best epoch's weights are kept.

    Example:
        >>> import thalweg as tw
        >>> trained = tw.train("examples/penguins.csv", target="species", epochs=5)
        >>> isinstance(trained, tw.Trained), trained.history.stopped_epoch
        (True, 5)
        >>> list(trained.baselines)
        ['constant guess', 'linear model']
    """

    @property
    def table(self) -> Table:
        """The rows as they were read."""
        return self.prepared.table


class TableKind(FromTables[Settings, Prepared, TableModel, Trained]):
    """Rows of a table, each with a class or a number to predict."""

    name, note = "table", TABLE
    what = "a table"
    settings, trained = Settings, Trained

    def prepare(self, found: ReadTable, target: str, settings: Settings) -> Prepared:
        """See `Kind`."""
        return prepared_by(found.table, target, settings, found.own)

    def build(self, parts: Prepared, settings: Settings) -> Network:
        """See `build`."""
        return build(parts, settings)

    def shape(self, parts: Prepared, settings: Settings) -> Shape:
        """As many numbers as columns became."""
        return (len(parts.encoder.features),)

    def model(
        self, network: Network, parts: Prepared, settings: Settings
    ) -> TableModel:
        """See `Kind`."""
        known = parts.encoder, parts.targets, parts.task
        return TableModel(network, *known, dialect=settings.dialect)

    def is_of(self, model: TableModel, parts: Prepared) -> bool:
        """See `Kind`."""
        return (parts.encoder, parts.targets) == (model.encoder, model.targets)

    def tested(
        self,
        model: TableModel,
        parts: Prepared,
        settings: Settings,
        execution: Execution,
    ) -> Tested:
        """Score the test rows beside a constant guess and a linear model."""
        test = parts.test
        known = test.truth, test.weights, parts.deciding.positive
        errors = errors_of(parts.targets, model.outputs(test.X, execution), *known)
        baselines = {
            name: errors_of(parts.targets, each, *known).every_metric
            for name, each in baseline_outputs(parts).items()
        }
        validated = model.outputs(parts.validation.X, execution)
        below = below_zero(parts.table, parts, validated, errors)
        notes = (*few_rows(parts, errors), *below)
        libraries_have_worked()
        return Tested(errors.every_metric, baselines, notes)

    def model_from(self, content: Content) -> TableModel:
        """See `Kind`."""
        return model_from(content)


def prepared_by(
    table: Table, target: str, settings: Settings, own: Own = NO_OWN
) -> Prepared:
    """The table split and encoded as the settings say.

    Raises:
        DataError: the table can't be used.
        ArgumentError: a setting can't be used with this table.
    """
    prepared = prepare(table, target, settings, own)
    return fitted_to_loss(table, prepared, settings)


# The network --------------------------------------------------------------------------


def build(prepared: Prepared, settings: Settings) -> Network:
    """Embeddings for columns of many categories, hidden layers, and an output."""
    layers = embedding_layers(prepared.encoder)
    for units in settings.layers:
        layers.append(Dense(units, settings.activation))
        if settings.dropout:
            layers.append(Dropout(settings.dropout))
    return Network([*layers, output_layer(prepared.targets, settings.loss)])


def embedding_layers(encoder: Encoder) -> list[Layer]:
    """A layer with an embedding for each column of codes, if there are any."""
    embedded = encoder.embedded
    if not embedded:
        return []
    first = embedded[0].position
    parts: list[tuple[int, int, Layer | None]] = [(0, first, None)] if first else []
    for each in embedded:
        layer = Embedding(each.categories, each.dimension)
        parts.append((each.position, each.position + 1, layer))
    return [Columns(tuple(parts))]


def fitted_to_loss(table: Table, prepared: Prepared, settings: Settings) -> Prepared:
    """Check that the loss goes with the task; Poisson's needs targets from 0 up."""
    require_fitting(settings.loss, prepared.targets, prepared.task)
    return from_zero(table, prepared) if settings.loss == POSITIVE else prepared


def from_zero(table: Table, prepared: Prepared) -> Prepared:
    """Targets divided by their deviation, with 0 kept at 0."""
    assert isinstance(prepared.targets, NumberTargets)
    targets = replace(
        prepared.targets, scale=Scale(0.0, prepared.targets.scale.deviation)
    )
    moved = {name: part.relearned(targets) for name, part in prepared.parts.items()}
    if min(part.truth.min(initial=0.0) for part in moved.values()) < 0:
        raise DataError(
            f"{table.name}, column {prepared.targets.name!r}: the loss poisson takes "
            "counts, 0 or more, but some are negative"
        )
    found = replace(prepared, targets=targets, **moved)
    found.require_learnable(table)
    return found


# Baselines ----------------------------------------------------------------------------


def baseline_outputs(prepared: Prepared) -> dict[str, Outputs]:
    """What a constant guess and a linear model give on the test rows, in parts."""
    training, test = prepared.training, prepared.test
    codes = len(prepared.encoder.embedded)
    known = training.X, training.y, training.weights, class_count(prepared), codes
    return {
        "constant guess": repeated(constant_guess(prepared), len(test.X)),
        "linear model": linear_outputs(*known, test.X),
    }


TABLES = TableKind()
