"""Show three models of the zoo at work, without any data: ``python -m scripts.demo_zoo [FOLDER]``.

A tune in 6/8, a translation with its attention weights, and a free run of a NARX model beside the system that it was
trained on. The tune goes to the screen and into ``tune.abc``, the other two are drawn side by side in ``zoo.png``.
"""
import sys
from pathlib import Path

import numpy as np

import gluon_rnn

SENTENCE = "I don't know what you want."
ROWS = 120          # of the free run that are drawn


def main(folder="runs/zoo"):
    """Write ``tune.abc`` and ``zoo.png`` into `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    print('== a tune: gluon_rnn.load("lstm_irish_tunes").predict("6/8")')
    print(gluon_rnn.load("lstm_irish_tunes").predict("6/8", path=folder / "tune.abc", seed=1)[0])
    print(f'== a translation: gluon_rnn.load("gru_luong_eng_fra").predict("{SENTENCE}")')
    translation = gluon_rnn.load("gru_luong_eng_fra").predict(SENTENCE)
    print(f"   {SENTENCE} -> {translation.text}")
    print('== a free run: gluon_rnn.load("narx_narma10").predict(u, y, steps_ahead=None)')
    measured, predicted = free_run()
    error = np.sqrt(np.mean((predicted - measured) ** 2)) / measured.std()
    print(f"   {len(measured)} rows from the model's own outputs: RMSE {error:.3f} of the standard deviation of y")
    draw(translation, measured, predicted, folder / "zoo.png")
    print(folder / "zoo.png")


def free_run():
    """Return y of a new recording of NARMA-10 and the model's free run after the first ten rows; (T,) each."""
    recording = gluon_rnn.data.NARMA(steps=400, train=1, valid=1, test=0, seed=7).recordings("train")[0]
    predictor = gluon_rnn.load("narx_narma10")
    found = predictor.predict(recording.x, recording.y, steps_ahead=None)       # its rows begin behind the washout
    return recording.y[-len(found):, 0], found[:, 0]


def draw(translation, measured, predicted, path):
    """Draw the attention weights (target tokens, source tokens) and the last rows of both series side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from gluon_rnn.inference.translate import draw_attention
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    draw_attention(left, translation)
    left.set_title("gru_luong_eng_fra: attention", fontsize=10)
    right.plot(measured[-ROWS:], color="0.6", linewidth=3, label="NARMA-10")
    right.plot(predicted[-ROWS:], color="C3", linewidth=1, label="free run of narx_narma10")
    right.set_xlabel("row")
    right.legend(loc="upper left", fontsize=8)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
