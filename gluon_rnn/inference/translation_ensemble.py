r"""Ensembles of translation models: at each step the mean of their probabilities.

    p(y_t | y_0 ... y_{t-1}, x) = 1/M sum_m p_m(y_t | y_0 ... y_{t-1}, x)

References
----------
Sutskever, Vinyals, Le (2014), Sequence to sequence learning with neural networks, section 3.6: ensembles of LSTMs.
"""
import mxnet as mx

from gluon_rnn.models.decoding import DecodeStep, SourceEncoder

__all__ = ["MeanStep", "ReadAll"]

# Least probability, so that its logarithm is finite in float32.
_LEAST = 1e-37


class ReadAll:
    """`SourceEncoder` of an ensemble: source (S, N) and lengths (N,) to one list of the states of all models."""

    def __init__(self, models):
        self._readers = _hybridized(SourceEncoder, models)

    def __call__(self, source, source_length):
        return [state for read in self._readers for state in read(source, source_length)]


class MeanStep:
    """`DecodeStep` of an ensemble: token (N,) and the states of all models to log p (N, V) and the new states.

    For a single model the first output are its logits, as those of `DecodeStep`.
    """

    def __init__(self, models):
        self._steps = _hybridized(DecodeStep, models)

    def state_info(self, batch_size=0):
        """Return one list of the states of all models."""
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
