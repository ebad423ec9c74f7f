"""The output layer of a language model, and its embedding: what the two share where weights are tied.

    e_t = E[token_t]                          E (V, E), the embedding
    scores_t = W h_t + b                      W (V, H); the same array as E where weights are tied

An output layer is no block: its parameters belong to the language model, which hands them over as `weights`. So a
model has the same file whether it learns from all words or from samples of them, and one table serves both ends.
"""
import mxnet as mx

from gluon_rnn.nn import functional
from gluon_rnn.registry import outputs

__all__ = ["FullSoftmax"]


@outputs.register("full_softmax")
class FullSoftmax:
    """Scores of all V words, and their cross-entropy: the output layer that everybody knows.

    Attributes
    ----------
    trains_on_samples : bool
        Whether `training_loss` is an estimate, so that evaluation needs `loss`.
    asks_the_host : bool
        Whether its losses need `arrays`.
    dtype : str
        Of the hidden outputs and parameters; the model keeps it up to date.

    Notes
    -----
    Parameters: ``embedding_weight`` (V, E), ``output_weight`` (V, H) where weights are not tied, ``output_bias`` (V,).
    """

    trains_on_samples = False
    asks_the_host = False

    def __init__(self):
        self._sizes, self.dtype = None, "float32"

    def set_sizes(self, vocab_size, embed_size, input_size, tied):
        """Take the sizes of a model: V, E, H of the hidden outputs, and whether weights are tied (E equals H then).

        A layer belongs to the model that told it its sizes last.

        Raises
        ------
        ValueError
            If an argument of the layer does not fit to them.
        """
        self._sizes = vocab_size, embed_size, input_size
        self._tied = tied

    def parameters(self):
        """Return {name: (shape, initializer)} of what the model has to hold, in the order in which it is initialised.

        Weights start uniform in [-0.1, 0.1], so that the first predictions are close to uniform; biases start at 0.
        """
        vocab_size, embed_size, input_size = self._sizes
        found = {"embedding_weight": ((vocab_size, embed_size), mx.init.Uniform(0.1))}
        if not self._tied:
            found["output_weight"] = ((vocab_size, input_size), mx.init.Uniform(0.1))
        return {**found, "output_bias": ((vocab_size,), "zeros")}

    def named_rows(self, tokens):
        """Return {name of a parameter: what each of its rows stands for} of a vocabulary, a list of V tokens."""
        return dict.fromkeys(self.parameters(), tokens)

    def embed(self, F, tokens, weights, drop_e=0.0):
        """Return the embedded tokens (T, N, E) of ids (T, N); `drop_e` as in `functional.embed`."""
        # Dropping a row of the weight drops the word; the output layer sees the whole weight even where it is tied.
        return functional.embed(F, tokens, weights["embedding_weight"], drop_e)

    def scores(self, F, hidden, weights):
        """Return scores (T, N, V) of hidden outputs (T, N, H); their softmax is the distribution."""
        return F.FullyConnected(hidden, self._weight(weights), weights["output_bias"], num_hidden=self._sizes[0],
                                flatten=False)

    def loss(self, F, hidden, target, weights, *arrays):
        """Return the summed cross-entropy in nats, (1,), of hidden outputs (T, N, H) and the words (T, N) to come.

        `arrays` are what `arrays` returned for this target, on the device.
        """
        return -F.sum(F.pick(F.log_softmax(self.scores(F, hidden, weights)), target))

    def training_loss(self, F, hidden, target, weights, *arrays):
        """Return what training makes small: here `loss` itself."""
        return self.loss(F, hidden, target, weights, *arrays)

    def arrays(self, target, devices=1, random=None):
        """Return what the host knows of a batch and the loss has use for: NumPy arrays, one row for each device.

        Parameters
        ----------
        target : (T, N) array of int
            The words to come.
        devices : int
            Over which N is split evenly.
        random : numpy.random.Generator, optional
            For a layer that draws samples.
        """
        return []

    def _weight(self, weights):
        return weights["embedding_weight" if self._tied else "output_weight"]
