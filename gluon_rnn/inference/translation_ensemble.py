r"""Several translation models as one: at each step the mean of their probabilities.

    p(y_t | y_0 ... y_{t-1}, x) = 1/M sum_m p_m(y_t | y_0 ... y_{t-1}, x)

Models that differ in their seed alone make different mistakes, so that the mean is right more often than any of them.

References
----------
Sutskever, Vinyals, Le (2014), Sequence to sequence learning with neural networks, section 3.6: ensembles of LSTMs.
"""
import mxnet as mx

from gluon_rnn.models.decoding import DecodeStep, SourceEncoder

__all__ = ["MeanStep", "ReadAll"]

# In place of a probability that float32 rounds to 0: its logarithm is a number.
_LEAST = 1e-37


class ReadAll:
    """What `SourceEncoder` is for one model: source (S, N), lengths (N,) to the states of all of them, one list."""

    def __init__(self, models):
        self._readers = _hybridized(SourceEncoder, models)

    def __call__(self, source, source_length):
        return [state for read in self._readers for state in read(source, source_length)]


class MeanStep:
    """What `DecodeStep` is for one model: token (N,) and all states to log p (N, V), and the states behind it.

    Of one model alone what comes out are its logits, as from `DecodeStep`.
    """

    def __init__(self, models):
        self._steps = _hybridized(DecodeStep, models)

    def state_info(self, batch_size=0):
        """Return the states of all models, one list."""
        return [info for step in self._steps for info in step.state_info(batch_size)]

    def __call__(self, token, states):
        probabilities, after, begin = 0, [], 0
        for step in self._steps:
            end = begin + len(step.state_info())
            logits, own = step(token, states[begin:end])
            probabilities, after, begin = probabilities + mx.nd.softmax(logits), [*after, *own], end
        if len(self._steps) == 1:
            return logits, after
        return mx.nd.log(mx.nd.maximum(probabilities / len(self._steps), _LEAST)), after


def _hybridized(kind, models):
    blocks = [kind(model) for model in models]
    for block in blocks:
        block.hybridize()
    return blocks
