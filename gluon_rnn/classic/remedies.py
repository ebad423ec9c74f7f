"""Remedies against gradients that explode or vanish, one key of a recipe each, on adding and on latching."""
from dataclasses import replace

from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.classic.latching import solved
from gluon_rnn.classic.pictures import axes_of, save

__all__ = ["BASELINE", "REMEDIES", "Remedies"]

#: mean squared error of answering 1 always
BASELINE = 1 / 6
#: steps of the latching problem, and how many networks learn it
LENGTH, TRIALS = 200, 4
_LAYER_NORM = "LSTM, layer norm"
_CLIP, _LSTM = "training.clip_norm=1.0", "model.encoder.name=lstm"
#: label -> what is changed of the recipe; remedies against vanishing gradients come with clipping by norm
REMEDIES = {
    "none": (),
    "clipping by norm": (_CLIP,),
    "clipping by layer": ("training.clip_norm_per_layer=1.0",),
    "clipping by value": ("training.clip_value=0.01",),
    "orthogonal": (_CLIP, "model.encoder.h2h_weight_initializer=orthogonal"),
    "identity, relu (IRNN)": (_CLIP, "model.encoder.h2h_weight_initializer=identity", "model.encoder.activation=relu"),
    "skip connections 1, 6": (_CLIP, "model.encoder.name=skip", "model.encoder.delays=[1,6]"),
    "norm-preserving": (_CLIP, "training.norm_preserving=0.01"),
    "GRU": (_CLIP, "model.encoder.name=gru"),
    "LSTM": (_CLIP, _LSTM),
    "LSTM, chrono": (_CLIP, _LSTM, "model.encoder.i2h_bias_initializer={name: chrono, max_time: 200}"),
    _LAYER_NORM: (_CLIP, "model.encoder.name=layer_norm_lstm"),
}


@experiments.register("remedies")
class Remedies(Experiment):
    """The adding problem at 50 steps and the latching problem at 200, a row for each remedy."""

    title = "Remedies against exploding and vanishing gradients"
    source = ("Pascanu, Mikolov and Bengio (2013), sections 3.2 and 3.3; the tasks: Hochreiter and Schmidhuber (1997), "
              "Bengio, Simard and Frasconi (1994)")
    year = 2013
    question = ("Which remedy lets a network learn what a plain one does not: to add two marked ones of 50 numbers, to "
                f"keep one bit over {LENGTH} steps? Each row changes one recipe by one key; those below clipping come "
                "with clipping by norm.")
    columns = {"MSE": f"mean squared error of the test sums; that of answering 1 always is {BASELINE:.4f}",
               "left": "its share of the variance of the test sums",
               "latching": f"share of {TRIALS} networks (with layer norm of one, which takes the time of twenty) that "
                           f"learn the latching problem at {LENGTH} steps"}

    def cases(self):
        """Return a case for each remedy."""
        return [Case(label, "classic/remedies", overrides) for label, overrides in REMEDIES.items()]

    def measure(self, run, case):
        """Return the error, its share of that of answering the mean, and the share of networks that latch."""
        latch = replace(case, recipe="classic/latching", overrides=("training.clip_norm=null", *case.overrides))
        seeds = range(1, 2 if case.label == _LAYER_NORM else 1 + TRIALS)
        latching = [solved(latch, LENGTH, seed) for seed in seeds]
        return {"MSE": run.scores["mse"], "left": 1 - run.scores["r2"], "latching": sum(latching) / len(latching)}

    def draw(self, rows, path):
        """Draw the error that is left, and the share of networks that latch, as bars for each remedy."""
        rows = [row for row in rows if "error" not in row][::-1]          # bars go up
        axes = axes_of(7.5, 5.5, xlim=(0, 1.05), title="adding (50 steps) and latching (200 steps)")
        places = range(len(rows))
        axes.barh([place + 0.2 for place in places], [row["left"] for row in rows], 0.4, label="error left, adding")
        axes.barh([place - 0.2 for place in places], [row["latching"] for row in rows], 0.4,
                  label="networks that latch")
        axes.set_yticks(list(places), [row["label"] for row in rows])
        axes.grid(axis="x", alpha=0.3)
        axes.legend(fontsize="small")
        save(axes, path)
