"""Labels without their places: any encoder with an output for each step that CTC turns into a label sequence.

    h_t = encoder(x)_t,    o_t = W h_t + b          K labels, and the blank as output K

fitted by `gluon_rnn.nn.CTCLoss`, read by `gluon_rnn.inference.best_path` or `prefix_beam_search`.

References
----------
Graves, Fernandez, Gomez & Schmidhuber (2006), Connectionist Temporal Classification: Labelling Unsegmented Sequence
Data with Recurrent Neural Networks.
"""
import mxnet as mx

from gluon_rnn.models.around_encoder import AroundEncoder
from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_rates, check_sizes
from gluon_rnn.nn.contract import check_encoder
from gluon_rnn.registry import models

__all__ = ["CTCModel"]


@models.register("ctc")
class CTCModel(AroundEncoder):
    """Scores of K labels and the blank at each step: a recogniser of label sequences shorter than their inputs.

    Parameters
    ----------
    encoder : SequenceBlock
        Any sequence block, layout "TNC"; states may be carried where it is causal.
    num_labels : int, >= 1
        K, without the blank.
    input_size : int, default 0
        C, input features; 0 takes it from the first input.
    dropout : float in [0, 1), default 0
        Rate on the encoder's output.
    layout : {"TNC", "NTC"}, default "TNC"

    Inputs/Outputs
    --------------
    inputs (T, N, C), states, valid_length (N,) -> logits (T, N, K + 1), 0 past `valid_length`, and states.

    Examples
    --------
    >>> from gluon_rnn.inference import best_path
    >>> from gluon_rnn.nn import LSTM
    >>> model = CTCModel(LSTM(8, bidirectional=True), 10, input_size=40)
    >>> model.initialize()
    >>> logits = model(mx.nd.ones((12, 2, 40)), valid_length=mx.nd.array([12, 7]))
    >>> logits.shape, len(best_path(logits, mx.nd.array([12, 7])))
    ((12, 2, 11), 2)
    """

    def __init__(self, encoder, num_labels, *, input_size=0, dropout=0.0, layout="TNC", prefix=None, params=None):
        check_encoder("a CTCModel", encoder)
        super().__init__(layout=layout, dtype=encoder._dtype, prefix=prefix, params=params)
        check_sizes(num_labels=num_labels)
        check_rates(dropout=dropout)
        self.causal = encoder.causal
        self.num_labels, self.output_size, self._dropout = num_labels, num_labels + 1, dropout
        if input_size:
            encoder.set_input_size(input_size)
        with self.name_scope():
            self.encoder = encoder
            self.output_weight = self.params.get("output_weight", shape=(num_labels + 1, encoder.output_size),
                                                 init=mx.init.Xavier(), dtype=self._dtype)
            self.output_bias = self.params.get("output_bias", shape=(num_labels + 1,), init="zeros", dtype=self._dtype)

    def _check_inputs(self, inputs, shape):
        super()._check_inputs(inputs, shape)
        self.encoder.set_input_size(shape[-1])           # states of a first call need to know it

    def forward_sequence(self, F, inputs, states, valid_length, *, output_weight, output_bias):
        """Compute logits (T, N, K + 1) and the new states."""
        given = () if valid_length is None else (valid_length,)
        outputs, states = self.encoder(inputs, states, *given)                           # (T, N, H)
        outputs = F.Dropout(outputs, p=self._dropout) if self._dropout else outputs
        logits = F.FullyConnected(outputs, output_weight, output_bias, num_hidden=self.output_size, flatten=False)
        return (functional.mask(F, logits, valid_length) if given else logits), states
