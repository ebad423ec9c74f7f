"""What pictures of attributions show."""
import numpy as np
import pytest

from gluon_rnn.diagnostics import InputSaliency, channel_figure, lag_figure


def saliency(channels, steps=10):
    values = np.random.normal(size=(steps, 2, channels))
    return InputSaliency(values, 2 * values, values.sum(axis=(0, 2)), np.zeros(2), 8)


def test_few_channels_are_lines(tmp_path):
    found = saliency(2)
    figure = channel_figure(found, ["first", "second"], [10, 4], ["u", "y"], tmp_path / "a.png")
    for number, (length, row) in enumerate(zip((10, 4), np.reshape(figure.axes, (2, 2)))):
        for axes, values in zip(row, (found.integrated, found.gradient_input)):
            np.testing.assert_array_equal([line.get_ydata() for line in axes.lines[1:]], values[:length, number].T)
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["u", "y"]
    assert figure.axes[2].get_title() == "second\nintegrated gradients"


def test_many_channels_are_a_heat_map():
    found = saliency(9)
    figure = channel_figure(found, ["first"], [6], [str(number) for number in range(9)])
    for axes, values in zip(figure.axes, (found.integrated, found.gradient_input)):
        image, = axes.images
        np.testing.assert_array_equal(image.get_array(), values[:6, 0].T)
        assert image.get_clim() == pytest.approx((-np.abs(values[:6, 0]).max(), np.abs(values[:6, 0]).max()))


def test_lags_count_back_from_the_prediction_as_far_as_there_is_something():
    values = np.zeros((10, 2, 3))
    values[-3:, :, 0] = [[1, -1], [2, -2], [-4, 0]]                        # lags 2, 1, 0
    values[-2, :, 2] = 3
    found = InputSaliency(values / 2, values, values.sum(axis=(0, 2)), np.zeros(2), 8)
    axes, = lag_figure(found, ["u", "unused", "v"], "y").axes
    drawn = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
    assert drawn == {"u, integrated gradients": [2, 2, 1], "u, gradient times input": [1, 1, 0.5],
                     "v, integrated gradients": [0, 3, 0], "v, gradient times input": [0, 1.5, 0]}
