"""A Gluon block as a network of `gluon_rnn.answers`: NumPy arrays in and out, states stay on the block's device."""
import mxnet as mx
import numpy as np

from gluon_rnn.answers.network import Network
from gluon_rnn.inference.decoder_steps import DecoderSteps, StepForm
from gluon_rnn.models.decoding import DecodeStep, SourceEncoder
from gluon_rnn.nn.arguments import device_of
from gluon_rnn.nn.graph_block import GraphBlock

__all__ = ["EncoderNetwork", "FirstStatesNetwork", "LiveNetwork", "StepNetwork", "SteppingNetwork", "StructureNetwork",
           "TaggerNetwork", "TeacherForcedNetwork", "translation_networks"]


class LiveNetwork(Network):
    """A block that keeps the contract of `gluon_rnn.nn.SequenceBlock`, layout "TNC", as a network.

    Parameters
    ----------
    block : HybridBlock
        Its parameters initialised.
    ctx : mxnet.Context, optional
        Where it computes; default where its parameters are, the first of several devices.

    Inputs/Outputs
    --------------
    As `Network`. Inputs of whole numbers become int32, others the dtype of the block; `signals` keep theirs. States are
    NDArrays.
    """

    def __init__(self, block, ctx=None):
        self.block, self._ctx = block, ctx
        self.causal, self.name = bool(getattr(block, "causal", True)), type(block).__name__

    @property
    def device(self):
        """Where the block computes."""
        return self._ctx or device_of(self.block)

    def begin_state(self, batch_size):
        """Return the block's states of `batch_size` sequences before their first step."""
        return self.block.begin_state(batch_size, ctx=self.device)

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return outputs, NumPy arrays, and new states; see `Network`."""
        if states is None:
            states = self.begin_state(np.shape(inputs)[1])
        outputs, states = self.block(*self._arguments(inputs, states, valid_length, signals))
        return _as_numpy(outputs), states

    def stepping(self, batch_size):
        """Return a `SteppingNetwork` where the block has a stepper, on a CPU."""
        has_one = self.causal and hasattr(self.block, "stepper") and self.device.device_type == "cpu"
        return SteppingNetwork(self, batch_size) if has_one else self

    def outputs(self, inputs, valid_length=None, *signals):
        """Return outputs alone, which spares the block the work of keeping each row's last states."""
        return _as_numpy(self.block(*self._arguments(inputs, None, valid_length, signals)))

    def rows(self, states, indices):
        """Return the states of the rows `indices` of the batch."""
        return [mx.nd.take(state, mx.nd.array(indices, ctx=state.context, dtype="int32"), axis=axis)
                for state, axis in zip(states, self._axes(states))]

    def join(self, parts):
        """Return the states of several batches as those of one."""
        return [mx.nd.concat(*states, dim=axis) for states, axis in zip(zip(*parts), self._axes(parts[0]))]

    def _axes(self, states):
        """Return the batch axis of each state; the first where the block does not say."""
        if not hasattr(self.block, "state_info"):
            return [0] * len(states)
        return [info["__layout__"].index("N") for info in self.block.state_info(0)]

    def _arguments(self, inputs, states, valid_length, signals):
        """Return the arguments of the block's call, arrays on its device."""
        device = states[0].context if states else self.device
        inputs = np.asarray(inputs)
        kind = "int32" if inputs.dtype.kind in "iu" else getattr(self.block, "_dtype", "float32")
        lengths = None if valid_length is None else mx.nd.array(valid_length, ctx=device)
        further = [mx.nd.array(signal, ctx=device, dtype=np.asarray(signal).dtype) for signal in signals]
        return mx.nd.array(inputs, ctx=device, dtype=kind), states, lengths, *further


class SteppingNetwork(Network):
    """A live network for calls of one step each, cheapest with the states that the call before returned.

    Parameters
    ----------
    network : LiveNetwork
        Of a causal block with a stepper, on a CPU; it answers calls of several steps, and those with more arrays.
    batch_size : int
        N.

    Inputs/Outputs
    --------------
    As `Network`; states that come out are lists of NumPy arrays, those that go in may also be the block's.
    """

    def __init__(self, network, batch_size):
        self._network, self._batch_size, self._last = network, batch_size, None
        self._stepper = network.block.stepper(batch_size)
        self.causal, self.name = network.causal, network.name

    def begin_state(self, batch_size):
        """Return the states of `batch_size` sequences before their first step."""
        return self._network.begin_state(batch_size)

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return outputs and new states; see `Network`."""
        states = self.begin_state(self._batch_size) if states is None else states
        if signals or valid_length is not None or len(inputs) != 1:
            begin = [mx.nd.array(state, ctx=self._network.device, dtype=state.dtype) for state in states]
            return self._network(inputs, begin, valid_length, *signals)
        if states is not self._last:                                      # else the stepper is there already
            self._stepper.states = states
        outputs = self._stepper(inputs[0]).copy()
        self._last = self._stepper.states
        return outputs if self._stepper.one_output else outputs[None], self._last


class TaggerNetwork(LiveNetwork):
    """A `gluon_rnn.models.SequenceTagger` with a CRF: its outputs are scores (T, N, K) and the best labels (T, N)."""

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return (scores, labels), NumPy arrays, and new states."""
        scores, states = super().__call__(inputs, states, valid_length, *signals)
        return (scores, self._labels(scores, valid_length)), states

    def outputs(self, inputs, valid_length=None, *signals):
        """Return (scores, labels), NumPy arrays."""
        scores = super().outputs(inputs, valid_length, *signals)
        return scores, self._labels(scores, valid_length)

    def stepping(self, batch_size):
        """Return this network: the labels of a sequence are found at its end."""
        return self

    def _labels(self, scores, valid_length):
        scores = mx.nd.array(scores, ctx=self.device, dtype=scores.dtype)
        return self.block.decode(scores, valid_length).asnumpy()


class StructureNetwork(LiveNetwork):
    """A classifier of trees or graphs: what it takes are the arrays of a batch, without states or lengths."""

    causal = False

    def __init__(self, block, ctx=None):
        super().__init__(block, ctx)
        self.causal = False

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return outputs, a NumPy array, and no states."""
        return self.outputs(inputs, valid_length, *signals), []

    def outputs(self, inputs, valid_length=None, *signals):
        """Return outputs (N, K) of the arrays of a batch."""
        arrays = [mx.nd.array(part, ctx=self.device, dtype=np.asarray(part).dtype) for part in (inputs, *signals)]
        return _as_numpy(self.block(*arrays))


# ---- the parts of models that search and generate ------------------------------------------------------------------


class EncoderNetwork(LiveNetwork):
    """A `gluon_rnn.models.SourceEncoder`: ``_, states = network(source, None, source_length)``."""

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return None, and what the decoder starts from."""
        source, _, lengths = self._arguments(inputs, None, valid_length, ())
        return None, self.block(source, lengths)


class StepNetwork(LiveNetwork):
    """A step of a decoder, such as `gluon_rnn.models.DecodeStep`: ``logits, states = network(token, states)``."""

    def __init__(self, block, ctx=None):
        super().__init__(block, ctx)
        self._form = None

    def stepping(self, batch_size):
        """Return a `DecoderSteps` for one search, where the block is one of this package on a CPU."""
        if not isinstance(self.block, GraphBlock) or self.device.device_type != "cpu":
            return self
        info = self.block.state_info(batch_size)
        if self._form is None:
            self._form = StepForm.of(self.block, len(info))
        return DecoderSteps(self._form, [state["__layout__"].index("N") for state in info], self.device)

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return logits (N, V), a NumPy array, and new states."""
        logits, states = self.block(mx.nd.array(inputs, ctx=states[0].context, dtype="int32"), states)
        return logits.asnumpy(), states


class TeacherForcedNetwork(LiveNetwork):
    """A `gluon_rnn.models.Seq2Seq`: ``outputs, _ = network(source, None, source_length, target, target_length)``."""

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return logits (T, N, V), with attention a tuple of these and the weights (T, N, S); and no states."""
        source, _, source_length, target, target_length = self._arguments(inputs, None, valid_length, signals)
        outputs = self.block(source, target, source_length, target_length)
        return _as_numpy(outputs[0] if outputs[1] is None else outputs), []


class FirstStatesNetwork(LiveNetwork):
    """The first states of a `gluon_rnn.models.ConditionalLanguageModel`: ``_, states = network(classes)``."""

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return None, and the states before the first token."""
        return None, self.block.states_for(mx.nd.array(inputs, ctx=self.device, dtype="int32"))


def translation_networks(models):
    """Return the networks of translation models: {"encoder": list, "step": list, "model": list}.

    Parameters
    ----------
    models : list of Seq2Seq
        Initialised; their parameters may change between calls.
    """
    def hybridized(kind):
        blocks = [kind(model) for model in models]
        for block in blocks:
            block.hybridize()
        return blocks

    return {"encoder": [EncoderNetwork(block) for block in hybridized(SourceEncoder)],
            "step": [StepNetwork(block) for block in hybridized(DecodeStep)],
            "model": [TeacherForcedNetwork(model) for model in models]}


def _as_numpy(outputs):
    if isinstance(outputs, (list, tuple)):
        return tuple(output.asnumpy() for output in outputs)
    return outputs.asnumpy()
