"""Give what reads model files broken files for a while, and count what it says.

    python scripts/fuzz_model_file.py --seconds 60 --seed 1

Real files are broken: networks of thalweg's own parts and of a user's, models of
tables, of images and of text, what estimators have in their pickles and write to files,
checkpoints. Each must be refused with a ModelFileError (a checkpoint also as `resume`
says), or be accepted, and then be written back byte for byte, and predict, score,
explain and train on, or say with a ThalwegError why not. Reading takes no more time and
memory than is promised. Anything else is a finding: it is told, its file is kept, and
the exit status is 1.
"""

from __future__ import annotations

import itertools
import math
import os
import random
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import fuzzing
import numpy as np
import polars as pl
from fuzzing import BrokenPromiseError, Meter
from model_samples import SPECIES, copy_run, rows, write_samples
from mutations import any_mutation, edit_header_text

import thalweg as tw
from thalweg.checkpoints.store import POINTER, CheckpointFile, encode_entries
from thalweg.cli.evaluate import evaluate
from thalweg.cli.explain import explain
from thalweg.cli.predict import predict
from thalweg.errors import ModelFileError, ThalwegError
from thalweg.estimators.features import TableFeatures
from thalweg.estimators.frozen import thawed
from thalweg.files.modelfile import header_digest, read_model, write_model
from thalweg.language.model import LanguageModel
from thalweg.tabular.model import TableModel
from thalweg.vision.model import ImageModel

Choose = random.Random | None
Uses = list[Callable[[], Any]]
FEW = 3  # rows to predict
ONE_PHOTO = Path(SPECIES[0]) / "0.png"
LARGE = 2**16  # numbers in a row; more aren't made to be predicted from
ADDRESS_SPACE = 8 * 2**30  # so that what asks for too much gets an error


def valid_file(folder: Path) -> bytes:
    """A small model file with every dtype, an empty tensor and a scalar."""
    tensors = {
        "parameters/1.weights": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
        "parameters/1.bias": np.zeros(3, np.float32),
        "scale": np.array(0.5),
        "categories": np.arange(4, dtype=np.int32),
        "key": np.array([1, 2], np.uint32),
        "mask": np.array([True, False, True]),
        "nothing": np.zeros((0, 7)),
    }
    document = {"network": ["Dense", 3, {"é": None}], "history": [0.5, 0.25, 1e-9]}
    write_model(folder / "valid.thalweg", tensors, document)
    return (folder / "valid.thalweg").read_bytes()


# What was read is used ----------------------------------------------------------------


def judge_container(data: bytes, folder: Path) -> str:
    """What the reader says: "accepted", or the rule by which it refuses.

    Raises:
        AssertionError: an accepted file doesn't write back byte for byte.
    """
    (folder / "fuzzed.thalweg").write_bytes(data)
    try:
        model = read_model(folder / "fuzzed.thalweg")
    except ModelFileError as error:
        return "refused: " + rule(str(error).split(".thalweg: ", 1)[1])
    write_model(folder / "written.thalweg", *model)
    assert (folder / "written.thalweg").read_bytes() == data, "written back otherwise"
    return "accepted"


def rule(message: str) -> str:
    """The part of a message that is the same for each file that breaks the rule."""
    message = re.sub(r"^tensor ('.*?'|\".*?\")(?=:| must| is)", "a tensor", message)
    return re.split(r"(?<!\w)['\"\d({]", message)[0].strip()


def use_model(path: Path, meter: Meter, choose: Choose) -> str:
    """Load a file, write it back, and use what was loaded."""
    size = path.stat().st_size
    try:
        loaded = meter.measure(lambda: tw.load(path), size)
    except ModelFileError as error:
        return "refused: " + rule(str(error).removeprefix(f"{path}: "))
    judge_container(path.read_bytes(), path.parent)
    require_same_when_saved(loaded, path.parent)
    uses: Uses = [lambda: explain(path)]
    if isinstance(loaded, TableModel):
        table = table_for(loaded, path.parent.parent / "samples")
        predict_both_ways(loaded, table)
        uses += [partial(loaded.evaluate, table), *uses_of(loaded.network)]
    elif isinstance(loaded, ImageModel):
        uses += [*uses_of_images(loaded, path), *uses_of(loaded.network)]
    elif isinstance(loaded, LanguageModel):
        uses += [*uses_of_text(loaded, path), *uses_of(loaded.network)]
    else:
        uses += uses_of(loaded)
    some(uses, choose)
    return "accepted"


def uses_of_images(model: ImageModel, path: Path) -> Uses:
    """What one does with a model of images, on the command line too."""
    if math.prod(model.form.shape) > LARGE:
        return []
    samples, case = path.parent.parent / "samples", path.parent
    photos = samples / "photos"
    scored = photos if model.task.kind == "classes" else samples / "grey.npz"
    one, pixels = photos / ONE_PHOTO, np.ones((FEW, *model.form.shape), np.uint8)
    return [
        lambda: model.predict(pixels, threads=1),
        lambda: model.evaluate(scored, threads=1),
        lambda: predict(path, photos, output=case / "answers.csv"),
        lambda: evaluate(path, scored),
        lambda: explain(path, image=one, figure=case / "seen.png"),
        lambda: tw.export(model, case / "model.py"),
    ]


def uses_of_text(model: LanguageModel, path: Path) -> Uses:
    """What one does with a model of text, on the command line too."""
    if model.length * model.vocabulary.size > LARGE:
        return []
    text, case = path.parent.parent / "samples" / "verse.txt", path.parent
    start = model.vocabulary.text(np.ones(1, np.uint8))
    return [
        lambda: model.write(start, 3),
        lambda: model.evaluate(text, threads=1),
        lambda: predict(path, text, output=case / "answers.csv"),
        lambda: evaluate(path, text),
        lambda: tw.export(model, case / "model.py"),
    ]


def table_for(model: TableModel, samples: Path) -> Path:
    """The sample that has the model's target, if there is one."""
    names = ("few.csv", "few_forms.csv", "few_wide.csv")
    tables = [samples / name for name in names]
    fitting = (table for table in tables if model.target in header(table))
    return next(fitting, tables[0])


def header(table: Path) -> str:
    """A table's first line."""
    return table.read_text(encoding="utf-8").partition("\n")[0]


def require_same_when_saved(
    loaded: Any, folder: Path, load: Callable[[Path], Any] = tw.load
) -> None:
    """What is saved can be loaded, and saved again to the byte."""
    first, second = folder / "first.thalweg", folder / "second.thalweg"
    loaded.save(first)
    load(first).save(second)
    if first.read_bytes() != second.read_bytes():
        raise BrokenPromiseError("saved again, the file differs")


def uses_of(network: tw.Network) -> Uses:
    """What one does with a network: predict, score, explain, train on."""
    shape = network.shapes.outputs[0]
    if np.prod(shape, dtype=float) > LARGE:
        return []
    X, y = given(network, FEW), np.arange(FEW)
    return [
        lambda: network.predict(X, threads=1),
        lambda: network.predict(given(network, 1)),
        lambda: network.predict(X, engine="interpreter"),
        lambda: network.evaluate(X, y, threads=1),
        lambda: network.explain(program=True),
        lambda: network.fit(
            X,
            y,
            loss=network.loss,
            optimizer=network.optimizer or "adam",
            penalty=network.penalty,
            epochs=1,
            batch_size=2,
            validation=None,
            dtype=network.dtype,
            warm_start=True,
            threads=1,
        ),
    ]


def given(network: tw.Network, rows: int) -> Any:
    """Rows of ones, by name where the network's inputs have names."""
    first = network.layers[0] if network.layers else None
    if isinstance(first, tw.Inputs):
        shapes = first.shapes_by_name.items()
        return {name: np.ones((rows, *shape)) for name, shape in shapes}
    given = "uint8" if network.input_dtype == "uint8" else "float64"
    return np.ones((rows, *network.shapes.outputs[0]), given)


def predict_both_ways(model: TableModel, table: Path) -> None:
    """Predict at once and in parts, which must agree."""
    whole = attempt(lambda: model.predict(table, threads=1))
    parts = attempt(lambda: list(model.predict_batches(table)))
    if type(whole) is str or type(parts) is str:
        if whole != parts:
            raise BrokenPromiseError(f"at once: {whole}, in parts: {parts}")
    elif not whole.equals(parts[0]) or len(parts) > 1:
        raise BrokenPromiseError("other predictions in parts than at once")


def use_frozen(path: Path, meter: Meter, choose: Choose) -> str:
    """Thaw the bytes of an estimator, and use what they hold."""
    content = path.read_bytes()
    try:
        network, features = meter.measure(
            lambda: thawed(content, tw.Adam()), len(content)
        )
    except ModelFileError as error:
        return "refused: " + rule(str(error))
    frame = pl.read_csv(path.parent.parent / "samples" / "few.csv")
    given: Any = np.ones((FEW, *network.shapes.outputs[0]))
    if isinstance(features, TableFeatures):
        given = frame
    attempt(lambda: network.predict(features.transform(given, network.dtype)))
    some(uses_of(network), choose)
    return "accepted"


def use_estimator(path: Path, meter: Meter, choose: Choose) -> str:
    """Load a file that an estimator saved, predict, save it again, and go on."""
    kind = tw.NetworkRegressor if "regressor" in path.name else tw.NetworkClassifier
    try:
        loaded: Any = meter.measure(lambda: kind.load(path), path.stat().st_size)
    except ModelFileError as error:
        return "refused: " + rule(str(error))
    require_same_when_saved(loaded, path.parent, kind.load)
    given: Any = np.ones((FEW, loaded.n_features_in_))
    if hasattr(loaded, "feature_names_in_"):
        table = pl.read_csv(path.parent.parent / "samples" / "few.csv")
        given = table.select(table.columns[: loaded.n_features_in_])
        given.columns = loaded.feature_names_in_.tolist()[: given.width]
    answers = ("predict", "predict_proba", "predict_quantiles", "predict_interval")
    for name in answers:
        if hasattr(loaded, name):
            attempt(partial(getattr(loaded, name), given))
    some(uses_of(loaded.network_), choose)
    return "accepted"


def use_run(folder: Path, meter: Meter, choose: Choose) -> str:
    """Load the checkpoint as a network, and go on with the run for an epoch."""
    for path in folder.glob("*.thalweg"):
        use_checkpoint(path, meter)

    class Stop(tw.Callback):
        def on_epoch(self, record: tw.EpochRecord) -> bool:
            return True

    given = () if folder.parent.name == "table" else rows()
    try:
        tw.resume(folder, *given, callbacks=[Stop()], threads=1)
    except ThalwegError as error:
        return "refused: " + rule(re.sub(r"\S*/run\S*", "", str(error)))
    return "accepted"


def use_checkpoint(path: Path, meter: Meter) -> None:
    """A checkpoint is a model file too."""
    with suppress(ModelFileError):
        meter.measure(lambda: tw.load(path), path.stat().st_size)


def some(uses: Uses, choose: Choose) -> None:
    """One of the uses, which all take long; without a choice every one."""
    for use in uses if choose is None else choose.sample(uses, min(1, len(uses))):
        attempt(use)


def attempt(call: Callable[[], Any]) -> Any:
    """What is given; an error of thalweg's own as text."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of NaN and infinity
        try:
            return call()
        except ThalwegError as error:
            return f"{type(error).__name__}: {error}"


# Cases --------------------------------------------------------------------------------

NETWORKS = (
    "plain",
    "own",
    "normalized",
    "branching",
    "inputs",
    "looping",
    "windows",
    "embedding",
    "series",
    "convolving",
    "transforming",
)
MODELS = (
    *(*NETWORKS, "classes", "number", "forms", "wide"),
    *("photos", "grey", "verse", "bytes"),
)
FROZEN = ("array", "frame")
ESTIMATORS = ("array.classifier", "frame.classifier", "numbers.regressor")
RUNS = ("network", "table")
OFTEN = {"own": 4, "classes": 3, "wide": 4, "table": 1}  # others 2


def judge(choose: random.Random, case: Path, meter: Meter) -> str:
    """Break a sample, and use it."""
    samples = case.parent / "samples"
    names = [*MODELS, *FROZEN, *ESTIMATORS, *(f"{name}.run" for name in RUNS)]
    weights = [OFTEN.get(name.partition(".")[0], 2) for name in names]
    name = choose.choices(names, weights)[0]
    if name.endswith(".run"):
        said = use_run(broken_run(samples / name, case, choose), meter, choose)
    elif name in FROZEN:
        path = case / f"{name}.frozen"
        sample = (samples / path.name).read_bytes()
        path.write_bytes(any_mutation(sample, choose))
        said = use_frozen(path, meter, choose)
    else:
        of_estimator = name in ESTIMATORS
        path = case / (f"{name}.thalweg" if of_estimator else "fuzzed.thalweg")
        sample = (samples / f"{name}.thalweg").read_bytes()
        path.write_bytes(any_mutation(sample, choose))
        use = use_estimator if of_estimator else use_model
        said = use(path, meter, choose)
    return f"{name}, {said}"


def broken_run(run: Path, case: Path, choose: random.Random) -> Path:
    """A run's folder whose checkpoint was broken, or else its pointer."""
    place = case / run.stem
    folder = copy_run(run, place)
    (path,) = folder.glob("*.thalweg")
    pointer = folder / POINTER
    if choose.random() < 0.1:
        text = pointer.read_bytes()
        pointer.write_bytes(any_text(text, choose))
        return folder
    path.write_bytes(any_mutation(path.read_bytes(), choose))
    try:
        digest = header_digest(path)
    except ModelFileError:
        return folder
    pointer.write_bytes(encode_entries([CheckpointFile(path.name, digest)]))
    return folder


def any_text(text: bytes, choose: random.Random) -> bytes:
    """A pointer with a fragment of JSON in it."""
    start = len(text).to_bytes(8, "little")
    return edit_header_text(start + text, choose)[8:]


def prepare(folder: Path) -> None:
    """Write the samples."""
    samples = folder / "samples"
    write_samples(samples)
    require_every_encoding(samples)
    lines = (samples / "table.csv").read_text(encoding="utf-8").splitlines()
    odd = "oops,,purple,c999,maybe,2020-99-99,25:00,Adélie,1"
    few = [*itertools.islice(lines, 8), odd]
    (samples / "few.csv").write_text("\n".join(few) + "\n", encoding="utf-8")
    forms = (samples / "forms.csv").read_text(encoding="utf-8").splitlines()
    few = [*itertools.islice(forms, 8), "oops;9 g;;31.02.1950;25:00 pm;1;?;7"]
    (samples / "few_forms.csv").write_text("\n".join(few) + "\n", encoding="utf-8")
    wide = (samples / "wide.csv").read_text(encoding="utf-8").splitlines()
    few_wide = "\n".join(wide[:8]) + "\n"
    (samples / "few_wide.csv").write_text(few_wide, encoding="utf-8")


def require_every_encoding(samples: Path) -> None:
    """The samples show all that there is to be read."""
    model = tw.load(samples / "classes.thalweg")
    assert isinstance(model, TableModel)
    found = {encoding.tag for encoding in model.encoder.encodings}
    if found != {"number", "moment", "category", "code"}:
        raise BrokenPromiseError(f"the table's encodings are only {found}")


def warm_up(folder: Path) -> None:
    """Every sample as it is must be accepted; what is imported late is imported."""
    limit_memory()
    os.fsync = lambda fd: None  # thousands of files need not survive a power cut
    case = folder / "case"
    case.mkdir(exist_ok=True)
    unmeasured = Meter()
    samples = folder / "samples"
    said = [use_model(samples / f"{name}.thalweg", unmeasured, None) for name in MODELS]
    said += [
        use_frozen(samples / f"{name}.frozen", unmeasured, None) for name in FROZEN
    ]
    for name in ESTIMATORS:
        path = case / f"{name}.thalweg"
        path.write_bytes((samples / path.name).read_bytes())
        said.append(use_estimator(path, unmeasured, None))
    for name in RUNS:
        folder = copy_run(samples / f"{name}.run", case / name)
        said.append(use_run(folder, unmeasured, None))
    if set(said) != {"accepted"}:
        raise BrokenPromiseError(f"of files that are whole it says {said}")


def limit_memory() -> None:
    """What asks for far too much is refused, and the machine left alone."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


if __name__ == "__main__":
    fuzzing.main((__doc__ or "").partition("\n")[0], prepare, warm_up, judge)
