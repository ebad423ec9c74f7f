"""Two tables of word vectors, and the loss of skip-gram and of CBOW over windows.

A word has a vector v in ``embedding_weight``, the one that is of use afterwards, and an output vector u in
``output_weight``. Which scores they are trained by is written in `gluon_rnn.models.window_gradients`; here it is a
graph, for autograd, for GPUs and for evaluation.

References
----------
Mikolov, Chen, Corrado, Dean (2013a), Efficient estimation of word representations in vector space.
Mikolov, Sutskever, Chen, Corrado, Dean (2013b), Distributed representations of words and phrases and their
compositionality.
"""
import warnings

import mxnet as mx

from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.registry import models

__all__ = ["WordVectors"]


@models.register("word_vectors")
class WordVectors(SequenceBlock):
    """A table of vectors that words are looked up in, and a table of output vectors that it is trained against.

    Parameters
    ----------
    vocab_size : int, >= 1
        Number of words V.
    embed_size : int, >= 1, default 100
        Numbers of a vector D.

    Inputs
    ------
    tokens : (T, N) array, int32
        Word ids.
    states : list, optional
        Empty: nothing is remembered.
    valid_length : (N,) array, optional

    Outputs
    -------
    (T, N, D) array of vectors, 0 past `valid_length`; with `states` given, a pair of it and an empty list.

    Raises
    ------
    ValueError
        If a size is below 1.

    Notes
    -----
    Vectors start uniform in [-1 / (2 D), 1 / (2 D)] and output vectors at 0, as in word2vec's C code, whatever
    initializer `initialize` is given.

    Examples
    --------
    >>> model = WordVectors(9, embed_size=4)
    >>> model.initialize()
    >>> model(mx.nd.array([[1, 2], [3, 4], [5, 6]], dtype="int32")).shape
    (3, 2, 4)
    """

    input_dimensions = 2   # token ids

    def __init__(self, vocab_size, *, embed_size=100, layout="TNC", prefix=None, params=None):
        super().__init__(layout=layout, prefix=prefix, params=params)
        check_sizes(vocab_size=vocab_size, embed_size=embed_size)
        self._vocab_size, self._embed_size = vocab_size, embed_size
        with self.name_scope():
            self.embedding_weight = self.params.get("embedding_weight", shape=(vocab_size, embed_size),
                                                    init=mx.init.Uniform(0.5 / embed_size), dtype=self._dtype)
            self.output_weight = self.params.get("output_weight", shape=(vocab_size, embed_size), init="zeros",
                                                 dtype=self._dtype)

    @property
    def vocab_size(self):
        """Number of words V."""
        return self._vocab_size

    @property
    def embed_size(self):
        """Numbers of a vector D."""
        return self._embed_size

    def state_info(self, batch_size=0):
        """Return an empty list."""
        return []

    def accepts_empty_states(self, with_lengths):
        """Return True: there are no others."""
        return True

    def _build_cache(self, *args):
        with warnings.catch_warnings():                                   # of the table that only training reads
            warnings.filterwarnings("ignore", message="Parameter .* is not used by any computation")
            super()._build_cache(*args)

    def forward_sequence(self, F, inputs, states, valid_length, *, embedding_weight, output_weight):
        """Look up the vectors (T, N, D) of words (T, N)."""
        return self._looked_up(F, inputs, valid_length, embedding_weight), []

    def output_vectors(self, inputs, valid_length=None):
        """Return the output vectors (T, N, D) of words (T, N), NDArrays or symbols; 0 past `valid_length`."""
        F, weights = self._weights(inputs)
        if valid_length is None:
            return self._looked_up(F, inputs, None, weights["output_weight"])
        with functional.clamped(F, valid_length, inputs) as lengths:
            return self._looked_up(F, inputs, lengths, weights["output_weight"])

    def _looked_up(self, F, inputs, valid_length, weight):
        if valid_length is None:
            return F.take(weight, inputs)
        # an id out of range, or NaN, cannot be looked up
        return functional.mask(F, F.take(weight, functional.mask(F, inputs, valid_length)), valid_length)

    def _weights(self, like):
        F = mx.nd if isinstance(like, mx.nd.NDArray) else mx.sym
        return F, {name: parameter.data(like.context) if F is mx.nd else parameter.var()
                   for name, parameter in self._reg_params.items()}

    # ---- training --------------------------------------------------------------------------------------------------

    def window_loss(self, centres, contexts, pairs, noise, architecture, negatives):
        """Return the summed loss of blocks, (1,), as `gluon_rnn.models.window_gradients` has it.

        Parameters
        ----------
        centres : (B, L) array or symbol, int32
            Words side by side, B blocks of them.
        contexts : (B, S) array or symbol, int32
            The words of each block and those around it.
        pairs : (B, L, S) array or symbol
            1 for a word in the window of a centre, else 0.
        noise : (B, M) array or symbol, int32
        architecture : {"skip_gram", "cbow"}
        negatives : float
        """
        F, weights = self._weights(centres)
        vectors, outputs = weights["embedding_weight"], weights["output_weight"]
        noise_vectors = F.take(outputs, noise)                                               # (B, M, D)
        if architecture == "skip_gram":
            means, trained = F.take(vectors, centres), F.sum(pairs, axis=2, keepdims=True)
            scores = F.batch_dot(means, F.take(outputs, contexts), transpose_b=True)            # (B, L, S)
            right = F.sum(pairs * F.Activation(-scores, act_type="softrelu"))
        else:
            counts = F.sum(pairs, axis=2, keepdims=True)
            trained = counts > 0                                                             # (B, L, 1)
            means = F.batch_dot(F.broadcast_div(pairs, F.maximum(counts, 1)), F.take(vectors, contexts))
            scores = F.sum(means * F.take(outputs, centres), axis=2, keepdims=True)
            right = F.sum(trained * F.Activation(-scores, act_type="softrelu"))
        wrong = F.Activation(F.batch_dot(means, noise_vectors, transpose_b=True), act_type="softrelu")
        return F.reshape(right + F.sum(F.broadcast_mul(F.mean(wrong, axis=2, keepdims=True) * negatives, trained)),
                         shape=(1,))
