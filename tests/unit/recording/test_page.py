"""The page of a recording in a browser shows what the engine gave."""

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

import thalweg as tw
from support.browser import Tab
from support.shown import array, go, numbers, show, text, violations, wait
from thalweg.recording.recording import Recording

BAD = '"><script>window.ran = 1</script>'


def recorded(task: str) -> Recording:
    X = np.random.default_rng(1).normal(size=(60, 2)).astype(np.float32)
    ring = X[:, 0] ** 2 + X[:, 1] ** 2
    how: dict[str, Any] = {"optimizer": tw.Adam(0.05), "epochs": 12, "batch_size": 8}
    hidden = [tw.Dense(5, "tanh"), tw.Dropout(0.2), tw.Dense(4, "relu")]
    match task:
        case "binary":
            last, y = tw.Dense(1, "sigmoid"), (ring > 1).astype(int)
            how["early_stopping"] = tw.EarlyStopping(patience=2)
        case "classes":
            last, y = tw.Dense(3, "softmax"), np.digitize(ring, [0.7, 2.0])
            how |= {"classes": [f"low {BAD}", "middle", "high"], "title": f"x {BAD}"}
        case "numbers":
            last, y = tw.Dense(1), ring
        case _:
            last, y = tw.Dense(1), 10 * ring
            how |= {"optimizer": tw.SGD(3.0), "batch_size": 60}
            hidden = [tw.Dense(5, "relu")]
    return tw.record(tw.Network([*hidden, last]), X, y, row=7, **how)


RECORDINGS = ("binary", "classes", "numbers", "diverged")
Made = Callable[[str], tuple[Recording, Path]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Recordings by their task, each made once, and their files."""
    folder, kept = tmp_path_factory.mktemp("recordings"), {}

    def of(task: str) -> tuple[Recording, Path]:
        if task not in kept:
            recording = recorded(task)
            kept[task] = recording, recording.save(folder / f"{task}.html")
        return kept[task]

    return of


@pytest.mark.parametrize("task", RECORDINGS)
def test_the_page_has_every_array_to_the_bit(tab: Tab, made: Made, task: str) -> None:
    recording, page = made(task)
    show(tab, page)
    for name, frames in {**recording.frames, **recording.fixed}.items():
        given = array(tab, name)
        np.testing.assert_array_equal(given, frames.astype(float).ravel(), name)


@pytest.mark.parametrize("task", RECORDINGS)
def test_the_numbers_that_are_read_are_the_engines(
    tab: Tab, made: Made, task: str
) -> None:
    recording, page = made(task)
    show(tab, page)
    for frame in sorted({0, 1, len(recording) // 2, len(recording) - 1}):
        go(tab, frame=frame)
        own = {name: each[frame] for name, each in recording.frames.items()}
        assert text(tab, "#m-epoch") == str(frame)
        for part in ("training", "validation"):
            loss = own[f"{part}_loss"]
            shown = text(tab, f"#m-{part}")
            if np.isfinite(loss):
                near: dict[str, Any] = (
                    {"abs": 6e-4} if abs(loss) < 1000 else {"rel": 0.05}
                )
                assert numbers(shown)[0] == pytest.approx(loss, **near)
            else:
                assert shown == "–"
        metric = own["validation_metric"]
        if np.isfinite(metric):
            percent = 1 if task in ("numbers", "diverged") else 100
            shown = numbers(text(tab, "#m-metric"))[0]
            near: dict[str, Any] = (
                {"abs": 0.06} if abs(metric) < 1000 else {"rel": 0.05}
            )
            assert shown == pytest.approx(percent * metric, **near)


def unit_numbers(recording: Recording, frame: int, unit: int) -> tuple[Any, ...]:
    """z, a, slope of a unit of the followed row."""
    return tuple(
        float(recording.frames[f"row.{name}"][frame][unit])
        for name in ("z", "a", "slope")
    )


def test_a_unit_shows_its_sum_its_output_and_its_slope(tab: Tab, made: Made) -> None:
    recording, page = made("binary")
    show(tab, page)
    parameters = recording.frames["parameters"]
    for frame, unit in ((0, 0), (3, 4), (7, 6), (12, 9)):
        go(tab, frame=frame, unit=unit, detail="unit")
        shown = numbers(text(tab, "#panel-detail .formula"))
        z, a, slope = unit_numbers(recording, frame, unit)
        assert shown[0] == pytest.approx(z, abs=6e-3)
        assert shown[-2:] == [
            pytest.approx(a, abs=6e-3),
            pytest.approx(slope, abs=6e-3),
        ]
    go(tab, frame=5, unit=0)
    weights = parameters[5][[0, 5]]  # of (2, 5)
    x = recording.fixed["training.X"][7]
    terms = [numbers(each)[-1] for each in tab.page.locator(".term").all_inner_texts()]
    bias = parameters[5][10]
    np.testing.assert_allclose(terms, [*(weights * x), bias], atol=6e-3)


def test_backpropagation_shows_every_slope_beside_its_difference(
    tab: Tab, made: Made
) -> None:
    recording, page = made("binary")
    show(tab, page)
    for frame, unit in ((0, 1), (6, 9)):
        go(tab, frame=frame, unit=unit, detail="backpropagation")
        rows = tab.page.locator("#panel-detail tbody tr").all_inner_texts()
        layer = next(
            each
            for each, end in zip(recording.document["layers"], (5, 9, 10), strict=True)
            if unit < end
        )
        first = {1: 0, 3: 5, 4: 9}[layer["number"]]
        at = layer["weights"]["start"] + (unit - first)
        places = [at + i * layer["units"] for i in range(layer["inputs"])]
        places.append(layer["bias"]["start"] + unit - first)
        assert len(rows) == 3  # the third is a step of SGD
        for row, name in zip(rows, ("gradient", "difference"), strict=False):
            told = [numbers(cell)[-1] for cell in row.split("\t")[1:]]
            own = recording.frames[f"row.{name}"][frame][places]
            np.testing.assert_allclose(told, own, rtol=6e-3, atol=1e-9)
        delta = float(recording.frames["row.delta"][frame][unit])
        words = text(tab, "#panel-detail .formula")
        assert numbers(words)[-1] == pytest.approx(delta, abs=6e-5)
        assert "agree" in text(tab, "#panel-detail .note")


def test_the_map_is_drawn_of_the_networks_outputs(tab: Tab, made: Made) -> None:
    recording, page = made("binary")
    show(tab, page)
    for frame in (0, 12):
        go(tab, frame=frame, result="prediction")
        pixels = np.array(
            tab.ask("""(() => {
              const canvas = document.querySelector(".map canvas");
              const size = canvas.width;
              return [...canvas.getContext("2d").getImageData(0, 0, size, size).data];
            })()""")
        ).reshape(-1, 4)
        values = recording.frames["map"][frame].ravel()
        assert len(pixels) == len(values)
        # One color for each value: pixels of one value are alike, and those of
        # others differ in the order of the ramp, from orange to blue.
        blueness = pixels[:, 2].astype(int) - pixels[:, 0]
        order = np.argsort(values, kind="stable")
        assert (np.diff(blueness[order]) >= -2).all()
        for value in np.unique(values)[:40]:
            assert len(np.unique(pixels[values == value], axis=0)) == 1


@pytest.mark.parametrize("task", RECORDINGS)
def test_one_file_asks_for_nothing(tab: Tab, made: Made, task: str) -> None:
    _, page = made(task)
    show(tab, page)
    for number in "123456789":
        tab.page.keyboard.press(number)
    assert tab.asked_for() == [page.resolve().as_uri()]
    assert tab.complaints == []
    assert tab.ask("window.ran === undefined")


def test_it_plays_in_the_frame_of_a_notebook(
    tab: Tab, made: Made, tmp_path: Path
) -> None:
    recording, _ = made("binary")
    outside = tmp_path / "notebook.html"
    outside.write_text(f"<main>{recording._repr_html_()}</main>", encoding="utf-8")
    tab.open(outside)
    frame = tab.page.frame_locator("iframe")
    frame.locator("#play").click()
    frame.locator("#m-epoch").get_by_text("12", exact=True).wait_for()
    assert tab.complaints == []


@pytest.mark.parametrize("task", RECORDINGS)
def test_no_text_is_of_a_number_that_is_none(tab: Tab, made: Made, task: str) -> None:
    recording, page = made(task)
    show(tab, page)
    for frame in (0, len(recording) - 1):
        for detail in ("unit", "backpropagation", "formulas", "python"):
            go(tab, frame=frame, detail=detail)
            everything = tab.ask("document.documentElement.outerHTML")
            shown = everything.replace(tab.ask("document.scripts[1].outerHTML"), "")
            words = tab.ask("document.body.innerText")
            for none in ("NaN", "undefined", "Infinity"):
                assert none not in words
            assert 'd="NaN' not in shown
    if task == "diverged":
        go(tab, frame=len(recording) - 1, result="prediction")
        assert "It diverged." in text(tab, "#result")
        assert "at learning rate 3" in text(tab, "#result")


@pytest.mark.parametrize("locale", ["de-DE", "en-US", "ar-EG"])
def test_numbers_are_the_same_in_every_language(
    chromium: Browser, made: Made, locale: str
) -> None:
    _, page = made("numbers")
    told: list[str] = []
    for language in ("en-GB", locale):
        context = chromium.new_context(locale=language)
        tab = Tab(context)
        show(tab, page)
        go(tab, frame=5, detail="backpropagation")
        told.append(tab.ask("document.body.innerText"))
        context.close()
    assert told[0] == told[1]


# For everybody ------------------------------------------------------------------------


@pytest.mark.parametrize("task", RECORDINGS)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True), (1280, True)])
def test_axe_finds_nothing(
    tab: Tab, made: Made, task: str, width: int, dark: bool
) -> None:
    _, page = made(task)
    show(tab, page, width, dark)
    buttons = tab.page.locator("#columns button")
    for column in range(3 if width == 390 else 1):
        if width == 390:
            buttons.nth(column).click()
        assert violations(tab) == []
        assert tab.ask("document.documentElement.scrollWidth") <= width
    if width == 1280 and not dark and task in ("classes", "diverged"):
        for detail in ("backpropagation", "formulas", "python"):
            go(tab, detail=detail, result="landscape")
            assert violations(tab) == []
        for key in "d?":
            tab.page.keyboard.press(key)
            assert violations(tab) == []
            tab.page.keyboard.press("Escape")


def test_the_whole_tour_by_keyboard(tab: Tab, made: Made) -> None:
    recording, page = made("binary")
    show(tab, page)
    press, end = tab.page.keyboard.press, len(recording) - 1
    frame = "window.thalweg.state.choice.frame"
    for key, expected in (
        *(("Home", 0), ("ArrowRight", 1), ("Shift+ArrowRight", 11), ("End", end)),
        *(("ArrowLeft", end - 1), ("r", 0), ("g", recording.document["best_epoch"])),
    ):
        press(key)
        assert tab.ask(frame) == expected, key
    press("Home")
    press("Space")
    wait(tab, f"{frame} > 2")
    press("Space")
    stood = tab.ask(frame)
    tab.page.wait_for_timeout(300)
    assert tab.ask(frame) == stood
    for number, name in enumerate(("unit", "backpropagation", "formulas", "python"), 1):
        press(str(number))
        assert tab.ask("window.thalweg.state.choice.detail") == name
    theme = "document.documentElement.dataset.theme"
    before = tab.ask(theme)
    press("t")
    assert tab.ask(theme) != before
    for key, dialog in (("d", "numbers"), ("?", "keys")):
        press(key)
        assert tab.ask(f"document.getElementById('{dialog}').open")
        press("Escape")
        assert not tab.ask(f"document.getElementById('{dialog}').open")


def test_every_control_is_reached_by_tab_and_shows_that_it_is(
    tab: Tab, made: Made
) -> None:
    _, page = made("binary")
    show(tab, page)
    wanted = {"restart", "back", "play", "forward", "speed", "theme", "open-keys"}
    wanted |= {"open-numbers", "scrub", "tab-unit"}
    seen: set[str] = set()
    outlined = "getComputedStyle(document.activeElement).outline"
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        seen.add(
            tab.ask("document.activeElement.id || document.activeElement.className")
        )
        if tab.ask("document.activeElement !== document.body"):
            assert re.search(r"solid 2px", tab.ask(outlined)), tab.ask(outlined)
    assert wanted | {"unit"} <= seen


def test_slider_and_buttons_move_through_the_epochs(tab: Tab, made: Made) -> None:
    recording, page = made("binary")
    show(tab, page)
    tab.page.fill("#scrub", "5")
    for button, expected in (
        *((None, 5), ("#back", 4), ("#forward", 5), ("#forward", 6), ("#restart", 0)),
        *(("#back", 0),),
    ):
        if button is not None:
            tab.page.click(button)
        loss = recording.frames["training_loss"][expected]
        assert text(tab, "#m-epoch") == str(expected)
        shown = numbers(text(tab, "#m-training"))[0]
        assert shown == pytest.approx(loss, abs=6e-4)


def test_arrows_walk_the_units(tab: Tab, made: Made) -> None:
    _, page = made("binary")
    show(tab, page)
    go(tab, unit=0)
    tab.page.locator("[data-unit='0']").focus()
    unit = "window.thalweg.state.choice.unit"
    for key, expected in (
        *(("ArrowDown", 1), ("ArrowRight", 6), ("ArrowUp", 5), ("ArrowUp", 5)),
        *(("ArrowRight", 9), ("ArrowLeft", 5), ("ArrowLeft", 0)),
    ):
        tab.page.keyboard.press(key)
        assert tab.ask(unit) == expected
        assert tab.ask("document.activeElement.dataset.unit") == str(expected)


def test_who_wants_less_motion_gets_none(chromium: Browser, made: Made) -> None:
    _, page = made("binary")
    context = chromium.new_context(reduced_motion="reduce")
    tab = Tab(context)
    show(tab, page)
    moving = """[...document.querySelectorAll("*")].filter(each => {
      const style = getComputedStyle(each);
      return parseFloat(style.transitionDuration) > 0 || style.animationName !== "none";
    }).length"""
    assert tab.ask(moving) == 0
    context.close()


def test_the_page_of_a_recording_is_small() -> None:
    """What a recording has of it: the modules of ``live`` stay with the server."""
    page = files("thalweg.recording.page")
    kinds = (".js", ".css", ".html")
    every = [each for each in page.iterdir() if each.name.endswith(kinds)]
    assert sum(len(each.read_bytes()) for each in every) <= 120_000
