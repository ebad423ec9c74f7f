"""What an encoder says on a batch: its outputs, the states of all its layers, or outputs of another input."""
import mxnet as mx
import numpy as np

from gluon_rnn.diagnostics.unrolled import Unrolled, in_place_of_calls

__all__ = ["outputs_of", "states_of", "with_inputs"]


def outputs_of(encoder, run):
    """Return what an encoder gives while a model runs.

    Parameters
    ----------
    encoder : SequenceBlock
        Any, also one without states or in both directions; layout "TNC".
    run : callable
        Without arguments: runs the model that holds `encoder` on a batch, uncompiled.

    Returns
    -------
    outputs : (T, N, H) float32 array
    lengths : (N,) int array
        Valid steps of each row.

    Raises
    ------
    ValueError
        If the encoder is not called once.
    """
    noted = _noted(encoder, run)
    outputs, lengths = noted
    steps, rows = outputs.shape[:2]
    found = np.full(rows, steps) if lengths is None else np.asarray(lengths.asnumpy(), int)
    return outputs.asnumpy(), np.clip(found, 0, steps)


def _noted(encoder, run):
    """Return outputs and lengths, arrays, of the one call of `encoder` in ``run()``."""
    calls, call = [], type(encoder).__call__

    def noted(inputs, states=None, valid_length=None, *signals):
        answer = call(encoder, inputs, states, valid_length, *signals)
        calls.append((answer if states is None else answer[0], valid_length))
        return answer

    with in_place_of_calls(encoder, noted):
        run()
    if len(calls) != 1 or not isinstance(calls[0][0], mx.nd.NDArray):
        raise ValueError(f"the run must call the encoder {type(encoder).__name__} once, and called it {len(calls)} "
                         "times or compiled; pass the encoder of the model, and call model.hybridize(False)")
    return calls[0]


def with_inputs(encoder, run, inputs=None):
    """Return ``run()``, and the inputs (T, N, C) of the encoder in it; those given take the place of its own.

    So gradients come to what an embedding has made of token ids. Arguments are those of `outputs_of`; the encoder is
    called once.
    """
    seen, call = [], type(encoder).__call__

    def replaced(own, *others):
        seen.append(own)
        return call(encoder, own if inputs is None else inputs, *others)

    with in_place_of_calls(encoder, replaced):
        answer = run()
    if len(seen) != 1:
        raise ValueError(f"the run must call the encoder {type(encoder).__name__} once, and called it {len(seen)} "
                         "times; pass the encoder of the model, uncompiled")
    return answer, seen[0]


def states_of(encoder, run):
    """Return the states of all layers of an encoder at each step; arguments and errors as in `outputs_of`.

    Returns
    -------
    dict of (T, N, H) float32 arrays
        By name, such as "layer 1 c"; 0 past a row's length.

    Raises
    ------
    NotRecurrentError
        If the encoder has no states, or looks ahead.
    """
    watched = _States(encoder)
    with in_place_of_calls(encoder, watched):
        run()
    if not watched.steps:
        raise ValueError(f"the run did not call the encoder {type(encoder).__name__}; pass the encoder of the model, "
                         "uncompiled")
    return {f"{layer.name} {name}": np.stack([step[number] for step in steps])
            for layer, steps in zip(watched.layers, watched.found) for number, name in enumerate(layer.states)}


class _States(Unrolled):
    """Notes the states behind each step."""

    def __init__(self, encoder):
        super().__init__(encoder)
        self.found = [[] for _ in self.layers]

    def after(self, layer, step, alive, output, states):
        """Note h (of a Jordan network its output), and c of an LSTM."""
        values = [output, *states[1:len(self.layers[layer].states)]]
        rows = 1 if alive is None else alive[:, None]
        self.found[layer].append([value.asnumpy() * rows for value in values])
        return output, states
