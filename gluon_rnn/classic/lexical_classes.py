"""Lexical classes from word order: what a network that predicts words has learnt of them, by mean states."""
import math

import mxnet as mx
import numpy as np

from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.classic.pictures import axes_of, save
from gluon_rnn.data.elman import ElmanGrammar
from gluon_rnn.diagnostics.hidden_states import mean_states

__all__ = ["LexicalClasses", "classes_of", "groups_of", "pure_at", "purity", "states_behind"]

ANIMATE = ("NOUN-HUM", "NOUN-ANIM", "NOUN-AGRESS")
_FILE = "states.npz"


def states_behind(model, ids, words):
    """Return the `MeanStates` of a language model's encoder behind each of `words`, over the stream `ids` (n,)."""
    tokens = mx.nd.array(ids[:, None], dtype="int32")
    hidden = model.hidden_and_scores(tokens, model.begin_state(1))[0].asnumpy()[:, 0]
    return mean_states([(hidden, ids)], words)


def groups_of(vectors, count):
    """Return the number, 1 to `count`, of the group of each of `vectors` (n, H): Ward's clustering, its tree cut."""
    from scipy.cluster import hierarchy
    return hierarchy.fcluster(hierarchy.linkage(vectors, "ward"), count, "maxclust")


def purity(groups, classes):
    """Return the share of items that are of the most frequent class of their group.

    >>> purity([1, 1, 2, 2], ["a", "a", "a", "b"])
    0.75
    """
    groups, classes = np.asarray(groups), np.asarray(classes)
    return sum(max(np.unique(classes[groups == group], return_counts=True)[1]) for group in set(groups)) / len(groups)


def pure_at(vectors, classes):
    """Return the least number of groups of `vectors` (n, H) each of which has words of one class only."""
    return next(count for count in range(1, len(classes) + 1) if purity(groups_of(vectors, count), classes) == 1)


def classes_of(categories):
    """Return "verb", "animate" or "inanimate" of each word, a dict, from its categories in Elman's lexicon."""
    return {word: "verb" if category.startswith("VERB") else "animate" if category in ANIMATE else "inanimate"
            for word, category in categories.items()}


@experiments.register("lexical_classes")
class LexicalClasses(Experiment):
    """See the module."""

    title = "Lexical classes from word order"
    source = "Elman (1990), Finding structure in time, section Discovering lexical classes from word order"
    year = 1990
    question = ("A network that has only predicted the next word puts nouns and verbs apart, and among nouns animate "
                "and inanimate ones.")
    columns = {"perplexity": "of the test split",
               "above_best": "share by which it is above that of the true grammar on the same split",
               "above_entropy": "share by which it is above that of the grammar's entropy, 7.02",
               "classes": "purity of the three groups that clustering makes of words: verbs, animates, inanimates",
               "pure_at": "groups at which each is of one of these classes; 29 words have at least 3",
               "animates": "purity of the two groups that it makes of nouns: animates, inanimates"}
    published = {"Elman's network of 150 hidden units": "nouns, verbs and animates apart in a tree; no perplexity"}

    def cases(self):
        """Return the networks."""
        return [Case("Elman RNN", "classic/lexical_classes", (), (1, 2, 3)),
                Case("LSTM", "classic/lexical_classes", ("model.encoder.name=lstm",))]

    def measure(self, run, case):
        """Return perplexities and purities; leave the mean states in a file."""
        predictor, data = run.predictor(), ElmanGrammar(**run.config.data.arguments)
        found = states_behind(predictor.model, data.ids("test"), predictor.assets.vocab.idx_to_token)
        states, classes = found.means, classes_of(data.categories)
        np.savez(run.path / _FILE, words=found.names, states=states)
        kinds = np.array([classes[word] for word in found.names])
        is_noun = kinds != "verb"
        perplexity = run.scores["perplexity"]
        return {"perplexity": perplexity, "above_best": perplexity / math.exp(data.ideal("test")) - 1,
                "above_entropy": perplexity / math.exp(data.entropy_rate) - 1,
                "classes": purity(groups_of(states, 3), kinds), "pure_at": pure_at(states, kinds),
                "animates": purity(groups_of(states[is_noun], 2), kinds[is_noun])}

    def draw(self, rows, path):
        """Draw the tree of words, each in the colour of its class."""
        from scipy.cluster import hierarchy
        files = sorted(path.parent.glob(f"elman-rnn-seed1/*/{_FILE}"))
        if not files:
            return
        with np.load(files[-1]) as found:
            words, states = found["words"].tolist(), found["states"]
        axes = axes_of(6, 7, xlabel="distance", title="Words by the mean states behind them")
        hierarchy.dendrogram(hierarchy.linkage(states, "ward"), labels=words, orientation="left", ax=axes,
                             color_threshold=0, above_threshold_color="0.4")
        colours, classes = {"verb": "C3", "animate": "C0", "inanimate": "C2"}, classes_of(ElmanGrammar(1000).categories)
        for label in axes.get_yticklabels():
            label.set_color(colours[classes[label.get_text()]])
        save(axes, path)
