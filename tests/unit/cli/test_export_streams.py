"""``thalweg export --stream``: a network at one time after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import thalweg as tw


def test_a_stream_is_written(thalweg, tmp_path: Path) -> None:
    network = tw.Network([tw.GRU(3), tw.Dense(2)]).initialize((5, 4))
    network.save(tmp_path / "series.thalweg")
    for form, ending in (("python", "py"), ("onnx", "onnx")):
        path = tmp_path / f"series.{ending}"
        result = thalweg(
            "export", tmp_path / "series.thalweg", "--to", form, "--stream"
        )
        assert result.err == f"{form} in {path}\n"
        meant = tmp_path / f"meant.{ending}"
        tw.export(network.stream(), meant)
        assert path.read_bytes() == meant.read_bytes()


def test_what_has_no_stream_is_refused(
    refused: Callable[..., str], model: Path, tmp_path: Path
) -> None:
    told = refused("export", model, "--to", "python", "--stream", status=2)
    assert "--stream is for a network by itself" in told
    network = tw.Network([tw.Bidirectional(tw.GRU(3))]).initialize((5, 4))
    network.save(tmp_path / "both.thalweg")
    told = refused(
        "export", tmp_path / "both.thalweg", "--to", "python", "--stream", status=2
    )
    assert "layer 1, Bidirectional(GRU(3)): a stream gives" in told
