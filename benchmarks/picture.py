"""The figures as a picture: a bar for each contender, on a logarithmic axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FAMILIES = {  # colors of Okabe and Ito, doubled by a hatch
    "thalweg": ("#0072B2", ""),
    "PyTorch": ("#D55E00", "//"),
    "JAX": ("#009E73", ".."),
    "scikit-learn": ("#E69F00", "xx"),
    "Keras": ("#CC79A7", "\\\\"),
    "thalweg's ways": ("#56B4E9", "--"),
}
COLUMNS = 3
BAR = 0.21  # inches


def draw(figures: dict[str, Any], folder: Path) -> None:
    """Write benchmarks.svg and benchmarks.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    tasks = list(figures["tasks"].values())
    columns = min(COLUMNS, len(tasks))
    lines = [tasks[i : i + columns] for i in range(0, len(tasks), columns)]
    heights = [max(len(t["contenders"]) for t in line) * BAR + 1.3 for line in lines]
    figure = plt.figure(
        figsize=(5.6 * columns, sum(heights) + 0.8), layout="constrained"
    )
    grid = figure.add_gridspec(len(lines), columns, height_ratios=heights)
    with mpl.rc_context({"hatch.linewidth": 0.6, "font.size": 8}):
        for row, line in enumerate(lines):
            for column, task in enumerate(line):
                draw_task(figure.add_subplot(grid[row, column]), task)
        handles = legend(families(tasks))
        figure.legend(
            handles=handles, loc="outside lower center", ncols=3 if columns == 1 else 7
        )
        figure.suptitle(f"Time of a step or call: {figures['machine']['processor']}")
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"benchmarks.{suffix}", dpi=110)
    plt.close(figure)


def draw_task(axes: Any, task: dict[str, Any]) -> None:
    """One task, the fastest on top; numbers are microseconds and times thalweg's."""
    rows = sorted(task["contenders"].items(), key=lambda each: -each[1]["microseconds"])
    for place, (_, row) in enumerate(rows):
        color, hatch = FAMILIES[row["family"]]
        time = row["microseconds"]
        axes.barh(place, time, color=color, hatch=hatch, edgecolor="white", height=0.8)
        text = f" {number(time)} µs, {row['times_thalweg']:.2g}×"
        axes.text(time, place, text, va="center", fontsize=7)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=7)
    for label in axes.get_yticklabels():
        label.set_weight("bold" if label.get_text() == "thalweg" else "normal")
    axes.set_xscale("log")
    times = [row["microseconds"] for _, row in rows] + [task["floor_microseconds"]]
    axes.set_xlim(min(times) / 1.6, max(times) * (max(times) / min(times)) ** 0.45 * 2)
    axes.axvline(
        task["floor_microseconds"], color="black", linestyle=":", linewidth=1.2
    )
    axes.set_title(task["title"], fontsize=9, loc="left")
    axes.set_xlabel(f"microseconds {task['unit']}, logarithmic", fontsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def number(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def families(tasks: list[dict[str, Any]]) -> list[str]:
    """Those that are in the picture, in the order of their colors."""
    there = {row["family"] for task in tasks for row in task["contenders"].values()}
    return [family for family in FAMILIES if family in there]


def legend(shown: list[str]) -> list[Any]:
    """A handle for each family, and for the floor."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    patches: list[Any] = [
        Patch(
            facecolor=FAMILIES[family][0],
            hatch=FAMILIES[family][1],
            edgecolor="white",
            label=family,
        )
        for family in shown
    ]
    label = "floor (arithmetic, memory)"
    return [*patches, Line2D([], [], color="black", linestyle=":", label=label)]
