"""Counting: up to which n a network that was trained on n = 1 to 10 accepts a^n b^n and a^n b^n c^n."""
from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.data.counting import counted, counted_tags

__all__ = ["Counting", "longest_accepted"]

LIMIT = 1000
_AT_ONCE = 20


def longest_accepted(predict, letters, limit=LIMIT):
    """Return the largest n for which all strings of 1 to n letters each are accepted, at most `limit`.

    Parameters
    ----------
    predict : callable
        From texts of symbols with spaces between them to objects with `tags`: the `predict` of a tagger.
    letters : str
        "ab" or "abc".
    """
    for first in range(1, limit + 1, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, limit + 1))
        found = predict([" ".join(counted(letters, n)[:-1]) for n in numbers])
        for n, each in zip(numbers, found):
            if list(each.tags) != counted_tags(letters, n):
                return n - 1
    return limit


@experiments.register("counting")
class Counting(Experiment):
    """See the module."""

    title = "Counting"
    source = "Gers & Schmidhuber (2001), on simple context-free and context-sensitive languages"
    year = 2001
    question = ("Has an LSTM that has learnt a^n b^n, and a^n b^n c^n, for n = 1 to 10 learnt to count beyond 10, with "
                "peepholes and without?")
    columns = {"longest_n": f"largest n such that all strings from 1 to n are accepted, at most {LIMIT:,}",
               "learnt": "share of right sets of symbols for n = 1 to 10"}
    published = {"a^n b^n c^n, LSTM trained by Kalman filters": "up to 1,000 and more, from n = 1 to 10 (Perez-Ortiz, "
                                                                "Gers, Eck & Schmidhuber 2003)"}

    def cases(self):
        """Return both languages for an LSTM, one with peepholes, and a plain network."""
        encoders = (("LSTM", "classic/counting", "lstm", (1, 2, 3)),
                    ("peephole LSTM", "classic/counting_peephole", "peephole_lstm", (1, 2, 3)),
                    ("Elman RNN", "classic/counting", "rnn", (1,)))
        return [Case(f"{label}, {name}", recipe, (f"model.encoder.name={encoder}", f"data.letters={letters}"), seeds)
                for letters, name in (("ab", "a^n b^n"), ("abc", "a^n b^n c^n"))
                for label, recipe, encoder, seeds in encoders]

    def measure(self, run, case):
        """Return the longest n of the last checkpoint."""
        letters = run.config.data.arguments.get("letters", "ab")
        found = longest_accepted(run.predictor("last").predict, letters)
        return {"longest_n": found, "learnt": float(run.metrics["valid_accuracy"].iloc[-1])}
