"""Remedies against gradients that explode or vanish, one key of a recipe each, on the adding problem."""
from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.classic.pictures import axes_of, save

__all__ = ["BASELINE", "REMEDIES", "Remedies"]

#: mean squared error of answering 1 always
BASELINE = 1 / 6
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
    "LSTM, chrono": (_CLIP, _LSTM, "model.encoder.i2h_bias_initializer={name: chrono, max_time: 50}"),
    "LSTM, layer norm": (_CLIP, "model.encoder.name=layer_norm_lstm"),
}


@experiments.register("remedies")
class Remedies(Experiment):
    """The adding problem at 50 steps, a row for each remedy."""

    title = "Remedies against exploding and vanishing gradients"
    source = "Pascanu, Mikolov and Bengio (2013), sections 3.2 and 3.3; the task: Hochreiter and Schmidhuber (1997)"
    year = 2013
    question = ("Which remedy lets a network learn that adds two marked ones of 50 numbers, where a plain one does "
                "not? Each row changes one recipe by one key; those below clipping come with clipping by norm.")
    columns = {"MSE": f"mean squared error of the test sequences; that of answering 1 always is {BASELINE:.4f}",
               "left": "its share of the variance of the test sums"}

    def cases(self):
        """Return a case for each remedy."""
        return [Case(label, "classic/remedies", overrides) for label, overrides in REMEDIES.items()]

    def measure(self, run, case):
        """Return the error, and its share of that of answering the mean of the test split."""
        return {"MSE": run.scores["mse"], "left": 1 - run.scores["r2"]}

    def draw(self, rows, path):
        """Draw the error that is left as a bar for each remedy."""
        rows = [row for row in rows if "error" not in row][::-1]          # bars go up
        axes = axes_of(7, 4.5, xlabel="mean squared error", title="adding problem, 50 steps")
        axes.barh([row["label"] for row in rows], [row["MSE"] for row in rows])
        axes.axvline(BASELINE, color="black", linewidth=0.8)
        axes.grid(axis="x", alpha=0.3)
        save(axes, path)
