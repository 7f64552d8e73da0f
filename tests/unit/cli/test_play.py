"""``thalweg play`` without a browser: exports, lessons, hand-ins, what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from thalweg.playground.experiment import Experiment
from thalweg.playground.hand_in import hand_in
from thalweg.playground.lessons import lesson_named, lessons
from thalweg.playground.rows import data_of
from thalweg.playground.run import ended

SHORT = "epochs=8&layers=3"


def told_in(page: Path) -> dict[str, Any]:
    """The document in an exported page."""
    found = re.search(r'id="document">(.*?)</script>', page.read_text("utf-8"), re.S)
    assert found is not None
    return json.loads(found[1])


def test_an_export_is_the_run_of_its_settings(thalweg) -> None:
    result = thalweg("play", SHORT, "--export", "run.html")
    assert result.err == "wrote run.html: 9 frames\n"
    told = told_in(Path("run.html"))
    run = ended(Experiment.from_query(SHORT), data_of(Experiment.from_query(SHORT)))
    assert told["sha256"] == run.standing()["sha256"]


@pytest.mark.parametrize(
    "address", [f"?{SHORT}", f"http://127.0.0.1:9/#{SHORT}", f"http://x/?{SHORT}"]
)
def test_an_address_holds_the_settings(thalweg, address) -> None:
    thalweg("play", address, "--export", "run.html")
    assert told_in(Path("run.html"))["epochs"] == 8


def test_a_table_is_exported_with_its_options(thalweg) -> None:
    table = ("penguins.csv", "--target", "species", "--ignore", "island")
    thalweg("play", *table, "--export", "run.html")
    data = told_in(Path("run.html"))["data"]
    assert data["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert not any("island" in each for each in data["features"])
    assert data["source"] == "penguins.csv, 344 rows"


def test_lessons_are_listed(thalweg) -> None:
    lines = thalweg("play", "--list").out.splitlines()
    assert [line.split()[0] for line in lines] == [each.name for each in lessons()]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("overfiting",),
            "there is no lesson 'overfiting': did you mean 'overfitting'?",
        ),
        (("nois=1",), "an experiment has no setting 'nois': did you mean 'noise'?"),
        (("noise=x",), "noise must be a number from 0 to 1, got 'x'"),
        (("penguins.csv",), "--target must name the column to predict"),
        (("penguins.csv", "--target", "specie"), "did you mean 'species'?"),
        (("nowhere.csv", "--target", "y"), "nowhere.csv"),
        (("--target", "y"), "TABLE must be given with --target"),
        (("dropout", "--ignore", "x"), "--ignore must be left out"),
        (("--port", "x"), "--port must be a whole number"),
        (("--port", "70000"), "--port must be a number from 0 to 65535"),
        (("--export", "run.txt"), "--export must be"),
        (("--export", "none/run.html"), "none"),
        (("--chek", "x"), "no option --chek: did you mean '--check'?"),
        (("dropout", "more"), "more"),
    ],
)
def test_what_cant_be_is_refused_by_its_option(thalweg, arguments, words) -> None:
    result = thalweg("play", *arguments)
    assert result.status in (1, 2)
    assert words in result.err
    assert "Traceback" not in result.err
    assert not Path("run.txt").exists()


def test_a_folder_of_hand_ins_is_graded_by_one_command(thalweg, tmp_path) -> None:
    folder = tmp_path / "handed"
    folder.mkdir()
    lesson = lesson_named("batch-size")
    good = Experiment.from_query(
        "optimizer=SGD&learning_rate=0.1&batch_size=1&patience=none"
    )
    for name, experiment in (("ada", good), ("bob", lesson.experiment)):
        made = hand_in(lesson, ended(experiment, data_of(experiment)), 2, name)
        (folder / f"{name}.json").write_text(json.dumps(made), encoding="utf-8")
    forged = json.loads((folder / "ada.json").read_text(encoding="utf-8"))
    forged["numbers"]["accuracy"] = 1.0
    (folder / "eve.json").write_text(json.dumps(forged), encoding="utf-8")
    result = thalweg("play", "--check", str(folder))
    assert result.status == 1
    ada, bob, eve = result.out.splitlines()
    assert ada == "ada.json: ada, batch-size: verified; task done; guessed right"
    assert "bob, batch-size: verified; task not done: epochs to 90 <= 15" in bob
    assert "eve.json: ada, batch-size: not what its settings give: accuracy" in eve
    assert thalweg("play", "--check", str(folder / "ada.json")).out == f"{ada}\n"


def test_a_port_that_is_taken_is_said(thalweg) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        arguments = ("play", "--no-browser", "--port", str(port))
        result = thalweg(*arguments)
    assert result.status == 2
    assert f"--port must be a free one of this machine, got {port}: taken" in result.err
