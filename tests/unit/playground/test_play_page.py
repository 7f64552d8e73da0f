"""`thalweg play` in a browser: what the page says is what the engine did."""

import hashlib
import json
import re
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from support.browser import Tab
from support.shown import array, go, numbers, show, text, violations, wait
from thalweg.network import Network
from thalweg.playground.conversation import Conversation
from thalweg.playground.experiment import Experiment, Hidden
from thalweg.playground.hand_in import check_file
from thalweg.playground.lessons import lesson_named
from thalweg.playground.library import Library
from thalweg.playground.many import SEEDS, curves
from thalweg.playground.rows import data_of
from thalweg.playground.run import Run
from thalweg.playground.server import PageServer
from thalweg.playground.table import OwnTable
from thalweg.tabular.settings import Settings

SHORT = Experiment(epochs=60, noise=0.4, patience=6, layers=(Hidden(6), Hidden(4)))
OVER = "window.thalweg.live.over && window.thalweg.recording.frames > 60"


class Played:
    """A page of a server, the server, and what answers the page."""

    def __init__(self, chromium: Browser) -> None:
        self.talks: list[Conversation] = []
        self.start, self.library = SHORT, Library()
        self.lesson: Any = None
        self.context = chromium.new_context(accept_downloads=True)
        self.server = PageServer(self._begin)
        self.server.__enter__()
        self.tab = Tab(self.context)

    def _begin(self) -> Conversation:
        self.talks.append(Conversation(self.start, self.library, self.lesson))
        return self.talks[-1]

    def open(self, start: Experiment = SHORT, width: int = 1280, **more: Any) -> Tab:
        """The page anew, with an experiment."""
        self.start, self.lesson = start, more.pop("lesson", None)
        self.library = more.pop("library", None) or Library()
        self.tab.open("about:blank")
        show(self.tab, self.server.address, width, **more)
        return self.tab

    @property
    def run(self) -> Run:
        """The run that the page shows."""
        assert self.talks[-1].run is not None
        return self.talks[-1].run

    def to_end(self) -> None:
        """Play to the end."""
        self.tab.page.keyboard.press("End")
        wait(self.tab, OVER)

    def close(self) -> None:
        """End the page, and its server."""
        self.context.close()
        self.server.__exit__(None, None, None)


@pytest.fixture(scope="module")
def played(chromium: Browser) -> Generator[Played]:
    made = Played(chromium)
    yield made
    made.close()


def weights_at(run: Run, epoch: int) -> bytes:
    return run.film.frames[epoch]["parameters"].tobytes()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def shown_weights(tab: Tab, epoch: int) -> bytes:
    """The weights of a frame, as the page has them."""
    given = tab.ask(f"Array.from(window.thalweg.recording.at('parameters', {epoch}))")
    return np.array(given, np.float32).tobytes()


# The twelve ---------------------------------------------------------------------------


def test_1_as_python_executed_gives_the_pages_weights(played: Played) -> None:
    tab = played.open()
    played.to_end()
    go(tab, detail="python")
    names: dict[str, Any] = {}
    exec(text(tab, "#panel-detail pre"), names)
    network: Network = names["network"]
    best = tab.ask("window.thalweg.recording.told.best_epoch")
    assert sha(network.memory.parameters.tobytes()) == sha(shown_weights(tab, best))
    assert tab.ask("window.thalweg.recording.told.sha256") == sha(
        shown_weights(tab, best)
    )


def test_2_scrubbing_back_and_on_gives_the_same_weights(played: Played) -> None:
    tab = played.open()
    played.to_end()
    last = sha(shown_weights(tab, 60))
    tab.page.evaluate("document.getElementById('scrub').value = 40")
    tab.page.dispatch_event("#scrub", "input")
    assert text(tab, "#m-epoch") == "40"
    tab.page.click("#tools button:has-text('From here')")
    change(tab, "learning_rate", "0.02000001")  # nearly nothing, and yet another run
    wait(tab, "window.thalweg.recording.frames === 41")
    change(tab, "learning_rate", "0.02")
    wait(tab, "window.thalweg.live.experiment.learning_rate === 0.02")
    played.to_end()
    assert sha(shown_weights(tab, 60)) == last
    assert sha(weights_at(played.run, 60)) == last


def change(tab: Tab, name: str, value: str) -> None:
    """Type a setting."""
    tab.page.fill(f"#set-{name}", value)
    tab.page.keyboard.press("Enter")
    tab.page.evaluate("document.activeElement.blur()")


def test_3_the_best_weights_come_back_and_the_test_opens_once(played: Played) -> None:
    tab = played.open()
    played.to_end()
    best = tab.ask("window.thalweg.recording.told.best_epoch")
    stop = tab.ask("window.thalweg.recording.told.stopped_epoch")
    assert 0 < best < stop < 60
    own = played.run.network.memory.parameters.tobytes()
    assert shown_weights(tab, best) == own
    tab.page.click(".seal button")
    wait(tab, "document.querySelector('.seal p').textContent.includes('200')")
    scores = played.run.network.evaluate(*data_of(SHORT).test)
    told = numbers(text(tab, ".seal p"))
    assert told[0] == 200
    assert told[1] == pytest.approx(scores["loss"], rel=6e-3)
    assert told[2] == pytest.approx(100 * scores["accuracy"], abs=0.06)
    tab.page.click(".seal button")
    wait(tab, "!document.querySelector('.notice').hidden")
    assert "test rows must be opened once" in text(tab, ".notice")


def test_4_all_gradients_of_a_row_are_those_without_calculus(played: Played) -> None:
    tab = played.open(Experiment(epochs=20, layers=(Hidden(4), Hidden(3, "sigmoid"))))
    tab.page.keyboard.press("End")
    wait(tab, "window.thalweg.recording.frames === 21")
    gradient, difference = (
        array(tab, f"row.{name}").reshape(21, -1) for name in ("gradient", "difference")
    )
    assert gradient.shape[1] == 2 * 4 + 4 + 4 * 3 + 3 + 3 + 1
    np.testing.assert_allclose(gradient, difference, atol=1e-6)


def test_5_hatched_units_are_those_whose_weights_stayed(played: Played) -> None:
    layers = (Hidden(6, "tanh", 0.5),)
    start = Experiment(epochs=5, layers=layers, batch_size=1, optimizer="SGD")
    tab = played.open(start)
    for step in (1, 2, 3):
        tab.page.keyboard.press(".")
        wait(tab, f"window.thalweg.state.choice.frame === {step}/80")
        hatched = [
            int(each)
            for each in tab.ask(
                "[...document.querySelectorAll('.dropped')].map(u => u.dataset.unit)"
            )
        ]
        session = played.run.at(0)
        for _ in range(step - 1):
            session.step()
        before = session.network.parameters["3.weights"].copy()
        session.step()
        stayed = (session.network.parameters["3.weights"] == before).ravel()
        assert hatched == np.flatnonzero(stayed).tolist()
        assert tab.page.locator(".point.lit").count() == 1
    go(tab, frame=0)
    assert tab.page.locator(".unit.dropped, .point.lit").count() == 0


def test_6_ones_own_formula_trains_and_code_is_refused(played: Played) -> None:
    own = "z * sigmoid(2 * z)"
    start = Experiment(epochs=10, layers=(Hidden(5, "own"),), own_activation=own)
    tab = played.open(start)
    curve = array(tab, "activation.own").reshape(3, -1).astype(float)
    z, a, slope = curve
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(a, z / (1 + np.exp(-2 * z)), atol=1e-6)
    middle = (a[2:] - a[:-2]) / (z[2:] - z[:-2])
    np.testing.assert_allclose(slope[1:-1], middle, atol=2e-3)
    change(tab, "own_activation", "__import__('os').system('id')")
    wait(tab, "!document.querySelector('.notice').hidden")
    assert "a formula may have z, numbers" in text(tab, ".notice")
    change(tab, "own_activation", "tanh(z) + 0.1 * z")
    wait(tab, "window.thalweg.live.experiment.own_activation.startsWith('tanh')")
    assert tab.ask("document.querySelector('.notice').hidden")


def test_7_divergence_is_a_sentence_and_nan_is_nowhere(played: Played) -> None:
    start = Experiment(
        data="formula",
        formula="9*x1*x1",
        optimizer="SGD",
        learning_rate=5.0,
        layers=(Hidden(8, "relu"),),
        epochs=30,
        batch_size=80,
    )
    tab = played.open(start)
    tab.page.keyboard.press("End")
    wait(tab, "window.thalweg.live.over")
    wait(tab, "document.getElementById('result').innerText.includes('diverged')")
    assert re.search(r"in epoch \d+.*at learning rate 5", text(tab, "#result"))
    for detail in ("unit", "backpropagation", "step", "formulas", "python"):
        go(tab, detail=detail)
        for result in ("prediction", "landscape", "rates", "seeds", "errors"):
            go(tab, result=result)
            words = tab.ask("document.body.innerText")
            for none in ("NaN", "undefined", "Infinity"):
                assert none not in words
    assert tab.complaints == []


def test_8_eight_seeds_are_eight_runs_and_the_median_is_numpys(played: Played) -> None:
    tab = played.open()
    tab.page.keyboard.press("b")
    tab.page.click(".deed")
    wait(tab, "document.querySelector('#result .chart') !== null")
    data = data_of(SHORT)
    every = [curves(replace(SHORT, seed=s), data)[0] for s in range(8)]
    assert SEEDS == 8
    lowest = sorted(float(np.nanmin(each[1])) for each in every)
    words = numbers(tab.page.locator("#result .say").last.inner_text())
    assert words == [
        pytest.approx(lowest[0], abs=6e-4),
        pytest.approx(lowest[7], abs=6e-4),
    ]
    given = tab.page.evaluate(
        """async experiment => {
          const { client } = window.thalweg.live;
          const { arrays } = await client.ask({ do: "seeds", experiment });
          return Array.from(arrays.get("median").data);
        }""",
        SHORT.to_dict(),
    )
    np.testing.assert_array_equal(
        np.array(given, np.float32)[1:61],
        np.median(np.stack(every), axis=0).astype(np.float32)[0, 1:],
    )


def test_9_the_landscape_says_its_share_and_its_error(played: Played) -> None:
    for layers in (SHORT.layers, ()):
        start = Experiment(epochs=60, layers=layers, patience=None)
        tab = played.open(start)
        played.to_end()
        go(tab, result="landscape", frame=30)
        wait(tab, "document.querySelectorAll('#result .map').length === 1")
        wait(tab, "document.getElementById('result').innerText.includes('variance')")
        recording = played.run.recording()
        share = float(recording.fixed["landscape.share"].sum())
        plane, true = (
            float(recording.fixed[f"landscape.{name}"][30])
            for name in ("on_plane", "true")
        )
        told = numbers(tab.page.locator("#result .say").inner_text())
        assert told[0] == pytest.approx(100 * share, abs=0.06)
        assert told[1:4] == [
            pytest.approx(plane, abs=6e-4),
            pytest.approx(true, abs=6e-4),
            pytest.approx(abs(plane - true), abs=6e-4),
        ]


def test_10_ones_own_table_is_shown_as_train_has_it(played: Played) -> None:
    table = OwnTable.of("examples/penguins.csv", "species", Settings())
    start = Experiment(data="table", epochs=20)
    tab = played.open(start, library=Library(table))
    tab.page.keyboard.press("End")
    wait(tab, "window.thalweg.live.over")
    tab.page.click(".seal button")
    wait(tab, "!document.querySelector('.seal p').textContent.includes('sealed')")
    scores = played.run.network.evaluate(*table.data(0).test)
    told = numbers(text(tab, ".seal p"))
    assert told[0] == len(table.data(0).test[0])
    assert told[2] == pytest.approx(100 * scores["accuracy"], abs=0.06)
    go(tab, result="errors")
    wait(tab, "document.querySelector('#result table') !== null")
    assert "Adelie" in text(tab, "#result")


def test_11_guess_play_hand_in_and_check(played: Played, tmp_path: Path) -> None:
    lesson = lesson_named("batch-size")
    tab = played.open(lesson.experiment, lesson=lesson)
    assert "How many rows make a step?" in text(tab, ".lesson h2")
    tab.page.click(".guess >> nth=2")
    assert tab.page.locator(".guess input").first.is_disabled()
    tab.page.keyboard.press("End")
    wait(tab, "document.querySelector('.told').textContent.startsWith('Right')")
    tab.page.click("text=Check this run")
    wait(tab, "document.querySelectorAll('.told')[1].textContent.startsWith('Not yet')")
    change(tab, "batch_size", "1")
    wait(tab, "window.thalweg.live.experiment.batch_size === 1")
    tab.page.click("text=Check this run")
    wait(tab, "document.querySelectorAll('.told')[1].textContent === 'Done.'")
    tab.page.fill(".hand input", "Grace")
    with tab.page.expect_download() as downloaded:
        tab.page.click("text=Hand in")
    file = tmp_path / downloaded.value.suggested_filename
    downloaded.value.save_as(file)
    checked = check_file(file)
    assert checked.sentence == "Grace, batch-size: verified; task done; guessed right"
    given = json.loads(file.read_text(encoding="utf-8"))
    loss = given["numbers"]["lowest_validation_loss"]
    given["numbers"]["lowest_validation_loss"] = round(loss, 4)
    file.write_text(json.dumps(given), encoding="utf-8")
    assert not check_file(file).holds


def test_12_the_export_is_one_file_with_the_same_pictures(
    played: Played, chromium: Browser, tmp_path: Path
) -> None:
    tab = played.open()
    played.to_end()
    live = sha(array(tab, "map").astype(np.uint8).tobytes())
    with tab.page.expect_download() as downloaded:
        tab.page.click("text=Export")
    file = tmp_path / "run.html"
    downloaded.value.save_as(file)
    context = chromium.new_context(offline=True)
    other = Tab(context)
    show(other, file)
    assert sha(array(other, "map").astype(np.uint8).tobytes()) == live
    assert other.asked_for() == [file.resolve().as_uri()]
    assert other.complaints == []
    context.close()


# Besides ------------------------------------------------------------------------------


def test_curves_show_no_more_than_was_played(played: Played) -> None:
    tab = played.open()
    tab.page.wait_for_timeout(400)  # in which frames come ahead
    assert tab.ask("window.thalweg.recording.there") > 20
    assert tab.ask("window.thalweg.recording.frames") == 1
    tab.page.keyboard.press("Space")
    wait(tab, "window.thalweg.state.choice.frame > 5")
    tab.page.keyboard.press("Space")
    frames = tab.ask("window.thalweg.recording.frames")
    path = tab.ask("document.querySelector('#curves .line').getAttribute('d')")
    assert len(re.split("[ML]", path)) - 1 == frames


def test_the_token_leaves_the_address_and_nothing_else_is_asked(played: Played) -> None:
    tab = played.open()
    played.to_end()
    assert "token" not in tab.ask("location.href")
    hosts = {re.sub(r"^(\w+://[^/]+).*", r"\1", each) for each in tab.asked_for()}
    assert hosts == {played.server.guard.origin}
    tab.page.reload()
    wait(tab, "Boolean(window.thalweg)")
    with_share = "#top-tools button:has-text('Share')"
    tab.page.click(with_share)
    wait(tab, "!document.querySelector('.notice').hidden")
    words = text(tab, ".notice")
    assert played.server.guard.token not in words
    query = words.split('"')[1]
    assert Experiment.from_query(query) == SHORT


def test_a_wrong_token_is_said(played: Played) -> None:
    tab = Tab(played.context)
    tab.open(f"{played.server.guard.origin}/#token=wrong")
    wait(tab, "document.querySelector('.notice')?.hidden === false")
    assert "open the one that it printed" in text(tab, ".notice")
    tab.page.close()


def test_a_page_comes_back_when_the_connection_was_lost(played: Played) -> None:
    tab = played.open()
    wait(tab, "window.thalweg.recording.there > 30")
    tab.ask("window.thalweg.live.client.socket.close()")
    wait(tab, "document.querySelector('.notice').hidden === false")
    wait(tab, "document.querySelector('.notice').hidden === true")
    played.to_end()
    assert shown_weights(tab, 60) == weights_at(played.run, 60)


def test_rows_can_be_drawn(played: Played) -> None:
    tab = played.open()
    tab.page.click(".source:has-text('draw')")
    tab.page.wait_for_timeout(200)
    pad = tab.page.locator(".pad canvas")
    box = pad.bounding_box()
    assert box is not None
    for kind in ("1", "0"):
        tab.page.select_option(".pad select", kind)
        for i in range(6):
            at = box["width"] * (0.1 + 0.12 * i)
            down = box["height"] * (0.3 if kind == "1" else 0.7)
            pad.click(position={"x": at, "y": down})
    wait(tab, "window.thalweg.live.experiment.points.length === 12")
    played.to_end()
    kinds = [point[2] for point in played.run.experiment.points]
    assert (kinds.count(1), kinds.count(0)) == (6, 6)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_axe_finds_nothing(played: Played, width: int, dark: bool) -> None:
    lesson = lesson_named("dropout")
    tab = played.open(lesson.experiment, width, dark=dark, lesson=lesson)
    buttons = tab.page.locator("#columns button")
    for column in range(3 if width == 390 else 1):
        if width == 390:
            buttons.nth(column).click()
        assert violations(tab) == []
        assert tab.ask("document.documentElement.scrollWidth") <= width
    for result in ("rates", "seeds", "errors"):
        go(tab, result=result)
        tab.page.wait_for_timeout(100)
        assert violations(tab) == []
    assert tab.complaints == []


def test_every_control_is_reached_by_keyboard(played: Played) -> None:
    tab = played.open()
    wanted = tab.ask(
        """[...document.querySelectorAll("#setup :is(input, select), #tools button")]
          .filter(each => each.offsetParent && each.tabIndex >= 0)
          .map(each => each.id || each.textContent)"""
    )
    assert len(wanted) > 20
    seen: set[str] = set()
    for _ in range(120):
        tab.page.keyboard.press("Tab")
        seen.add(
            tab.ask("document.activeElement.id || document.activeElement.textContent")
        )
    assert set(wanted) <= seen


@pytest.mark.parametrize("seed_key", ["n"])
def test_a_new_seed_is_another_run(played: Played, seed_key: str) -> None:
    tab = played.open()
    before = shown_weights(tab, 0)
    tab.page.keyboard.press(seed_key)
    wait(tab, "window.thalweg.live.experiment.seed === 1")
    assert shown_weights(tab, 0) != before
    assert played.run.experiment.seed == 1


def test_a_row_is_followed_by_click_and_by_key(played: Played) -> None:
    tab = played.open()
    wait(tab, "window.thalweg.recording.there > 30")
    tab.page.locator(".point[data-row='training.11']").click(force=True)
    wait(tab, "window.thalweg.recording.told.row.number === 11")
    assert "Row 11" in text(tab, ".row-card")
    tab.page.keyboard.press("]")
    wait(tab, "window.thalweg.recording.told.row.number === 12")
    played.to_end()
    own = np.stack([frame["row.z"] for frame in played.run.film.frames])
    np.testing.assert_array_equal(array(tab, "row.z"), own.astype(float).ravel())
    other = Run(SHORT, data_of(SHORT), row=12)
    other.to_end()
    expected = np.stack([frame["row.z"] for frame in other.film.frames])
    np.testing.assert_array_equal(own, expected)


def test_runs_that_were_left_while_they_played_leave_nothing_behind(
    played: Played,
) -> None:
    tab = played.open()

    def counted() -> dict[str, int]:
        tab.call("HeapProfiler.collectGarbage")
        return tab.call("Memory.getDOMCounters")

    def leave_some(count: int) -> None:
        for _ in range(count):
            tab.page.keyboard.press("Space")
            tab.page.wait_for_timeout(150)
            seed = tab.ask("window.thalweg.live.experiment.seed")
            tab.page.keyboard.press("n")
            wait(tab, f"window.thalweg.live.experiment.seed === {seed + 1}")

    leave_some(2)
    before = counted()
    leave_some(6)
    after = counted()
    assert after["jsEventListeners"] <= before["jsEventListeners"] + 20
    assert after["nodes"] <= before["nodes"] + 300
