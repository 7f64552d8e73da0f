"""The command line called in this process, in a folder of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import thalweg as tw
from thalweg.cli import run

PENGUINS = Path(__file__).parents[3] / "examples" / "penguins.csv"


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


Command = Callable[..., Result]


@pytest.fixture
def thalweg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THALWEG_DEBUG", raising=False)
    (tmp_path / "penguins.csv").write_bytes(PENGUINS.read_bytes())

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        status = run([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return call


@pytest.fixture
def refused(thalweg: Command) -> Callable[..., str]:
    """The command's one line of error; there must be no output beside it."""

    def call(*arguments: object, status: int) -> str:
        result = thalweg(*arguments)
        assert result.status == status, result.err
        assert result.out == ""
        assert result.err.startswith("error: ")
        assert result.err.count("\n") == 1
        return result.err

    return call


@pytest.fixture(scope="session")
def model_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "penguins.thalweg"
    trained = tw.train(PENGUINS, "species", layers=(16,), epochs=20)
    trained.model.save(path)
    return path.read_bytes()


@pytest.fixture
def model(thalweg: Command, tmp_path: Path, model_bytes: bytes) -> Path:
    """A model of the penguins, in the folder in which commands run."""
    path = tmp_path / "saved.thalweg"
    path.write_bytes(model_bytes)
    return path
