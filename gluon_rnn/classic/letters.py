"""Letters "ba dii guuu": where the next letter is chance, and where it is certain, shows in the error."""
import mxnet as mx
import numpy as np

from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.classic.pictures import axes_of, save
from gluon_rnn.data.letters import FEATURES, Letters

__all__ = ["LettersExperiment", "errors_of"]

_VOWELS = "aiu"
_SHOWN = 40
_FILE = "errors.csv"


def errors_of(model, frames):
    """Return squared errors (T - 1, 6) of what a frame predictor expects behind each of frames (T, 6) but the last."""
    logits = model(mx.nd.array(frames[:-1, None]), model.begin_state(1))[0].asnumpy()[:, 0].astype(np.float64)
    return (1 / (1 + np.exp(-logits)) - frames[1:]) ** 2


@experiments.register("letters")
class LettersExperiment(Experiment):
    """See the module."""

    title = "Letters in time"
    source = "Elman (1990), Finding structure in time, section Structure in letter sequences"
    year = 1990
    question = ("The error is high where a consonant comes, which is chance, and low on the vowels that it determines; "
                "even of consonants it is foretold that they are consonants.")
    columns = {"consonants": "root mean squared error of the six features where a consonant comes; the least is 0.272",
               "vowels": "the same where a vowel comes; the least is 0",
               "is_consonant": "root mean squared error of the feature 'consonant' where a consonant comes",
               "high": "that of the feature 'high' there; the least is 0.471"}
    published = {"Elman's network of 20 hidden units": "the same in figures without numbers"}

    def cases(self):
        """Return the networks; a window of two letters lacks how many vowels there were."""
        return [Case("Elman RNN", "classic/letters"), Case("LSTM", "classic/letters", ("model.encoder.name=lstm",)),
                Case("TDNN of 1 delay", "classic/letters_tdnn")]

    def measure(self, run, case):
        """Return errors by what comes, on the pieces of the test split; leave those along one piece in a file."""
        model = run.predictor().model
        data = Letters(**run.config.data.arguments)
        strings = data.strings("test")
        each = [errors_of(model, frames) for frames in data.rolls("test")]
        errors, coming = np.concatenate(each), np.array(list("".join(string[1:] for string in strings)))
        vowel = np.isin(coming, list(_VOWELS))
        lines = [f"{letter},{np.sqrt(row.mean()):.6f}" for letter, row in zip(strings[0][1:_SHOWN + 1], each[0])]
        (run.path / _FILE).write_text("\n".join(["letter,error", *lines]) + "\n", encoding="utf-8")
        features = np.sqrt(errors[~vowel].mean(axis=0))
        return {"consonants": np.sqrt(errors[~vowel].mean()), "vowels": np.sqrt(errors[vowel].mean()),
                "is_consonant": features[FEATURES.index("consonant")], "high": features[FEATURES.index("high")]}

    def draw(self, rows, path):
        """Draw the error along the beginning of a piece, each point marked by the letter that came."""
        files = sorted(path.parent.glob(f"elman-rnn-seed1/*/{_FILE}"))
        if not files:
            return
        lines = [line.split(",") for line in files[-1].read_text(encoding="utf-8").split()[1:]]
        errors = [float(error) for _, error in lines]
        axes = axes_of(9, 3.2, xlabel="letter", ylabel="root mean squared error",
                       title="Elman RNN: the error where each letter comes")
        axes.plot(errors, color="C0", linewidth=0.8)
        for place, (letter, error) in enumerate(zip(lines, errors)):
            axes.text(place, error, letter[0], color="C3" if letter[0] not in _VOWELS else "black")
        axes.set(ylim=(0, max(errors) * 1.15))
        save(axes, path)
