"""``thalweg train`` with checkpoints, --resume and logs."""

import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.files.modelfile import read_model

QUICK = ("--layers", "8", "--epochs", "6", "--dropout", "0.1", "--quiet")
SPECIES = ("train", "penguins.csv", "--target", "species")
# A run that is long enough to be stopped in.
LONG = ("--layers", "64,64", "--epochs", "1000000", "--patience", "1000000")


def without_seconds(path: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """All of a model file but how long each epoch took."""
    tensors, document = read_model(path)
    del tensors["times"]
    return {name: array.tobytes() for name, array in tensors.items()}, document


def stopped_copy(folder: Path, step: int) -> None:
    """The folder as a process left it that was killed after a checkpoint."""
    pointer = json.loads((folder / "latest.json").read_text())
    kept = [e for e in pointer["checkpoints"] if e["file"] == f"step-{step}.thalweg"]
    assert kept
    (folder / "latest.json").write_text(json.dumps({**pointer, "checkpoints": kept}))


def test_a_resumed_run_saves_the_file_of_the_whole_run(thalweg) -> None:
    """Apart from seconds; on another number of threads, with what died swept."""
    assert thalweg(*SPECIES, *QUICK, "-o", "whole.thalweg").status == 0
    options = ("--checkpoint", "run", "-o", "part.thalweg", "--threads", 1)
    assert thalweg(*SPECIES, *QUICK, *options).status == 0
    assert without_seconds(Path("part.thalweg")) == without_seconds(
        Path("whole.thalweg")
    )
    stopped_copy(Path("run"), 35)  # 7 steps an epoch
    Path("part.thalweg").unlink()
    result = thalweg("train", "--resume", "run", "--threads", 2)
    assert result.status == 0
    assert "goes on after epoch 5" in result.err
    assert "6/6" in result.err
    assert "5/6" not in result.err
    assert without_seconds(Path("part.thalweg")) == without_seconds(
        Path("whole.thalweg")
    )


def test_from_python_the_same(thalweg) -> None:
    thalweg(*SPECIES, *QUICK, "-o", "whole.thalweg")
    settings: dict[str, Any] = {"layers": (8,), "epochs": 6, "dropout": 0.1}

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 3:
            raise KeyboardInterrupt

    tw.train(
        "penguins.csv",
        "species",
        checkpoint=tw.Checkpoint("run"),
        callback=stop,
        **settings,
    )
    resumed = tw.resume("run", threads=3)
    assert not isinstance(resumed, tw.Network)
    resumed.model.save("part.thalweg")
    assert without_seconds(Path("part.thalweg")) == without_seconds(
        Path("whole.thalweg")
    )


def begun_run(folder: Path, *options: str) -> subprocess.Popen[str]:
    """A run that has finished its first epoch."""
    process = subprocess.Popen(
        [sys.executable, "-m", "thalweg", *SPECIES, *LONG, *options],
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any("1/1000000" in line for line in lines)
    return process


def test_sigterm_checkpoints_says_so_and_ends_with_143(thalweg, tmp_path: Path) -> None:
    process = begun_run(tmp_path, "--checkpoint", "run", "--checkpoint-epochs", "50")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "Saved" not in out
    last = err.strip().splitlines()[-1]
    newest = json.loads(Path("run/latest.json").read_text())["checkpoints"][0]
    assert last.startswith(f"terminated; run/{newest['file']} holds the run")
    assert "thalweg train --resume run" in last
    assert not Path("penguins.thalweg").exists()


def test_a_closed_terminal_checkpoints(thalweg, tmp_path: Path) -> None:
    """What can't be shown any more doesn't end the run another way."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "thalweg", *SPECIES, *LONG, "--checkpoint", "run"]
    with subprocess.Popen(
        [*command, "--checkpoint-epochs", "50"],
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
        **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
    ) as process:
        os.close(theirs)
        shown = b""
        while b"1/1000000" not in shown:
            shown += os.read(ours, 4096)
        os.close(ours)
        assert process.wait(60) == 129
    newest = json.loads(Path("run/latest.json").read_text())["checkpoints"][0]
    assert newest["file"] != "step-0.thalweg"


def test_without_a_checkpoint_sigterm_ends_at_once(thalweg, tmp_path: Path) -> None:
    process = begun_run(tmp_path)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM


def test_ctrl_c_saves_the_network_and_the_run(thalweg, tmp_path: Path) -> None:
    process = begun_run(tmp_path, "--checkpoint", "run", "--checkpoint-epochs", "50")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "to go on: thalweg train --resume run" in err
    assert Path("penguins.thalweg").exists()
    assert Path("run/latest.json").exists()


def test_data_that_changed_is_refused(thalweg, refused) -> None:
    thalweg(*SPECIES, *QUICK, "--checkpoint", "run")
    table = Path("penguins.csv")
    table.write_text(table.read_text().replace("39.1", "39.2", 1))
    said = refused("train", "--resume", "run", status=1)
    assert "penguins.csv: must be the table that the run in run/step" in said
    assert "its content was changed" in said
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    assert "has 343 rows, it had 344" in refused("train", "--resume", "run", status=1)


def test_data_that_moved_may_be_given(thalweg, refused) -> None:
    thalweg(*SPECIES, *QUICK, "--checkpoint", "run")
    shutil.move("penguins.csv", "birds.csv")
    said = refused("train", "--resume", "run", status=1)
    assert "there is no such file any more" in said
    assert thalweg("train", "birds.csv", "--resume", "run", "-q").status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--resume", "run", "--epochs", 3), "--epochs must be left out with --resume"),
        (("--resume", "run", "-t", "sex"), "--target must be left out with --resume"),
        (("--resume", "run", "--checkpoint", "b"), "--checkpoint must be left out"),
        (("penguins.csv", "-t", "sex", "--checkpoint-minutes", 2), "must come with"),
        (("penguins.csv", "-t", "sex", "--checkpoint-epochs", 2), "must come with"),
        (
            (
                "penguins.csv",
                "-t",
                "sex",
                "--checkpoint",
                "b",
                "--checkpoint-epochs",
                0,
            ),
            "--checkpoint-epochs must be a whole number",
        ),
        (
            (
                "penguins.csv",
                "-t",
                "sex",
                "--checkpoint",
                "b",
                "--checkpoint-minutes",
                0,
            ),
            "--checkpoint-minutes must be a number greater",
        ),
        (
            ("penguins.csv", "-t", "sex", "--log", "penguins.csv"),
            "--log must be a file",
        ),
        ((), "DATA must be given"),
    ],
)
def test_options_that_do_not_go_together(refused, arguments: Any, said: str) -> None:
    assert said in refused("train", *arguments, status=2)


def test_a_run_of_a_network_alone_is_for_python(refused) -> None:
    network = tw.Network([tw.Dense(1)])
    X = np.linspace(0, 1, 20).reshape(-1, 1)
    network.fit(X, X, epochs=1, checkpoint=tw.Checkpoint("run"))
    said = refused("train", "--resume", "run", status=2)
    assert "thalweg.resume goes on with it in Python" in said


def test_a_folder_that_cannot_be_resumed(thalweg, refused) -> None:
    assert "nowhere" in refused("train", "--resume", "nowhere", status=1)
    Path("empty").mkdir()
    assert "holds no checkpoint" in refused("train", "--resume", "empty", status=1)


def test_an_unfinished_run_is_not_written_over(thalweg, refused) -> None:
    thalweg(*SPECIES, *QUICK, "--checkpoint", "run")
    stopped_copy(Path("run"), 35)
    again = (*SPECIES, *QUICK, "--checkpoint", "run")
    assert "isn't finished: resume it" in refused(*again, status=1)


def test_a_folder_without_its_pointer_is_refused_and_its_newest_file_is_resumed(
    thalweg, refused
) -> None:
    assert thalweg(*SPECIES, *QUICK, "-o", "whole.thalweg").status == 0
    thalweg(*SPECIES, *QUICK, "--checkpoint", "run")
    stopped_copy(Path("run"), 35)
    Path("run/step-42.thalweg").unlink()
    Path("run/latest.json").unlink()
    for command in ((*SPECIES, *QUICK, "--checkpoint"), ("train", "--resume")):
        said = refused(*command, "run", status=1)
        assert "run/step-35.thalweg is the newest whole one: resume that" in said
    assert os.listdir("run") == ["step-35.thalweg"]
    assert thalweg("train", "--resume", "run/step-35.thalweg", "-q").status == 0
    assert without_seconds(Path("penguins.thalweg")) == without_seconds(
        Path("whole.thalweg")
    )


def test_a_checkpoint_that_fails_is_a_warning(
    thalweg, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, calls = os.fsync, []

    def full(fd: int) -> None:
        calls.append(fd)
        if 8 < len(calls) < 12:
            raise OSError(28, "No space left on device")
        fsync(fd)

    monkeypatch.setattr(os, "fsync", full)
    result = thalweg(*SPECIES, *QUICK, "--checkpoint", "run")
    assert result.status == 0
    assert result.err.startswith("warning: no checkpoint could be written")
    assert "No space left" in result.err
    assert Path("penguins.thalweg").exists()


def test_logs_hold_every_epoch(thalweg) -> None:
    options = ("--log", "log.jsonl", "--tensorboard", "runs")
    assert thalweg(*SPECIES, *QUICK, *options).status == 0
    lines = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["start", *["epoch"] * 6, "end"]
    assert len(list(Path("runs").iterdir())) == 1
