"""SequenceTagger: a tag for each word of a sentence."""
import numpy as np
from sklearn.utils.validation import check_is_fitted

from gluon_rnn.data.forms import tagged_sentences
from gluon_rnn.estimators.base import RunEstimator

__all__ = ["SequenceTagger"]


class SequenceTagger(RunEstimator):
    """Tagger of sentences, which are lists of words.

    Arguments that are None leave what the recipe says.

    Parameters
    ----------
    encoder : str or dict, optional
        A name such as "gru", or a section of a recipe; default "lstm", in both directions.
    char_encoder : dict, optional
        Of the letters of words, a section of a recipe; default none.
    hidden_size, embed_size : int, optional
        Units of the encoder, and of the embedding of words; default 64.
    crf : bool, optional
        Whether the tags of a sentence are chosen together; default False.
    epochs, learning_rate, batch_size : optional
        Of training; default 20, 0.01 and 32.
    seed : int, default 0
        Of training, and of the sentences that are drawn to select the epoch.
    validation_fraction : float in (0, 1), default 0.1
        Share of the sentences whose accuracy selects the epoch.
    recipe, overrides, output_dir : optional
        As for `gluon_rnn.estimators.Forecaster`.

    Attributes
    ----------
    classes_ : (K,) array of str
        The tags, in alphabetical order.
    metrics_, results_, run_, predictor_
        See `gluon_rnn.estimators.base.RunEstimator`.
    """

    keys = {**RunEstimator.keys, "embed_size": "model.embed_size", "crf": "model.crf",
            "char_encoder": "model.char_encoder"}

    def __init__(self, encoder=None, *, char_encoder=None, hidden_size=None, embed_size=None, crf=None, epochs=None,
                 learning_rate=None, batch_size=None, seed=0, validation_fraction=0.1, recipe=None, overrides=None,
                 output_dir=None):
        self.encoder, self.char_encoder, self.hidden_size = encoder, char_encoder, hidden_size
        self.embed_size, self.crf, self.epochs, self.learning_rate = embed_size, crf, epochs, learning_rate
        self.batch_size, self.seed, self.validation_fraction = batch_size, seed, validation_fraction
        self.recipe, self.overrides, self.output_dir = recipe, overrides, output_dir

    def base_recipe(self):
        """Return the recipe where the user gives none."""
        return {"task": {"name": "tagging"}, "data": {"name": "conllu", "batch_size": 32},
                "model": {"embed_size": 64, "dropout": 0.2, "encoder": {"name": "lstm", "hidden_size": 64}},
                "training": {"epochs": 20, "clip_norm": 5.0, "schedule": {"name": "cosine"},
                             "optimizer": {"name": "adam", "learning_rate": 0.01}}}

    def fit(self, X, y, *, valid=None):
        """Train on sentences and the tags of their words.

        Parameters
        ----------
        X, y : lists of lists of str
            Words and tags; words have no white space in them.
        valid : (X, y), optional
            What selects the epoch, in the place of `validation_fraction`.

        Returns
        -------
        self
        """
        sentences = tagged_sentences((X, y), "X and y")
        self.classes_ = np.array(sorted({tag for _, tags in sentences for tag in tags}))
        if valid is None:
            train, chosen = self._divided(sentences)
        else:
            train, chosen = sentences, tagged_sentences(tuple(valid), "valid")
        return self._fit(self._recipe(), {"train": _columns(train), "valid": _columns(chosen)})

    def predict(self, X):
        """Return the tags of the words of each sentence, a list of lists of str."""
        check_is_fitted(self)
        for number, words in enumerate(X):
            if isinstance(words, str) or any(not isinstance(word, str) or word.split() != [word] for word in words):
                raise ValueError(f"X: sentence {number} must be a list of words without white space, got {words!r}")
        return [found.tags for found in self.predictor_.predict([" ".join(words) for words in X])]

    def score(self, X, y):
        """Return the share of the words that get their right tag."""
        sentences = tagged_sentences((X, y), "X and y")
        pairs = [pair for (_, tags), found in zip(sentences, self.predict(X)) for pair in zip(tags, found)]
        return sum(tag == found for tag, found in pairs) / len(pairs)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        return tags

    def _divided(self, sentences):
        """Return the sentences to train on and those that select the epoch, drawn by the seed."""
        size = round(self.validation_fraction * len(sentences))
        if not 0 < size < len(sentences):
            raise ValueError(f"validation_fraction {self.validation_fraction} of {len(sentences)} sentences leaves "
                             "nothing for one of the two parts; pass valid, or take another share")
        order = np.random.default_rng(self.seed).permutation(len(sentences))
        return ([sentences[index] for index in np.sort(part)] for part in (order[size:], order[:size]))


def _columns(sentences):
    """Return (lists of words, lists of tags)."""
    return [list(words) for words, _ in sentences], [list(tags) for _, tags in sentences]
