"""Lessons: the run tells which answer is right, and every task can be done."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from thalweg.errors import ArgumentError, FileError
from thalweg.playground.experiment import Experiment, read
from thalweg.playground.hand_in import check_file, files_in, hand_in
from thalweg.playground.lessons import Lesson, lesson_named, lessons
from thalweg.playground.measures import MEASURES, Condition, measures
from thalweg.playground.rows import data_of
from thalweg.playground.run import Run, ended

CONCEPTS = Path("docs/concepts")
SOLVED: dict[str, dict[str, Any]] = {
    "perceptron": {"data": "xor"},
    "activation": {"layers": "8:relu,8:relu"},
    "dense": {"layers": "3"},
    "loss": {"noise": 0.5, "layers": "16,16", "training_rows": 20, "epochs": 400},
    "gradient-step": {"learning_rate": 1.0},
    "backpropagation": {"layers": "4,4,4,4,4"},
    "learning-rate": {"learning_rate": 0.3},
    "optimizers": {"optimizer": "Adam"},
    "batch-size": {"batch_size": 1},
    "overfitting": {"layers": "3", "training_rows": 200},
    "dropout": {"layers": "8:tanh:0.3"},
    "early-stopping": {"patience": 10},
}


def run_of(experiment: Experiment) -> Run:
    return ended(experiment, data_of(experiment))


def solved(lesson: Lesson) -> Experiment:
    changed = {
        name: read(name, value) if isinstance(value, str) else value
        for name, value in SOLVED[lesson.name].items()
    }
    return replace(lesson.experiment, **changed)


def test_there_are_the_twelve_of_the_lecture() -> None:
    assert [each.name for each in lessons()] == [*SOLVED]
    assert [each.number for each in lessons()] == list(range(1, 13))
    for each in lessons():
        assert (CONCEPTS / f"{each.concept}.md").exists()
        assert len(each.text) >= 2
        assert len(each.answers) >= 2
        json.dumps(each.to_dict())


@pytest.mark.parametrize("lesson", lessons(), ids=lambda each: each.name)
def test_its_run_has_an_answer_and_its_task_can_be_done(lesson: Lesson) -> None:
    run = run_of(lesson.experiment)
    numbers = measures(run)
    assert set(numbers) == set(MEASURES)
    assert 0 <= lesson.right_answer(numbers) < len(lesson.answers)
    assert lesson.missed(run, numbers) != []  # there is something to do
    done = run_of(solved(lesson))
    assert lesson.missed(done, measures(done)) == []


def test_what_is_to_stay_is_named_where_it_changed() -> None:
    lesson = lesson_named("optimizers")
    run = run_of(replace(solved(lesson), learning_rate=0.05))
    assert "learning rate as it was" in lesson.missed(run, measures(run))


def test_lessons_go_by_name_or_number() -> None:
    assert lesson_named("12") is lesson_named("early-stopping")
    with pytest.raises(ArgumentError, match="did you mean 'overfitting'"):
        lesson_named("overfiting")
    with pytest.raises(ArgumentError, match="there is no lesson '13'"):
        lesson_named("13")


def test_a_condition_that_cant_be_is_refused() -> None:
    with pytest.raises(ArgumentError, match="there is no measure 'accurcy'"):
        Condition.read("accurcy >= 0.9")
    with pytest.raises(ArgumentError, match="a condition must be like"):
        Condition.read("accuracy is good")


# Hand-ins -----------------------------------------------------------------------------

LESSON = lesson_named("early-stopping")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return hand_in(LESSON, run_of(solved(LESSON)), 1, "Ada")


def file_of(folder: Path, content: Any) -> Path:
    path = folder / "hand-in.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_hand_in_is_verified_by_running_it_again(
    made: dict[str, Any], tmp_path: Path
) -> None:
    checked = check_file(file_of(tmp_path, made))
    assert checked.holds
    words = "Ada, early-stopping: verified; task done; guessed right"
    assert checked.sentence == words
    wrong = check_file(file_of(tmp_path, {**made, "guess": 0}))
    assert wrong.sentence.endswith("guessed wrong")


def test_a_changed_digit_fails(made: dict[str, Any], tmp_path: Path) -> None:
    every = made["numbers"]
    for name in ("accuracy", "lowest_validation_loss", "epochs_to_90", "parameters"):
        value = every[name]
        numbers = {**made["numbers"], name: value * (1 + 1e-6) + 1e-9}
        checked = check_file(file_of(tmp_path, {**made, "numbers": numbers}))
        assert not checked.holds
        assert name in checked.sentence
    for name in ("losses_sha256", "weights_sha256"):
        digest = made[name]
        other = ("1" if digest[0] == "0" else "0") + digest[1:]
        assert not check_file(file_of(tmp_path, {**made, name: other})).holds
    for settings in ("patience=11", "patience=10&seed=1", "patience=10&noise=0.36"):
        assert not check_file(file_of(tmp_path, {**made, "settings": settings})).holds


def test_an_undone_task_is_said(tmp_path: Path) -> None:
    made = hand_in(LESSON, run_of(LESSON.experiment), 0, "")
    checked = check_file(file_of(tmp_path, made))
    assert not checked.holds
    assert "verified; task not done: stopped epoch <= 40" in checked.sentence


def test_another_instruction_set_is_a_matter_of_tolerance(
    made: dict[str, Any], tmp_path: Path
) -> None:
    other = {**made, "instruction_set": "quantum", "weights_sha256": "0" * 64}
    assert check_file(file_of(tmp_path, other)).holds
    numbers = {**made["numbers"], "lowest_validation_loss": 0.5}
    far = check_file(file_of(tmp_path, {**other, "numbers": numbers}))
    assert not far.holds
    assert "can't be verified here" in far.sentence


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "x"}, "no hand-in of thalweg play"),
        ({"version": 2}, "has version 2"),
        ({"guess": "1"}, "guess must be int, got str"),
        ({"guess": True}, "guess must be int, got bool"),
        ({"numbers": {}}, "numbers must be those of a run"),
        ({"numbers": None}, "numbers must be dict"),
    ],
)
def test_a_broken_hand_in_is_refused(
    made: dict[str, Any], tmp_path: Path, change: Any, words: str
) -> None:
    with pytest.raises(FileError, match=words):
        check_file(file_of(tmp_path, {**made, **change}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lesson": "x"}, "there is no lesson"),
        ({"settings": "x=1"}, "no setting 'x'"),
        ({"settings": "epochs=1000000"}, "epochs must be"),
        ({"guess": 9}, "guess must be 0 to 2"),
        ({"settings": "data=table"}, "thalweg play TABLE"),
    ],
)
def test_one_that_cant_be_run_is_not_worth_anything(
    made: dict[str, Any], tmp_path: Path, change: Any, words: str
) -> None:
    checked = check_file(file_of(tmp_path, {**made, **change}))
    assert not checked.holds
    assert words in checked.sentence


def test_files_of_a_folder_come_in_order(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no hand-in"):
        files_in(tmp_path)
    for name in ("b.json", "a.json", "c.txt"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    assert [each.name for each in files_in(tmp_path)] == ["a.json", "b.json"]
    with pytest.raises(FileError, match="nowhere"):
        check_file(tmp_path / "nowhere.json")
    (tmp_path / "a.json").write_text("[" * 50_000, encoding="utf-8")
    with pytest.raises(FileError, match="isn't JSON"):
        check_file(tmp_path / "a.json")
    (tmp_path / "a.json").write_text(" " * 200_000, encoding="utf-8")
    with pytest.raises(FileError, match="at most 100,000 bytes"):
        check_file(tmp_path / "a.json")


def test_a_branch_cant_be_handed_in() -> None:
    run = run_of(LESSON.experiment)
    with pytest.raises(ArgumentError, match="a run from its start"):
        hand_in(LESSON, run.branch(5, replace(LESSON.experiment, seed=2)), 0, "")
