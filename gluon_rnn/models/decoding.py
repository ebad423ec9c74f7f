"""Further graphs of a `Seq2Seq`: the encoder, one step of the decoder, and training on its own predictions.

They share the parameters of the model and give the same numbers.

References
----------
Bengio, Vinyals, Jaitly, Shazeer (2015), Scheduled sampling for sequence prediction with recurrent neural networks.
"""
import mxnet as mx
from mxnet import gluon

from gluon_rnn.nn import functional
from gluon_rnn.nn.arguments import take, take_lengths
from gluon_rnn.nn.graph_block import GraphBlock

__all__ = ["DecodeStep", "ScheduledSampling", "SourceEncoder", "check_tokens"]


class SourceEncoder(GraphBlock):
    """The encoder of a `Seq2Seq`, whose parameters it shares: source (S, N), lengths (N,) to a list of states."""

    def __init__(self, model, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._read, self.loops = model.read, model.loops
        _adopt(self, model.source_embedding, model.encoder, model.bridge, getattr(model.attention, "key", None))

    def __call__(self, source, source_length=None):
        return super().__call__(*check_tokens(self, "source", source, source_length))

    def hybrid_forward(self, F, source, source_length):
        """Return the states that `DecodeStep` starts from."""
        return self._read(F, source, source_length)


class DecodeStep(GraphBlock):
    """One step of the decoder of a `Seq2Seq`: token (N,) and states to logits (N, V) and states.

    The same numbers as the teacher-forced graph; `state_info` tells gluonnlp's samplers where the batch axis is.
    """

    def __init__(self, model, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._step, self.state_info, self.loops = model.step, model.state_info, model.loops
        _adopt(self, model.target_embedding, model.decoder, model.readout, model.output,
               getattr(model.attention, "query", None), getattr(model.attention, "score", None))

    def hybrid_forward(self, F, token, states):
        """Return the logits (N, V) of the token after `token` (N,), and the states behind it."""
        return self._step(F, token, states)


class ScheduledSampling(GraphBlock):
    """A `Seq2Seq` that reads its own most probable token where a coin is 0.

    Inputs/Outputs
    --------------
    source, target, source_length, target_length as for `Seq2Seq`, and coins (T, N): 1 where the decoder reads the
    right token, 0 where it reads its own prediction of the step before (at the first step the right one always)
    -> logits (T, N, V), 0 past `target_length`. With all coins 1 the same numbers as the model.

    References
    ----------
    Bengio et al. (2015), section 2.4; the most probable token is taken instead of a drawn one.
    """

    loops = True

    def __init__(self, model, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self.model = model

    def __call__(self, source, target, source_length, target_length, coins):
        source, source_length = check_tokens(self, "source", source, source_length)
        target, target_length = check_tokens(self, "target", target, target_length)
        return super().__call__(source, target, source_length, target_length, take(self, "coins", coins, "float32"))

    def hybrid_forward(self, F, source, target, source_length, target_length, coins):
        """Loop over the target; see the class."""
        model, target_length = self.model, functional.clamp(F, target_length, target)
        states = model.read(F, source, source_length)
        embedded = model.look_up(F, model.target_embedding, target, target_length)                       # (T, N, E)
        noise = model.noise(F, embedded)                                  # of guesses too, so the loop applies it
        own, memory = model.split_states(states)
        first = F.reshape(F.slice_axis(functional.mask(F, target, target_length), axis=0, begin=0, end=1), shape=(-3,))
        embedded = embedded if noise is None else F.broadcast_mul(embedded, noise)
        noise = None if noise is None else F.reshape(noise, shape=(-3, 0))

        def step(slices, carried):
            right, coin = slices
            # The logits are carried, not their argmax: `foreach` of MXNet 1.9.1 fails on a state without a gradient.
            before, *states = carried
            guess = model.target_embedding(F.argmax(before, axis=1))
            guess = guess if noise is None else guess * noise
            x = F.where(F.broadcast_like(F.expand_dims(coin, axis=1), right), right, guess)
            output, *attended, states = model.advance(F, x, states, memory)
            logits = model.score_tokens(F, output, *attended[:1])
            return logits, [logits, *states]

        begin = F.one_hot(first, depth=model.target_vocab_size, dtype=model._dtype)
        logits, _ = F.contrib.foreach(step, [embedded, coins], [begin, *own])
        return functional.mask(F, logits, target_length)


def _adopt(graph, *blocks):
    """Make the blocks children of `graph`; Gluon warns of parameters that a graph has and does not use."""
    for block in blocks:
        if isinstance(block, gluon.Block):
            graph.register_child(block)


def check_tokens(block, name, tokens, valid_length):
    """Return the tokens (T, N) of a call of `block` and their lengths (N,), all of T where none are given.

    Raises
    ------
    ValueError
        If shapes do not fit, or a length does not lie between 0 and T.
    """
    tokens = take(block, name, tokens, None)
    if not isinstance(tokens, mx.nd.NDArray):
        return tokens, valid_length
    if len(tokens.shape) != 2:
        raise ValueError(f"{name} must be token ids of two axes (T, N), got shape {tokens.shape}")
    steps, batch = tokens.shape
    if valid_length is None:
        return tokens, mx.nd.full((batch,), steps, ctx=tokens.context)
    return tokens, take_lengths(block, valid_length, tokens, f"{name}_length")
