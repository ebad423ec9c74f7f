"""Next frame of a piano roll: any causal encoder, and one logistic output for each key.

    h_t, s_t = encoder(x_t, s_{t-1})          x_t in {0, 1}^K: the keys that sound in frame t
    p(x_{t+1}[k] = 1 | x_1, ..., x_t) = sigmoid(w_k h_t [+ s_k x_t] + b_k)      the middle: the linear skip path

The keys of a frame are independent of each other given the frames before it, so that

    -log p(x_{t+1} | x_1, ..., x_t) = sum_k binary cross-entropy of key k, in nats per frame.

References
----------
Boulanger-Lewandowski, Bengio, Vincent (2012), Modeling temporal dependencies in high-dimensional sequences: application
to polyphonic music generation and transcription: the task, and the RNN of its table 1.
"""
from gluon_rnn.models.around_encoder import AroundEncoder
from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_flags, check_rates, check_sizes
from gluon_rnn.nn.contract import check_encoder
from gluon_rnn.registry import models

__all__ = ["FramePredictor", "frame_loss"]


@models.register("frame_predictor")
class FramePredictor(AroundEncoder):
    """Predicts which keys sound in the next frame from all frames before it.

    Parameters
    ----------
    encoder : SequenceBlock
        A causal sequence block such as `gluon_rnn.nn.LSTM`, layout "TNC".
    num_keys : int, default 88
        K, keys of a frame: the piano's.
    drop_i : float in [0, 1), default 0
        Dropout on the input frames, drawn anew at each step.
    dropout : float in [0, 1), default 0
        Dropout on the encoder's output, drawn anew at each step.
    skip : bool, default False
        Add a linear path from a frame to the logits of the next one, S (K, K), which starts at 0: that a key sounds on,
        and which keys follow it, need not go through the encoder.
    layout : {"TNC", "NTC"}, default "TNC"
        Axis order of frames and outputs.

    Inputs
    ------
    frames : (T, N, K) array
        1 where a key sounds, else 0.
    states : list of arrays, optional
        As `begin_state` gives them, or as the frames before returned them.
    valid_length : (N,) array, optional
        Real frames of each row; what follows them changes nothing.

    Outputs
    -------
    (T, N, K) array: the logit of each key in the *next* frame, 0 past `valid_length`; with `states` given, a pair of it
    and the list of new states.

    Raises
    ------
    ValueError
        If the encoder looks ahead, or a size or a rate is out of range.

    Examples
    --------
    >>> import mxnet as mx
    >>> from gluon_rnn.nn import GRU
    >>> model = FramePredictor(GRU(16), num_keys=12)
    >>> model.initialize()
    >>> logits, states = model(mx.nd.zeros((5, 2, 12)), model.begin_state(2))
    >>> logits.shape
    (5, 2, 12)
    """

    def __init__(self, encoder, num_keys=88, *, drop_i=0, dropout=0, skip=False, layout="TNC", prefix=None,
                 params=None):
        check_encoder("a frame predictor", encoder, "the frame")
        super().__init__(layout=layout, dtype=encoder._dtype, prefix=prefix, params=params)
        check_sizes(num_keys=num_keys)
        check_rates(drop_i=drop_i, dropout=dropout)
        check_flags(skip=skip)
        encoder.set_input_size(num_keys)
        self.num_keys, self._drop_i, self._dropout = num_keys, drop_i, dropout
        with self.name_scope():
            self.encoder = encoder
            self.output_weight = self.params.get("output_weight", shape=(num_keys, encoder.output_size),
                                                 dtype=self._dtype)
            self.output_bias = self.params.get("output_bias", shape=(num_keys,), init="zeros", dtype=self._dtype)
            if skip:
                self.skip_weight = self.params.get("skip_weight", shape=(num_keys, num_keys), init="zeros",
                                                   dtype=self._dtype)

    @property
    def output_size(self):
        """Number of outputs of a step: the keys."""
        return self.num_keys

    def forward_sequence(self, F, inputs, states, valid_length, *, output_weight, output_bias,
                         skip_weight=None):
        """Compute the logits (T, N, K) and the new states of frames (T, N, K); see the class."""
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)                # first of all, so that NaN stays out
        inputs = F.Dropout(inputs, p=self._drop_i) if self._drop_i else inputs
        arguments = (inputs, states) if valid_length is None else (inputs, states, valid_length)
        outputs, states = self.encoder(*arguments)                        # (T, N, H)
        outputs = F.Dropout(outputs, p=self._dropout) if self._dropout else outputs
        logits = F.FullyConnected(outputs, output_weight, output_bias, num_hidden=self.num_keys, flatten=False)
        if skip_weight is not None:
            logits = logits + F.FullyConnected(inputs, skip_weight, no_bias=True, num_hidden=self.num_keys,
                                               flatten=False)
        return (logits if valid_length is None else functional.mask(F, logits, valid_length)), states


def frame_loss(F, logits, target, valid_length):
    """Return -log p(target) of each frame in nats, (T, N): binary cross-entropies summed over keys, 0 on padding.

    Parameters
    ----------
    F : mx.nd or mx.sym
    logits, target : (T, N, K)
        `target` holds 0 and 1.
    valid_length : (N,)
    """
    logits, target = functional.mask(F, logits, valid_length), functional.mask(F, target, valid_length)
    # log(1 + exp(x)) - x y without overflow: relu(x) - x y + log(1 + exp(-|x|))
    losses = F.relu(logits) - logits * target + F.Activation(-F.abs(logits), act_type="softrelu")
    return F.sum(functional.mask(F, losses, valid_length), axis=2)
