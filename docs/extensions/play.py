"""The fence `play`: a lesson's run in a page, to be played there.

    ```{play} early-stopping
    ```

The run is recorded when the pages are built. Where scripts are off, its learning curves
stand there as a picture.
"""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from thalweg.figures.learning_curves import data_of, plot
from thalweg.figures.svg import svg_element
from thalweg.playground.lessons import Lesson, lesson_named
from thalweg.playground.rows import data_of as rows_of
from thalweg.playground.run import Run

KEPT = Path(__file__).parents[1] / "_build" / "plays"
SERVED = "_static/plays"
UNIT = "unit of the target"


class Play(SphinxDirective):
    """A lesson's run, if figures are drawn; else nothing."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The frame that plays it, and the picture beside."""
        lesson = lesson_named(self.arguments[0])
        if not self.config.draw_figures:
            return []
        page, still = recorded(lesson)
        up = "../" * self.env.docname.count("/")
        title = escape(f"A run of the lesson “{lesson.title}”", quote=True)
        html = (
            f'<figure class="play"><iframe src="{up}{SERVED}/{page.name}" '
            f'title="{title}" loading="lazy" sandbox="allow-scripts"></iframe>'
            f'<div class="drawing still" role="img" aria-label="{title}">'
            f"{still.read_text(encoding='utf-8')}</div>"
            f"<figcaption>A recorded run of the engine: play it, drag the cursor, "
            f"choose a unit. To change its settings: <code>thalweg play {lesson.name}"
            "</code></figcaption></figure>"
        )
        return [nodes.raw("", html, format="html")]


def recorded(lesson: Lesson) -> tuple[Path, Path]:
    """The page and the picture of a lesson's run, made where they don't lie yet."""
    page, still = KEPT / f"{lesson.name}.html", KEPT / f"{lesson.name}.svg"
    if not (page.exists() and still.exists()):
        KEPT.mkdir(parents=True, exist_ok=True)
        run = Run(lesson.experiment, rows_of(lesson.experiment))
        run.recording().save(page)
        data = data_of(run.network.history, lesson.title, run.data.source, UNIT)
        still.write_text(
            svg_element(f"play-{lesson.name}", lambda: plot(data)), encoding="utf-8"
        )
    return page, still


def give_pages(app: Sphinx, error: Exception | None) -> None:
    """Put the recorded pages among the files of the site."""
    if error is None and KEPT.exists() and app.config.draw_figures:
        shutil.copytree(KEPT, Path(app.outdir) / SERVED, dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls first."""
    app.add_directive("play", Play)
    app.connect("build-finished", give_pages)
    return {"parallel_read_safe": True}
