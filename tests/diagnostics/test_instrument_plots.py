"""What the pictures of instruments show."""
import numpy as np

from gluon_rnn.diagnostics import (
    GateSaturation,
    GradientThroughTime,
    StateJacobian,
    Truncation,
    gate_figure,
    gradient_figure,
    jacobian_figure,
    truncation_figure,
)


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_gradients_are_lines_with_bands_on_a_log_axis(tmp_path):
    norms = np.outer(0.5 ** np.arange(60.0), [1, 2, 3])
    carried = np.full((60, 3), 2.0)
    carried[0] = np.nan
    found = GradientThroughTime({"layer 1 h": norms, "layer 1 c": carried})
    axes, = gradient_figure(found, tmp_path / "a.png").axes
    assert axes.get_yscale() == "log"
    first, dot, second = axes.lines
    np.testing.assert_array_equal(first.get_ydata(), norms[:, 1])
    np.testing.assert_array_equal(second.get_ydata(), carried[:, 1])
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (7, norms[7, 1])
    band = axes.collections[0].get_paths()[0].vertices
    np.testing.assert_allclose([band[:, 1].min(), band[:, 1].max()], [1.1 * 0.5 ** 59, 2.9])
    assert labels(axes) == ["layer 1 h, 7 steps", "layer 1 c, more than 1 % to the end"]
    assert axes.get_ylim()[0] >= 2e-12                # of what is smaller a log axis would show all its decades
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_gradient_that_is_zero_is_drawn():
    axes, = gradient_figure(GradientThroughTime({"layer 1 h": np.zeros((4, 2))})).axes
    assert axes.get_yscale() == "linear" and labels(axes) == ["layer 1 h, 0 steps"]


def test_jacobians_are_a_line_a_layer(tmp_path):
    found = StateJacobian(np.array([0, 3]), {"layer 1": np.array([0.5, 0.6]), "layer 2": np.array([1.5, 1.6])})
    axes, = jacobian_figure(found, tmp_path / "a.png").axes
    for line, radii in zip(axes.lines, found.radii.values()):
        np.testing.assert_array_equal(line.get_xydata(), np.stack([found.steps, radii], axis=1))
    assert labels(axes) == ["layer 1", "layer 2"]


def test_gates_are_bars_that_add_up_to_one(tmp_path):
    gates = {"layer 1 forget": [0.0, 0.5], "layer 1 input": [0.1, 0.1]}
    shut = {name: np.array(values) for name, values in gates.items()}
    found = GateSaturation(shut, {name: 0.5 * values for name, values in shut.items()}, shut)
    axes, = gate_figure(found, tmp_path / "a.png").axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["layer 1 input", "layer 1 forget"]
    widths = np.array([bar.get_width() for bar in axes.patches]).reshape(3, 2)
    np.testing.assert_allclose(widths, [[0.1, 0.25], [0.85, 0.625], [0.05, 0.125]])
    assert labels(axes) == ["below 0.1", "between", "above 0.9"]


def test_truncation_is_four_lines_and_the_present_bptt(tmp_path):
    values = np.array([0.5, 0.9, 1.0])
    found = Truncation(np.array([1, 2, 4]), values, values / 2, values / 3, values / 4, 4, 2)
    axes, = truncation_figure(found, tmp_path / "a.png").axes
    for line, factor in zip(axes.lines, (1, 2, 3, 4)):
        np.testing.assert_allclose(line.get_ydata(), values / factor)
        assert line.get_xdata().tolist() == [1, 2, 4]
    assert labels(axes)[-1] == "bptt 2" and list(axes.lines[-1].get_xdata()) == [2, 2]
