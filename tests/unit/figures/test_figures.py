"""Each figure at reduced settings: real runs, and pictures that show exactly them."""

import json
import subprocess
import sys
from dataclasses import asdict, fields
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thalweg as tw
from support.small_figures import SMALL, data_of, figure_of
from thalweg.figures import (
    FIGURES,
    activation_functions,
    draw,
    gradient_descent,
    learned_filters,
    learning_rate_effects,
    loss_surface,
    optimizers,
)
from thalweg.figures.draw import figure_module
from thalweg.figures.files import as_json
from thalweg.figures.samples import diabetes, digit_images
from thalweg.figures.style import BLUE, VERMILION, spread
from thalweg.formulas.activations import ACTIVATIONS


def lists_in(value: Any) -> list[list[float]]:
    """Every list of numbers, anywhere in the record."""
    if isinstance(value, dict):
        return [found for each in value.values() for found in lists_in(each)]
    if not isinstance(value, list):
        return []
    numbers = all(isinstance(each, int | float) for each in value)
    return [value] if numbers else [found for each in value for found in lists_in(each)]


def numbers_in(value: Any) -> list[float]:
    """Every number, anywhere in the record."""
    if isinstance(value, dict):
        return numbers_in(list(value.values()))
    if isinstance(value, list):
        return [number for each in value for number in numbers_in(each)]
    return [value] if isinstance(value, int | float) else []


def drawn_in(line: Any) -> list[list[float]]:
    """The numbers along each axis; of a line across the axes, only where it stands."""
    axes = line._verts3d if hasattr(line, "_verts3d") else line.get_data()
    drawn = [np.asarray(axis, float).tolist() for axis in axes]
    if [0, 1] in drawn:
        return [[values[0]] for values in drawn if values != [0, 1]]
    return drawn


def record_of(name: str) -> Any:
    return json.loads(as_json(asdict(data_of(name))))


def test_every_figure_has_a_module_and_is_tested_here():
    assert list(SMALL) == list(FIGURES)


@pytest.mark.parametrize("name", SMALL)
def test_every_line_drawn_stands_in_the_json(name):
    record = record_of(name)
    lists, numbers = lists_in(record), [0.0, *numbers_in(record)]
    for axes in figure_of(name).axes:
        for line in axes.lines:
            for values in drawn_in(line):
                alone = len(values) == 1 and values[0] in numbers
                assert alone or values in lists


@pytest.mark.parametrize("name", SMALL)
def test_every_band_drawn_stands_in_the_json(name):
    numbers = set(numbers_in(record_of(name)))
    for axes in figure_of(name).axes:
        for collection in axes.collections:
            if type(collection).__name__ == "FillBetweenPolyCollection":
                vertices = collection.get_paths()[0].vertices
                assert set(vertices[:, 1].tolist()) <= numbers


@pytest.mark.parametrize("name", SMALL)
def test_a_second_run_gives_the_same_bytes(name):
    again = figure_module(name).run(SMALL[name])  # pyright: ignore[reportCallIssue]
    assert as_json(asdict(again)) == as_json(asdict(data_of(name)))


@pytest.mark.parametrize("name", SMALL)
def test_the_figure_says_what_it_shows(name):
    figure = figure_of(name)
    assert figure.get_suptitle().replace("\n", " ") == data_of(name).title
    assert all(axes.get_xlabel() or axes.get_ylabel() for axes in lowest_of(figure))
    given = {field.name for field in fields(data_of(name))}
    assert given >= {"title", "source", "seeds"}


def lowest_of(figure: Any) -> list[Any]:
    """The axes that nothing stands below; those of all activations share a label."""
    if figure.get_supxlabel():
        return []
    cells = [(axes, axes.get_subplotspec()) for axes in figure.axes]
    return [axes for axes, cell in cells if cell and cell.is_last_row()]


# Drawing by name --------------------------------------------------------------------


def test_draw_writes_pictures_and_numbers_with_the_command(tmp_path):
    seen: list[str] = []
    folder = tmp_path / "made" / "here"
    paths = draw(["gradient_descent", "activation_functions"], folder, seen.append)
    assert seen == ["gradient_descent", "activation_functions"]
    assert [path.name for path in paths] == [f"{name}.png" for name in seen]
    for path, name in zip(paths, seen, strict=True):
        assert path.read_bytes().startswith(b"\x89PNG")
        record = json.loads(path.with_suffix(".json").read_text("utf-8"))
        assert record["command"] == f"thalweg figures {name}"
        assert {"title", "source", "seeds"} <= set(record)


def test_pictures_are_the_same_bytes_whatever_the_persons_own_style(tmp_path):
    (first,) = draw(["gradient_descent"], tmp_path / "a")
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30}):
        (second,) = draw(["gradient_descent"], tmp_path / "b")
        assert mpl.rcParams["lines.linewidth"] == 9
    assert first.read_bytes() == second.read_bytes()


def test_a_misspelled_name_gets_the_nearest_and_nothing_is_drawn(tmp_path):
    with pytest.raises(tw.ArgumentError, match="did you mean 'perceptron'"):
        draw(["gradient_descent", "perceptrn"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cant_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(tw.FileError, match="can't be made"):
        draw(["perceptron"], tmp_path / "file" / "out")


def test_names_cost_no_matplotlib_and_drawing_touches_no_pyplot(tmp_path):
    script = (
        "import sys, thalweg.figures as f\n"
        "assert 'matplotlib' not in sys.modules and 'sklearn' not in sys.modules\n"
        f"f.draw(['activation_functions'], {str(tmp_path)!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# What each figure claims ------------------------------------------------------------


@pytest.mark.parametrize("place", range(len(ACTIVATIONS)))
def test_derivatives_of_activations_equal_finite_differences(place):
    panel = data_of("activation_functions").panels[place]
    z = np.array(panel.values.x)  # an even number of points: none lies on the kink
    assert 0 not in z
    function = ACTIVATIONS[panel.name]
    if panel.name == "softmax":
        function = activation_functions.first_of_two
    slope = (np.asarray(function(z + 1e-6)) - np.asarray(function(z - 1e-6))) / 2e-6
    np.testing.assert_allclose(panel.derivatives.y, slope, atol=1e-8, rtol=1e-6)
    assert panel.values.y == np.asarray(function(z)).tolist()


def test_step_is_shown_without_a_derivative():
    panel = next(p for p in data_of("activation_functions").panels if p.name == "step")
    assert set(panel.derivatives.y) == {0.0}
    assert "undefined at 0" in panel.remark


def test_early_stopping_is_drawn_where_the_validation_loss_says():
    settings = SMALL["overfitting_regularization"]
    rule = tw.EarlyStopping(settings.patience)
    figure = figure_of("overfitting_regularization")
    panels = data_of("overfitting_regularization").panels
    for axes, panel in zip(figure.axes, panels, strict=True):
        losses = panel.validation.y
        stops = [n for n in range(1, len(losses)) if rule.should_stop(losses[:n])]
        assert panel.stopped_epoch == stops[0] < settings.epochs
        assert panel.best_epoch == 1 + int(np.argmin(losses[: stops[0]]))
        (line,) = [line for line in axes.lines if line.get_gid() == "stopped"]
        assert list(line.get_xdata()) == [stops[0], stops[0]]
        (best,) = [line for line in axes.lines if line.get_gid() == "best"]
        assert list(best.get_ydata()) == [losses[panel.best_epoch - 1]]


def test_training_is_solid_blue_and_validation_dashed_vermilion():
    for axes in figure_of("overfitting_regularization").axes:
        training, validation = axes.lines[:2]
        assert (training.get_color(), training.get_linestyle()) == (BLUE, "-")
        assert (validation.get_color(), validation.get_linestyle()) == (VERMILION, "--")


def test_the_network_without_dropout_learns_more_of_its_training_rows():
    plain, dropped = data_of("overfitting_regularization").panels
    assert plain.training.y[-1] < dropped.training.y[-1]
    assert plain.training.y[-1] < 0.5 * plain.validation.y[-1]


def test_each_step_of_gradient_descent_follows_the_gradient():
    rows = gradient_descent.one_measurement()
    x, y = rows.X[:, 0], rows.y
    data = data_of("gradient_descent")
    slope_at = tw.gradient(lambda w: tw.mean((w * x - y) ** 2))
    assert data.slope == pytest.approx(slope_at(data.paths[0].weight[0]))
    for path in data.paths:
        for before, after in pairwise(path.weight):
            step = -path.learning_rate * slope_at(before)
            assert after == pytest.approx(before + step)
        assert np.abs(path.bias).max() < 1e-12
        losses = [np.mean((w * x - y) ** 2) for w in path.weight]
        np.testing.assert_allclose(path.loss, losses, rtol=1e-12)


def test_the_loss_surface_is_the_exact_cross_entropy():
    rows = loss_surface.one_measurement()
    x, malignant = rows.X[:, 0], rows.y == 1
    data = data_of("loss_surface")

    def exact(weight, bias):
        z = weight * x + bias
        return np.logaddexp(0, np.where(malignant, -z, z)).mean()

    surface = [[exact(w, b) for w in data.weights] for b in data.biases]
    np.testing.assert_allclose(data.losses, surface, rtol=1e-10)
    path = [exact(w, b) for w, b in zip(data.path.weight, data.path.bias, strict=True)]
    np.testing.assert_allclose(data.path.loss, path, rtol=1e-10)
    assert data.path.loss[-1] < 0.2 * data.path.loss[0]


def test_learning_rates_are_judged_by_what_their_runs_did():
    shown = data_of("learning_rate_effects").shown
    assert [rate.verdict for rate in shown] == ["too small", "good", "diverges"]
    small, good, large = shown
    assert (small.diverged, large.diverged) == (0, large.runs)
    assert set(large.loss.median[20:]) == {learning_rate_effects.BOUND}
    assert good.loss.median[-1] < small.loss.median[-1]


def test_bands_are_the_median_and_the_range_of_the_runs():
    for rate in data_of("learning_rate_effects").shown:
        np.testing.assert_array_equal(rate.loss.median, np.median(rate.losses, axis=0))
        np.testing.assert_array_equal(rate.loss.low, np.min(rate.losses, axis=0))
        np.testing.assert_array_equal(rate.loss.high, np.max(rate.losses, axis=0))


def test_each_optimizer_is_shown_at_its_best_learning_rate():
    settings = SMALL["optimizers"]
    rows = optimizers.digits().first(settings.rows)
    for entry in data_of("optimizers").entries:
        rule, _ = optimizers.RULES[entry.rule]
        for rate in entry.tried:
            other = optimizers.band_of(entry.rule, rule(rate), rows, settings)
            assert entry.loss.median[-1] <= other.median[-1]


def test_batch_sizes_count_their_steps():
    for entry in data_of("batch_sizes").entries:
        assert entry.steps_per_epoch == -(-569 // entry.batch_size)
        epochs = np.array(entry.by_epoch.x)
        np.testing.assert_array_equal(entry.by_step.x, epochs * entry.steps_per_epoch)
        assert entry.by_epoch.median == entry.by_step.median


def test_the_perceptrons_line_is_where_its_formula_is_zero():
    data = data_of("perceptron")
    for length, width in zip(data.line.x, data.line.y, strict=True):
        z = data.weights[0] * length + data.weights[1] * width + data.bias
        assert z == pytest.approx(0, abs=1e-5)
    assert f"{data.weights[0]:.2f}" in data.formula


def test_the_flowers_ringed_are_on_the_wrong_side():
    data = data_of("perceptron")
    for species, sign in zip(data.species, (-1, 1), strict=True):
        places = np.stack([species.x, species.y], axis=1)
        z = places @ data.weights
        wrong = np.flatnonzero((z + data.bias) * sign < 0)
        assert species.wrong == wrong.tolist()
    total = sum(len(species.wrong) for species in data.species)
    assert f"{100 - total} of 100" in data.title


def test_without_a_hidden_layer_log_odds_are_flat():
    straight, bent = data_of("decision_boundary").panels
    for panel, flat in ((straight, True), (bent, False)):
        p = np.clip(panel.probabilities, 1e-6, 1 - 1e-6)
        curvature = np.abs(np.diff(np.log(p / (1 - p)), n=2, axis=1)).max()
        assert (curvature < 1e-2) == flat
    assert len(data_of("decision_boundary").points) == 2


def test_units_that_are_off_differ_from_step_to_step():
    data = data_of("dropout")
    off = np.array(data.outputs) == 0
    assert 0.3 < off.mean() < 0.7
    assert data.off == off.mean()
    assert len({tuple(step) for step in off.T}) == off.shape[1]
    on = np.array(data.outputs)[~off]
    assert ((on > 0) & (on < 2)).all()  # a sigmoid's output, scaled by 1 / (1 - rate)


# Images -----------------------------------------------------------------------------


def test_filters_by_hand_give_what_a_loop_gives():
    data = data_of("edge_filter")
    for image in data.images:
        pixels = np.array(image.pixels)
        height, width = pixels.shape
        for kernel, response in zip(data.filters, image.responses, strict=True):
            by_hand = sum(
                kernel[i][j] * pixels[i : height - 2 + i, j : width - 2 + j]
                for i in range(3)
                for j in range(3)
            )
            np.testing.assert_allclose(response, by_hand, atol=0.01)


def test_windows_hold_the_cells_that_their_formula_says():
    plain, strided, dilated, padded = data_of("windows_seen").ways
    square = [[i, j] for i in range(3) for j in range(3)]
    assert plain.first == strided.first == padded.first == square
    assert plain.second == padded.second == [[i, j + 1] for i, j in square]
    assert strided.second == [[i, j + 2] for i, j in square]
    assert dilated.first == [[2 * i, 2 * j] for i, j in square]
    assert dilated.second == [[2 * i, 2 * j + 1] for i, j in square]
    assert np.array(padded.numbers)[0].tolist() == [0] * 8
    assert "6 × 6" in padded.label
    assert "4 × 4" in plain.label


def test_weights_are_counted_as_the_formulas_have_them():
    data = data_of("weight_sharing")
    assert data.dense.y == [128 * side**2 + 128 for side in data.dense.x]
    assert data.shared.y == [32 * 9 + 32] * 2
    assert "100,480" in data.title


def test_filters_move_from_where_they_were_drawn():
    first, *later = data_of("learned_filters").moments
    assert [first.epoch, *(each.epoch for each in later)] == [0, 1, 2]
    drawn = learned_filters.layers_of(SMALL["learned_filters"])
    network = tw.Network(drawn).initialize((8, 8, 1), 0)
    weights = np.moveaxis(network.parameters["1.weights"][:, :, 0], -1, 0)
    np.testing.assert_allclose(first.filters, weights, atol=1e-4)
    assert all(
        np.abs(np.subtract(m.filters, first.filters)).max() > 1e-2 for m in later
    )
    assert later[-1].accuracy > first.accuracy


def test_maps_shrink_where_they_are_pooled_and_probabilities_add_up():
    data = data_of("feature_maps")
    assert [np.shape(step.maps) for step in data.steps] == [
        (4, 8, 8),
        (4, 4, 4),
        (4, 4, 4),
    ]
    first, pooled, _ = (np.array(step.maps) for step in data.steps)
    np.testing.assert_array_equal(pooled, first.reshape(4, 4, 2, 4, 2).max((2, 4)))
    assert sum(data.probabilities) == pytest.approx(1, abs=1e-3)


def test_pixels_out_of_the_field_dont_move_the_unit():
    data = data_of("receptive_field")
    assert [field.height for field in data.fields] == [3, 5, 6, 10]
    last, slopes = data.fields[-1], np.array(data.slopes)
    inside = np.zeros(slopes.shape, bool)
    rows = slice(last.row, last.row + last.height)
    inside[rows, last.column : last.column + last.width] = True
    assert not slopes[~inside].any()
    assert (slopes[inside] > 0).mean() > 0.9
    assert slopes.max() == 1


def test_pooled_numbers_are_those_of_their_windows():
    data = data_of("pooling")
    numbers, largest, mean = (np.array(each) for each in data.numbers.images)
    windows = numbers.reshape(2, 2, 2, 2).swapaxes(1, 2)
    np.testing.assert_array_equal(largest, windows.max((2, 3)))
    np.testing.assert_array_equal(mean, windows.mean((2, 3)))


def test_what_looks_everywhere_alike_knows_digits_that_are_moved():
    dense, _, free = data_of("shifted_digits").bands
    assert free.median[-1] == pytest.approx(free.median[0], abs=0.05)
    assert dense.median[-1] < dense.median[0] - 0.2


def test_saliency_and_occlusion_are_shares_of_their_largest():
    for panel in data_of("what_counts").panels:
        slopes, lost = np.array(panel.saliency), np.array(panel.lost)
        assert (slopes.shape, lost.shape) == ((8, 8), (7, 7))
        assert slopes.min() >= 0
        assert slopes.max() == abs(lost).max() == 1
        assert panel.steepest > 0
        assert 0 < panel.most_lost <= 1


def test_digits_are_varied_by_whole_moves_and_turns():
    data = data_of("augmentation")
    original, *varied = np.array(data.pictures)
    rows = digit_images(2).shuffled(0)
    np.testing.assert_allclose(original, rows.X[0, :, :, 0], atol=1e-3)
    assert all(np.abs(each - original).max() > 0.1 for each in varied)
    assert data.varied.median[-1] > data.plain.median[-1] + 0.2
    assert data.varied.median[0] - data.varied.median[-1] < 0.2


def test_confusions_count_every_unseen_digit_and_show_the_commonest():
    data = data_of("confusions")
    counts = np.array(data.counts)
    assert counts.sum() == 1797 - 150
    wrong = counts - np.diag(np.diag(counts))
    assert data.title.startswith(f"{wrong.sum()} of 1647 ")
    for pair in data.pairs:
        assert pair.count == counts[pair.digit, pair.taken_for] > 0
        sure = [picture.probability for picture in pair.pictures]
        assert sure == sorted(sure, reverse=True)
    assert data.pairs[0].count == wrong.max()


def test_transposed_windows_are_counted_where_they_meet():
    for panel in data_of("checkerboard").panels:
        counts = np.zeros(np.shape(panel.numbers))
        for i in range(4):
            for j in range(4):
                counts[2 * i : 2 * i + panel.size, 2 * j : 2 * j + panel.size] += 1
        np.testing.assert_array_equal(panel.numbers, counts)
    assert ["unevenly" in panel.label for panel in data_of("checkerboard").panels] == [
        False,
        True,
        False,
    ]


def test_the_path_of_an_autoencoder_starts_and_ends_at_reconstructions():
    settings = SMALL["autoencoder"]
    data, rows = data_of("autoencoder"), digit_images().shuffled(0)
    unseen = rows.rest(settings.training_rows)
    assert data.error < data.spread
    assert np.shape(data.path) == (4, 8, 8)
    found = [int(np.argmax(unseen.y == digit)) for digit in settings.ends]
    shown = [(row, end) for row, end in zip(found, (0, -1), strict=True) if row < 4]
    assert shown
    for row, end in shown:
        np.testing.assert_allclose(data.path[end], data.reconstructions[row], atol=2e-3)


def test_samples_are_standardized_by_the_rows_that_train():
    rows = diabetes().shuffled(3)
    assert rows.shuffled(1).X.tolist() != rows.X.tolist()
    training = rows.first(100)
    scaled = rows.standardized(training).standardized_target(training)
    np.testing.assert_allclose(scaled.first(100).X.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.first(100).y.std(), 1)
    assert abs(scaled.rest(100).X.mean(0)).max() > 1e-3
    assert len(scaled.first(100)) + len(scaled.rest(100)) == len(rows)


# Labels -----------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), max_size=6), st.floats(0.01, 0.15))
def test_labels_lie_apart_in_their_order_and_inside(heights, size):
    placed = spread(sorted(heights), [size] * len(heights))
    gaps = np.diff(placed)
    assert (gaps >= size - 1e-9).all()
    assert all(-1e-9 <= height <= 1 for height in placed)


def test_labels_that_are_apart_stay_where_they_are():
    assert spread([0.1, 0.5, 0.9], [0.1] * 3) == [0.1, 0.5, 0.9]
