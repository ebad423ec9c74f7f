"""The latching problem by length: recurrent networks beside NARX networks with more and more output delays."""
import tempfile

from gluon_rnn import recipes
from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.classic.pictures import axes_of, save
from gluon_rnn.runs import Run
from gluon_rnn.training import TrainingError, train

__all__ = ["LENGTHS", "Latching", "solved"]

#: the shortest is that of the recipe's run; the others are trained in `measure`
LENGTHS, TRIALS, SOLVED = (50, 100, 200, 300), 4, 0.99
_NARX, _LSTM = "model.encoder.name=skip", "model.encoder.name=lstm"
NETWORKS = {
    "RNN": (),
    "RNN, norm-preserving": ("training.norm_preserving=0.01",),
    "NARX, 2 output delays": (_NARX, "model.encoder.delays=[1,2]"),
    "NARX, 4 output delays": (_NARX, "model.encoder.delays=[1,2,3,4]"),
    "NARX, 6 output delays": (_NARX, "model.encoder.delays=[1,2,3,4,5,6]"),
    "LSTM": (_LSTM,),
    "LSTM, chrono": (_LSTM, "model.encoder.i2h_bias_initializer={name: chrono, max_time: 300}"),
}


def solved(case, length, seed):
    """Train a network on sequences of `length` steps, and return whether it tells 99 % of the test sequences apart.

    Training that diverges has not solved it.
    """
    with tempfile.TemporaryDirectory() as folder:
        overrides = [*case.overrides, f"data.length={length}", f"data.seed={seed}", f"seed={seed}",
                     f"output_dir={folder}", "training.report=false", "device=cpu"]
        try:
            run = Run(train(recipes.build_task(recipes.load(case.recipe, overrides)), "run"))
        except TrainingError:
            return False
        return run.scores["accuracy"] >= SOLVED


@experiments.register("latching")
class Latching(Experiment):
    """Success against length."""

    title = "Latching"
    source = ("Bengio, Simard and Frasconi (1994), section 3; Lin, Horne, Tino and Giles (1996), section 4")
    year = 1994
    question = ("How long does a network keep one bit against noise, when it has learnt on sequences of that length? A "
                "NARX network feeds back its last outputs, each by weights of its own.")
    columns = {"T = 50": f"share of {TRIALS} networks that tell {SOLVED:.0%} of the test sequences of 50 steps apart, "
                         "trained on such; other lengths likewise",
               "longest": "the longest of these lengths that more than half of the networks have learnt"}
    published = {"NARX beside RNN": "two to three times the length (abstract of Lin et al.); one unit there, two "
                                    "classes, noise uniform, another optimiser"}

    def cases(self):
        """Return a case for each network."""
        return [Case(label, "classic/latching", (*overrides, f"data.length={LENGTHS[0]}"))
                for label, overrides in NETWORKS.items()]

    def measure(self, run, case):
        """Train networks on all lengths, and return the share that has learnt each."""
        shares = {length: sum(solved(case, length, seed) for seed in range(1, TRIALS + 1)) / TRIALS
                  for length in LENGTHS}
        learnt = [length for length, share in shares.items() if share > 0.5]
        return {**{f"T = {length}": share for length, share in shares.items()}, "longest": max(learnt, default=0)}

    def draw(self, rows, path):
        """Draw the shares by length, a line for each network."""
        axes = axes_of(7, 4, xlabel="length of the sequences", ylabel="share of networks that learn it",
                       ylim=(-0.05, 1.05))
        for number, row in enumerate(row for row in rows if "error" not in row):
            axes.plot(LENGTHS, [row[f"T = {length}"] for length in LENGTHS], "o-", label=row["label"],
                      linewidth=max(1, 9 - 1.3 * number), alpha=0.8)      # lines that lie on each other are all seen
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
        save(axes, path)
