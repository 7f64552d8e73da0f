import io

import pytest

from thalweg.model.history import EpochRecord
from thalweg.training.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def record(epoch: int, validation_loss: float | None = None) -> EpochRecord:
    metrics = {"accuracy": 0.5 + epoch / 1000}
    return EpochRecord(epoch, 1 / epoch, validation_loss, metrics, {}, 0.1, 0.1)


def rows_of(text: str) -> list[str]:
    """The lines that name an epoch."""
    return [line for line in text.splitlines() if "/" in line]


def shown(stream: io.StringIO, epochs: int, stopped: int) -> str:
    progress = Progress(epochs, stream)
    for epoch in range(1, stopped + 1):
        progress(record(epoch, 1 / epoch))
    progress.close()
    return stream.getvalue()


@pytest.mark.parametrize(("epochs", "stopped"), [(200, 200), (200, 37), (3, 3), (1, 1)])
def test_a_file_gets_a_few_plain_lines_the_first_and_the_last_among_them(
    epochs: int, stopped: int
) -> None:
    text = shown(io.StringIO(), epochs, stopped)
    lines = rows_of(text)
    assert "\x1b" not in text
    assert "\r" not in text
    assert 1 <= len(lines) <= 25
    assert f"1/{epochs}" in lines[0]
    assert f"{stopped}/{epochs}" in lines[-1]
    assert len(set(lines)) == len(lines)


def test_a_terminal_gets_every_epoch_on_one_line() -> None:
    text = shown(Terminal(), 50, 50)
    lines = rows_of(text)
    assert len(lines) == 50
    assert sum("\x1b[2K" in line for line in lines) == 49
    assert text.endswith("\n")


def test_both_losses_the_metric_and_the_best_epoch_are_shown() -> None:
    stream = io.StringIO()
    progress = Progress(4, stream)
    for epoch, loss in enumerate([0.8125, 0.4375, 0.6875, 0.9375], 1):
        progress(record(epoch, loss))
    progress.close()
    header, *lines = stream.getvalue().splitlines()
    for name in ("training loss", "validation loss", "accuracy", "best epoch"):
        assert name in header
    for part in ("0.2500", "0.9375", "0.5040"):
        assert part in lines[-1]
    assert [line.split()[-1] for line in lines] == ["1", "2", "2", "2"]


def test_without_validation_rows_there_is_no_such_loss() -> None:
    stream = io.StringIO()
    Progress(1, stream)(record(1))
    assert "validation" not in stream.getvalue()


def test_nothing_is_shown_of_a_run_without_epochs() -> None:
    stream = Terminal()
    Progress(5, stream).close()
    assert rows_of(stream.getvalue()) == []


def test_standard_error_is_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(1)(record(1))
    captured = capsys.readouterr()
    assert "1/1" in captured.err
    assert captured.out == ""
