r"""Gated networks whose recurrence is linear in the state: all matrix products are made for all T at once.

With sigma the logistic function, * elementwise and the recurrence of `gluon_rnn.nn.linear_recurrence`:

QRNN (Bradbury et al. 2017), products with the last k inputs X_t = [x_{t-k+1}; ...; x_t]:
    z = tanh(W_z X + b_z),  f = sigma(W_f X + b_f),  o = sigma(W_o X + b_o)
    c_t = f_t * c_{t-1} + (1 - f_t) * z_t,  h_t = o_t * c_t
SRU (Lei et al. 2018, without the products v * c_{t-1} in the gates of its last version, which are not linear in c):
    f = sigma(W_f x + b_f),  r = sigma(W_r x + b_r)
    c_t = f_t * c_{t-1} + (1 - f_t) * (W x_t),  h_t = r_t * c_t + (1 - r_t) * alpha x_t
MinGRU (Feng et al. 2024):
    z = sigma(W_z x + b_z),  h_t = (1 - z_t) * h_{t-1} + z_t * (W_h x_t + b_h)
MinLSTM (Feng et al. 2024):
    f = sigma(W_f x + b_f),  i = sigma(W_i x + b_i),  f' = f / (f + i)
    h_t = f'_t * h_{t-1} + (1 - f'_t) * (W_h x_t + b_h)

Each product is an operator of its own: a stacked one had to be cut afterwards, which takes MXNet as long as half of it.
"""
import math

from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.delay import concat_features, last_values, require_input_size, shifts
from gluon_rnn.nn.linear_layers import GatedLinearLayers
from gluon_rnn.nn.shared import extends
from gluon_rnn.registry import encoders

__all__ = ["QRNN", "SRU", "MinGRU", "MinLSTM"]


@encoders.register("qrnn")
class QRNN(GatedLinearLayers):
    """Quasi-recurrent network with fo-pooling; (T, N, C) to (T, N, H).

    Parameters
    ----------
    window : int, default 1
        k: each gate sees the last k inputs. The states are then c (L, N, H) and, above 1, the last k - 1 inputs of each
        layer, (k - 1, N, C or H), oldest first.
    forget_bias, hidden_size, num_layers, layout, dropout, input_size, drop_h, initializers, dtype, backend
        As in `gluon_rnn.nn.linear_layers.GatedLinearLayers`.

    References
    ----------
    Bradbury, Merity, Xiong and Socher (2017), Quasi-Recurrent Neural Networks, equations 1-4.

    Examples
    --------
    >>> import mxnet as mx
    >>> layer = QRNN(8, window=2, input_size=4); layer.initialize()
    >>> outputs, states = layer(mx.nd.ones((5, 3, 4)), layer.begin_state(3))
    >>> outputs.shape, [state.shape for state in states]
    ((5, 3, 8), [(1, 3, 8), (1, 3, 4)])
    """

    products = {"z": 0, "f": 1, "o": 0}

    @extends(GatedLinearLayers)
    def __init__(self, *args, window=1, **options):
        check_sizes(window=window)
        self.window = window
        super().__init__(*args, **options)

    def layer_parameters(self, input_size, layer=0):
        """Return weights (H, k * `input_size`) and biases (H,); columns are those of the newest input first."""
        return super().layer_parameters(self.window * input_size, layer)

    def state_info(self, batch_size=0):
        """Return (L, N, H) for c and, for a window above 1, (k - 1, N, C or H) for the last inputs of each layer."""
        found = super().state_info(batch_size)
        if self.window == 1:
            return found
        require_input_size(self)
        sizes = [self.input_size, *[self.hidden_size] * (self.num_layers - 1)]
        return [*found, *({"shape": (self.window - 1, batch_size, size), "__layout__": "TNC"} for size in sizes)]

    def _one_layer(self, F, layer, inputs, begin, own, states, valid_length):
        if self.window == 1:
            return super()._one_layer(F, layer, inputs, begin, own, states, valid_length)
        if layer and valid_length is not None:                            # windows of the next steps begin in them
            inputs = functional.mask(F, inputs, valid_length)
        past, size = self.window - 1, self.hidden_size if layer else self.input_size
        extended = F.concat(states[layer], inputs, dim=0)                 # (k - 1 + T, N, C)
        seen = concat_features(F, shifts(F, extended, range(0, -self.window, -1), past), size)
        outputs, finals = super()._one_layer(F, layer, seen, begin, own, states, valid_length)
        return outputs, [*finals, last_values(F, extended, past, valid_length)]

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Run fo-pooling."""
        candidate = F.tanh(self._product(F, inputs, own, "z"))
        keep, output = (F.sigmoid(self._product(F, inputs, own, name)) for name in "fo")
        states, last = recurrence(keep, candidate, begin, "mean")
        return F.broadcast_mul(output, states), states, last


@encoders.register("sru")
class SRU(GatedLinearLayers):
    """Simple recurrent unit; (T, N, C) to (T, N, H).

    The gates see the input alone: the products v * c_{t-1} of the last version are left out, with which the recurrence
    would not be linear. In the first layer W_x x, H numbers, takes the place of x beside the state. alpha is the square
    root of 3, which keeps the variance of x through gates that begin at 1/2 (section 3.2 there).

    Parameters
    ----------
    forget_bias, hidden_size, num_layers, layout, dropout, input_size, drop_h, initializers, dtype, backend
        As in `gluon_rnn.nn.linear_layers.GatedLinearLayers`.

    References
    ----------
    Lei, Zhang, Wang, Dai and Artzi (2018), Simple Recurrent Units for Highly Parallelizable Recurrence.
    """

    products = {"c": 0, "f": 1, "r": 0}

    def layer_parameters(self, input_size, layer=0):
        """Return weights and biases of three products, and of x beside the state in the first layer."""
        found = super().layer_parameters(input_size)
        if layer == 0:
            found["x_weight"] = (self.hidden_size, input_size), self._weight
        return found

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Run the recurrence, and mix its states with the inputs."""
        beside = inputs
        if "x_weight" in own:
            beside = F.FullyConnected(inputs, own["x_weight"], no_bias=True, num_hidden=self.hidden_size, flatten=False)
        keep, reset = (F.sigmoid(self._product(F, inputs, own, name)) for name in "fr")
        states, last = recurrence(keep, self._product(F, inputs, own, "c"), begin, "mean")
        beside = beside * math.sqrt(3)
        return F.broadcast_add(beside, F.broadcast_mul(reset, F.broadcast_sub(states, beside))), states, last


@encoders.register("min_gru")
class MinGRU(GatedLinearLayers):
    """GRU without reset gate whose gate and candidate see the input alone; (T, N, C) to (T, N, H).

    Parameters
    ----------
    forget_bias, hidden_size, num_layers, layout, dropout, input_size, drop_h, initializers, dtype, backend
        As in `gluon_rnn.nn.linear_layers.GatedLinearLayers`.

    References
    ----------
    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), Were RNNs All We Needed?, section 3.1.

    Examples
    --------
    >>> import mxnet as mx
    >>> layer = MinGRU(8, num_layers=2); layer.initialize()
    >>> outputs, (h,) = layer(mx.nd.ones((5, 3, 4)), layer.begin_state(3))
    >>> outputs.shape, h.shape
    ((5, 3, 8), (2, 3, 8))
    """

    products = {"z": -1, "h": 0}

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Run the recurrence; its states are the outputs."""
        keep = F.sigmoid(self._product(F, inputs, own, "z", -1))          # 1 - z
        states, last = recurrence(keep, self._product(F, inputs, own, "h"), begin, "mean")
        return states, states, last


@encoders.register("min_lstm")
class MinLSTM(GatedLinearLayers):
    """LSTM without output gate, its gates normalised, that see the input alone; (T, N, C) to (T, N, H).

    Parameters
    ----------
    forget_bias, hidden_size, num_layers, layout, dropout, input_size, drop_h, initializers, dtype, backend
        As in `gluon_rnn.nn.linear_layers.GatedLinearLayers`.

    References
    ----------
    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), Were RNNs All We Needed?, section 3.2.
    """

    products = {"f": 1, "i": -1, "h": 0}

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Run the recurrence; its states are the outputs."""
        # f / (f + i) = sigma(log f - log i), without a division of zeros: log sigma(x) = -softrelu(-x).
        of_f, of_i = (F.Activation(self._product(F, inputs, own, name, -1), act_type="softrelu") for name in "fi")
        keep = F.sigmoid(F.broadcast_sub(of_i, of_f))
        states, last = recurrence(keep, self._product(F, inputs, own, "h"), begin, "mean")
        return states, states, last
