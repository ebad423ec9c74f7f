"""The losses of models of time series: in open loop, on the simulation error, and on the way from one to the other."""
from mxnet import gluon

from gluon_rnn.inference.simulate import closed_loop
from gluon_rnn.models import NARX
from gluon_rnn.models.lag_gradients import loss_and_gradients

__all__ = ["FEEDBACK", "SeriesLoss"]

FEEDBACK = ("open_loop", "scheduled", "closed_loop")
# Up to so many numbers in the hidden layers of a batch, gradients in NumPy were twice as fast as autograd's or more.
_FEW = 2**22


class SeriesLoss(gluon.HybridBlock):
    r"""A model and its loss over windows of recordings.

    open_loop (series-parallel): measured outputs are fed back, all steps at once.

    closed_loop (parallel, the simulation error): the measured washout sets the states, from there on the model lives on
    its own outputs; the gradient goes back through the whole window, which truncates it.

    scheduled: some measured values are replaced by the model's own predictions of them, more and more as training goes
    on. Predictions come from a first pass in open loop, so that both passes stay parallel over time.

    Parameters
    ----------
    model : NARX, AR or Forecaster
    washout : int
        Rows of each window that are read and not scored.
    length : int
        Rows that are scored.
    feedback : {"open_loop", "scheduled", "closed_loop"}

    Inputs/Outputs
    --------------
    inputs (washout + length + horizon - 1, N, Cx + Ky), x and measured y side by side; for scheduled a coin
    (washout + length, N, 1), 1 where the measured value is replaced -> the summed loss over length * N samples, shape
    (1,); that of one sample is the mean over outputs and horizons.

    References
    ----------
    Narendra and Parthasarathy (1990): series-parallel and parallel identification. Bengio, Vinyals, Jaitly and Shazeer
    (2015), Scheduled sampling. Duckworth, Neelakantan, Goodrich, Kaiser and Bengio (2019), Parallel scheduled sampling.
    """

    def __init__(self, model, washout, length, feedback="open_loop", **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self._washout, self._length, self._feedback = washout, length, feedback
        self._horizon = model.horizon
        # Not a child, hence not an attribute: the trainer must not meet the parameters of `model` twice.
        closed = closed_loop(model) if feedback == "closed_loop" else None
        self._feed_back = lambda x, states: closed(x, states)[0]

    def hybrid_forward(self, F, inputs, coin=None):
        run = {"open_loop": self._open_loop, "closed_loop": self._closed_loop}.get(self._feedback)
        raw = run(F, inputs) if run else self._scheduled(F, inputs, coin)
        loss = self.model.head.loss(F, raw, self._targets(F, inputs))           # (length, N, H * Ky)
        return F.sum(loss) / (self._horizon * self.model.output_size)

    def loss_and_gradients(self, inputs, *_):
        """Return the loss (float) and {parameter: gradient} in NumPy, without autograd; None where autograd is the way.

        For a NARX or AR model in open loop on a CPU, in float32 or float64, unless it is a large one.
        """
        model = self.model
        if (self._feedback != "open_loop" or not isinstance(model, NARX) or model.backend == "reference"
                or model.layout != "TNC"
                or inputs.context.device_type != "cpu" or model._dtype not in ("float32", "float64")
                or self._length * inputs.shape[1] * sum(model.lags.hidden_sizes) > _FEW):
            return None
        values = {name: parameter.data().asnumpy() for name, parameter in model._reg_params.items()}
        loss, gradients = loss_and_gradients(model.lags, values, inputs.asnumpy(), self._washout, self._length)
        return loss, {model._reg_params[name]: gradient for name, gradient in gradients.items()}

    def _targets(self, F, inputs):
        """Return y_t, ..., y_{t+H-1} of each scored step side by side, (length, N, H * Ky)."""
        y = self._slice(F, inputs, self._washout, None)
        y = F.slice_axis(y, axis=2, begin=self.model.input_size, end=None)
        ahead = [self._slice(F, y, step, step + self._length) for step in range(self._horizon)]
        return ahead[0] if self._horizon == 1 else F.concat(*ahead, dim=2)

    def _open_loop(self, F, inputs):
        seen = self._slice(F, inputs, 0, self._washout + self._length)
        return self._slice(F, self.model(seen), self._washout, None)

    def _closed_loop(self, F, inputs):
        measured = self._slice(F, inputs, 0, self._washout)
        _, states = self.model(measured, self._begin(F, inputs))
        x = self._slice(F, inputs, self._washout, self._washout + self._length)
        x = F.slice_axis(x, axis=2, begin=0, end=max(self.model.input_size, 1))
        return self._feed_back(x, states)

    def _scheduled(self, F, inputs, coin):
        seen = self._slice(F, inputs, 0, self._washout + self._length)
        own = F.BlockGrad(self.model.head.mean(F, self.model(seen)))
        y = F.slice_axis(seen, axis=2, begin=self.model.input_size, end=None)
        mixed = y + F.broadcast_mul(coin, own - y)
        if self.model.input_size:
            mixed = F.concat(F.slice_axis(seen, axis=2, begin=0, end=self.model.input_size), mixed, dim=2)
        return self._slice(F, self.model(mixed), self._washout, None)

    def _begin(self, F, inputs):
        """Return the model's begin states with the batch size of `inputs`, which a graph does not know."""
        return self.model._symbolic_begin_state(inputs) if F.__name__.endswith("symbol") else (
            self.model.begin_state(inputs.shape[1], ctx=inputs.context))

    @staticmethod
    def _slice(F, values, begin, end):
        return F.slice_axis(values, axis=0, begin=begin, end=end)
