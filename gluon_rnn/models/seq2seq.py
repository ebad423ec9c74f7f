r"""Sequence to sequence: an encoder reads the source, a decoder writes the target, attention connects the two.

Source tokens x_1 ... x_S, target tokens y_1 ... y_T, y_0 the begin token; e(.) are embeddings:

    m_s, state = encoder(e(x_1), ..., e(x_S))        memory (S, N, M); states of each row's last valid step
    state_0 = tanh(W_b [state] + b_b)                the bridge; or state_0 = state

    none       s_t = decoder(e(y_{t-1}), s_{t-1})
               h~_t = s_t
    luong      s_t = decoder(e(y_{t-1}), s_{t-1}),  c_t = attend(s_t, m)
               h~_t = tanh(W_r [c_t; s_t] + b_r)
    bahdanau   c_t = attend(s_{t-1}, m),  s_t = decoder([e(y_{t-1}); c_t], s_{t-1})
               h~_t = tanh(W_r [c_t; s_t] + b_r)

    p(y_t | y_0 ... y_{t-1}, x) = softmax(W_o h~_t + b_o)

With the right target given (teacher forcing), "none" and "luong" have no loop: the decoder runs over all T at once and
attention follows as one product. "bahdanau" asks before each step, and so does any decoder that reads its own
predictions: those are loops.

References
----------
Sutskever, Vinyals, Le (2014), Sequence to sequence learning with neural networks; Cho et al. (2014), Learning phrase
representations using RNN encoder-decoder: no attention.
Bahdanau, Cho, Bengio (2015), Neural machine translation by jointly learning to align and translate; the readout here is
Luong's, not their maxout layer.
Luong, Pham, Manning (2015), Effective approaches to attention-based neural machine translation, section 3.1, global
attention without input feeding.
Bengio, Vinyals, Jaitly, Shazeer (2015), Scheduled sampling for sequence prediction with recurrent neural networks.
Sennrich & Zhang (2019), Revisiting low-resource neural machine translation: a case study: word dropout, tied weights.
"""
import mxnet as mx
from mxnet import gluon

from gluon_rnn.models.bridge import Bridge
from gluon_rnn.models.decoding import check_tokens
from gluon_rnn.nn import functional
from gluon_rnn.nn.attention import BahdanauAttention, LuongAttention
from gluon_rnn.nn.checks import check_flags, check_rates, check_sizes
from gluon_rnn.nn.contract import check_encoder
from gluon_rnn.nn.functional import concat
from gluon_rnn.nn.graph_block import GraphBlock
from gluon_rnn.nn.stepwise import Stepwise
from gluon_rnn.registry import models

__all__ = ["Seq2Seq"]

ATTENTIONS = ("none", "luong", "bahdanau")


@models.register("seq2seq")
class Seq2Seq(GraphBlock):
    """Encoder, decoder and attention; the call is the teacher-forced graph.

    Parameters
    ----------
    source_vocab_size, target_vocab_size : int
        Numbers of tokens.
    encoder, decoder : SequenceBlock
        Such as `gluon_rnn.nn.GRU`, layout "TNC". The encoder may look ahead, the decoder may not.
    attention : {"luong", "bahdanau", "none"}, default "luong"
    score : {"general", "dot"}, default "general"
        Of Luong's attention.
    embed_size : int, default 128
        E, size of an embedded source or target token.
    bridge : {"dense", "copy"}, default "dense"
        How the encoder's last states become the decoder's first ones; "copy" needs states of the same shapes.
    tie_weights : bool, default False
        The output layer's weight is the target embedding's; h~ has `embed_size` units then.
    drop_e : float in [0, 1), default 0
        Share of tokens, of source and target, that are read as a vector of zeros: word dropout.
    drop_i : float in [0, 1), default 0
        Dropout on embedded tokens, one mask for all steps.
    dropout : float in [0, 1), default 0
        Dropout on the encoder's outputs, which attention reads, and on h~, drawn anew at each step.

    Inputs
    ------
    source : (S, N) int32 array
    target : (T, N) int32 array
        What the decoder reads: the begin token and then y_1 ... y_{T-1}.
    source_length, target_length : (N,) array, optional
        Real steps of each row; default all. What follows them changes nothing.

    Outputs
    -------
    logits : (T, N, V) array
        0 past `target_length`.
    weights : (T, N, S) array or None
        Attention: each row sums to 1 over the source and is 0 on its padding and past `target_length`. None without.

    Raises
    ------
    ValueError
        If the decoder looks ahead, sizes do not fit together or an argument is out of range.

    Notes
    -----
    `SourceEncoder` and `DecodeStep` share the parameters and give the same numbers step by step, for sampling and beam
    search; `ScheduledSampling` is the training graph of a decoder that reads some of its own predictions.

    Examples
    --------
    >>> from gluon_rnn.nn import GRU
    >>> model = Seq2Seq(50, 60, GRU(8, bidirectional=True), GRU(8), embed_size=4)
    >>> model.initialize()
    >>> source, target = mx.nd.ones((5, 3), dtype="int32"), mx.nd.ones((7, 3), dtype="int32")
    >>> logits, weights = model(source, target, mx.nd.array([5, 2, 1]))
    >>> logits.shape, weights.shape
    ((7, 3, 60), (7, 3, 5))
    """

    def __init__(self, source_vocab_size, target_vocab_size, encoder, decoder, *, attention="luong", score="general",
                 embed_size=128, bridge="dense", tie_weights=False, drop_e=0.0, drop_i=0.0, dropout=0.0,
                 prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        check_sizes(source_vocab_size=source_vocab_size, target_vocab_size=target_vocab_size, embed_size=embed_size)
        check_rates(drop_e=drop_e, drop_i=drop_i, dropout=dropout)
        check_flags(tie_weights=tie_weights)
        _check_parts(encoder, decoder, attention)
        self.attention_name, self.embed_size, self._dtype = attention, embed_size, encoder._dtype
        self.source_vocab_size, self.target_vocab_size = source_vocab_size, target_vocab_size
        self._drop_e, self._drop_i, self._dropout = drop_e, drop_i, dropout
        self.loops = attention == "bahdanau" or encoder.loops or decoder.loops
        encoder.set_input_size(embed_size)
        decoder.set_input_size(embed_size + (encoder.output_size if attention == "bahdanau" else 0))
        with self.name_scope():
            self.encoder, self.decoder = encoder, decoder
            self.bridge = Bridge(encoder, decoder, bridge, prefix="bridge_")
            self.source_embedding = self._embedding(source_vocab_size, "source_embedding_")
            self._make_attention(encoder.output_size, decoder.output_size, score)
            self._make_output(encoder.output_size, decoder.output_size, tie_weights)
            self.target_embedding = (_TiedEmbedding(self.output.weight) if tie_weights else
                                     self._embedding(target_vocab_size, "target_embedding_"))

    def _embedding(self, size, prefix):
        return gluon.nn.Embedding(size, self.embed_size, dtype=self._dtype, weight_initializer=mx.init.Uniform(0.1),
                                  prefix=prefix)

    def _make_attention(self, memory_size, query_size, score):
        self.attention = None
        options = dict(dtype=self._dtype, prefix="attention_")
        if self.attention_name == "luong":
            self.attention = LuongAttention(query_size, memory_size, score, **options)
        elif self.attention_name == "bahdanau":
            self.attention = BahdanauAttention(query_size, memory_size, **options)

    def _make_output(self, memory_size, query_size, tie_weights):
        units = self.embed_size if tie_weights else query_size
        if self.attention is None and units != query_size:
            raise ValueError(f"tie_weights without attention needs a decoder whose output is embed_size long, got "
                             f"embed_size {units} and output size {query_size}; make them equal")
        self.readout = None if self.attention is None else gluon.nn.Dense(
            units, activation="tanh", in_units=memory_size + query_size, flatten=False, dtype=self._dtype,
            prefix="readout_")
        self.output = gluon.nn.Dense(
            self.target_vocab_size, in_units=units, flatten=False, dtype=self._dtype, prefix="output_",
            weight_initializer=mx.init.Uniform(0.1))

    # ---- the public call ---------------------------------------------------------------------------------------

    def __call__(self, source, target, source_length=None, target_length=None):
        source, source_length = check_tokens(self, "source", source, source_length)
        target, target_length = check_tokens(self, "target", target, target_length)
        logits, weights = super().__call__(source, target, source_length, target_length)
        return logits, weights[0] if weights else None

    def hybrid_forward(self, F, source, target, source_length, target_length):
        """Teacher-forced logits (T, N, V) and a list of the attention's weights (T, N, S), empty without attention."""
        target_length = functional.clamp(F, target_length, target)
        outputs = self._read_and_write(F, source, target, source_length, target_length)
        logits, weights = self.score_tokens(F, *outputs[:2]), outputs[2:]
        return functional.mask(F, logits, target_length), [functional.mask(F, w, target_length) for w in weights]

    def logits_at(self, F, places, source, target, source_length, target_length):
        """Return the teacher-forced logits (M, V) of M target steps alone: t and n of each in `places`, (2, M) int32.

        The output layer is the larger part of the work in most models, and padding needs none of it.
        """
        target_length = functional.clamp(F, target_length, target)
        outputs = self._read_and_write(F, source, target, source_length, target_length)[:2]
        return self.score_tokens(F, *(functional.steps_at(F, part, places) for part in outputs))

    # ---- parts, which the other graphs share ---------------------------------------------------------------------

    def _read_and_write(self, F, source, target, source_length, target_length):
        """Return s (T, N, H) and, with attention, c (T, N, M) and weights (T, N, S)."""
        states = self.read(F, source, source_length)
        embedded = self.embed(F, self.target_embedding, target, target_length)                           # (T, N, E)
        return self._write(F, embedded, states)

    def embed(self, F, embedding, tokens, valid_length):
        """Return embedded tokens (T, N, E) with dropout."""
        embedded = self.look_up(F, embedding, tokens, valid_length)
        return F.Dropout(embedded, p=self._drop_i, axes=(0,)) if self._drop_i else embedded

    def look_up(self, F, embedding, tokens, valid_length):
        """Return embedded tokens (T, N, E), of which word dropout may have left out some."""
        if valid_length is not None:
            tokens = functional.mask(F, tokens, valid_length)                # an id out of range cannot be looked up
        embedded = embedding(tokens)
        return F.Dropout(embedded, p=self._drop_e, axes=(2,)) if self._drop_e else embedded   # whole tokens, or none

    def noise(self, F, embedded):
        """Return the mask (1, N, E) that `embed` draws for embedded tokens (T, N, E), None where it drops nothing."""
        ones = F.ones_like(F.slice_axis(embedded, axis=0, begin=0, end=1))
        return F.Dropout(ones, p=self._drop_i) if self._drop_i else None

    def read(self, F, source, source_length):
        """Return the states before the first target token of source (S, N): see `state_info`."""
        if source_length is None:
            return self._read(F, source, None)
        with functional.clamped(F, source_length, source) as lengths:
            return self._read(F, source, lengths)

    def _read(self, F, source, source_length):
        embedded = self.embed(F, self.source_embedding, source, source_length)                           # (S, N, E)
        begin = (self.encoder.begin_state(embedded.shape[1], ctx=embedded.context) if F is mx.nd
                 else self.encoder._symbolic_begin_state(embedded))
        memory, finals = self.encoder(embedded, begin, source_length)                                    # (S, N, M)
        states = self.bridge(finals)
        if self.attention is None:
            return states
        return [*states, *self.attention.prepare(F, self._drop(F, memory), source_length), source_length]

    def _write(self, F, embedded, states):
        """Return s (T, N, H) and, with attention, c (T, N, M) and weights (T, N, S), from embedded targets."""
        own, memory = self.split_states(states)
        if self.attention_name == "bahdanau":
            return (self._loop_in_parts if Stepwise.fits(self.decoder) else self._loop)(F, embedded, own, memory)
        outputs, _ = self.decoder(embedded, own)                                                         # (T, N, H)
        return [outputs] if self.attention is None else [outputs, *self.attention.attend(F, outputs, *memory)]

    def _loop(self, F, embedded, own, memory):
        def step(x, carried):
            *results, after = self.advance(F, x, carried, memory)
            return results, after
        return F.contrib.foreach(step, embedded, own)[0]

    def _loop_in_parts(self, F, embedded, own, memory):
        """What `_loop` does, with the decoder's product with all embedded targets outside of the loop."""
        parts, (keys, values, source_length) = Stepwise(self.decoder, self.embed_size), memory
        projected, own, parameters = parts.prepare(F, embedded, own)
        # The product with the context, a weighted sum, is the same sum of products, which are there before the loop.
        products = parts.fed_product(F, values, parameters)               # (N, S, G * H)
        asked = self.attention.prepare_steps(F, keys, source_length)
        outputs, weights = self._ask_each_step(F, projected, own, asked, (parts, products, parameters))
        contexts = F.batch_dot(F.swapaxes(weights, 0, 1), values)         # (N, T, M)
        return [outputs, F.swapaxes(contexts, 0, 1), weights]

    def _ask_each_step(self, F, projected, own, asked, of_decoder):
        parts, products, parameters = of_decoder

        def step(at_step, carried):
            weights = self.attention.weigh_step(F, carried[0], *asked)    # (N, 1, S)
            product = F.reshape(F.batch_dot(weights, products), shape=(-3, 0))
            output, after = parts.step(F, at_step, product, carried, parameters)
            return [output, weights], after

        outputs, weights = F.contrib.foreach(step, projected, own)[0]
        return outputs, F.reshape(weights, shape=(0, -3, 0))              # (T, N, S)

    def advance(self, F, x, own, memory):
        """One step from x = e(y) (N, E): return s (N, H), with attention c (N, M) and weights (N, S), and states."""
        x = F.expand_dims(x, axis=0)                                                                     # (1, N, E)
        attended = []
        if self.attention_name == "bahdanau":
            query = F.slice_axis(own[0], axis=0, begin=-1, end=None)      # h of the top layer, (1, N, H)
            attended = list(self.attention.attend(F, query, *memory))
            x = concat(F, x, attended[0])
        output, own = self.decoder(x, own)
        if self.attention_name == "luong":
            attended = list(self.attention.attend(F, output, *memory))
        return [*(F.reshape(value, shape=(-3, 0)) for value in (output, *attended)), own]

    def step(self, F, token, states):
        """Return the logits (N, V) of the token after `token` (N,), and the states behind it; see `DecodeStep`."""
        own, memory = self.split_states(states)
        output, *attended, own = self.advance(F, self.target_embedding(token), own, memory)
        return self.score_tokens(F, output, *attended[:1]), [*own, *memory]

    def score_tokens(self, F, outputs, contexts=None):
        """Return the logits (..., V) of s (..., H) and c (..., M)."""
        if self.attention is None:
            return self.output(self._drop(F, outputs))
        # In rows: MXNet concatenates arrays of two dimensions far faster than those of three.
        rows = F.concat(*(F.reshape(part, shape=(-1, size)) for part, size in (
            (contexts, self.encoder.output_size), (outputs, self.decoder.output_size))), dim=1)
        logits = self.output(self._drop(F, self.readout(rows)))           # of h~
        return F.reshape_like(logits, outputs, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=-1)

    def _drop(self, F, values):
        return F.Dropout(values, p=self._dropout) if self._dropout else values

    def split_states(self, states):
        """Return the decoder's own states, and what attention reads: keys, values, source length."""
        count = len(self.decoder.state_info())
        return list(states[:count]), list(states[count:])

    def state_info(self, batch_size=0):
        """Return what a step needs: the decoder's states, then keys (N, S, K), values (N, S, M), source length (N,).

        S depends on the source, and is 0 there.
        """
        infos = self.decoder.state_info(batch_size)
        if self.attention is None:
            return infos
        memory, query = self.encoder.output_size, self.decoder.output_size
        keys = memory if self.attention_name == "luong" and self.attention.key is None else query
        shapes = [((batch_size, 0, keys), "NTC"), ((batch_size, 0, memory), "NTC"), ((batch_size,), "N")]
        return infos + [{"shape": shape, "__layout__": layout} for shape, layout in shapes]


class _TiedEmbedding:
    """An embedding that reads the output layer's weight (V, E); no block, so that the weight has one owner and name."""

    def __init__(self, weight):
        self.weight = weight

    def __call__(self, tokens):
        vocab_size, embed_size = self.weight.shape
        F, weight = ((mx.nd, self.weight.data(tokens.context)) if isinstance(tokens, mx.nd.NDArray) else
                     (mx.sym, self.weight.var()))
        return F.Embedding(tokens, weight, input_dim=vocab_size, output_dim=embed_size, dtype=self.weight.dtype)


def _check_parts(encoder, decoder, attention):
    if attention not in ATTENTIONS:
        raise ValueError(f"attention must be one of {', '.join(map(repr, ATTENTIONS))}, got {attention!r}")
    check_encoder("a seq2seq", encoder)
    check_encoder("a seq2seq", decoder, "the token", what="decoder")
    if decoder._dtype != encoder._dtype:
        raise ValueError(f"encoder and decoder must have one dtype, got {encoder._dtype} and {decoder._dtype}")
    first = decoder.state_info(1)[0] if decoder.state_info(1) else {"shape": (), "__layout__": ""}
    if attention == "bahdanau" and (first["__layout__"] != "LNC" or first["shape"][-1] != decoder.output_size):
        raise ValueError("bahdanau attention asks with the decoder's last output, which must be its first state, as "
                         f"in rnn, lstm and gru; {type(decoder).__name__} does not keep it there, take luong")
