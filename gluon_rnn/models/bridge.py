"""From the states of one network to the first states of another."""
import numpy as np
from mxnet import gluon

__all__ = ["Bridge", "StatesFromVector"]


class StatesFromVector(gluon.HybridBlock):
    """First states of a sequence block from one vector a row: state = tanh(W v + b), cut and shaped.

    Parameters
    ----------
    block : HybridBlock
        Whose `state_info` says what is needed.
    input_size : int
        Length of the vectors.

    Inputs/Outputs
    --------------
    vectors (N, input_size) -> list of states.

    References
    ----------
    Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, appendix A.1.2; Bahdanau et al.
    (2015), appendix A.2.2: h_0 = tanh(V c).
    """

    def __init__(self, block, input_size, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._shapes = [_row_shape(block, info) for info in block.state_info(1)]
        with self.name_scope():
            self.dense = gluon.nn.Dense(sum(int(np.prod(shape)) for _, shape in self._shapes), activation="tanh",
                                        in_units=input_size, dtype=block._dtype, prefix="")

    def hybrid_forward(self, F, vectors):
        """Return the states of (N, input_size)."""
        values, states, begin = self.dense(vectors), [], 0
        for axis, shape in self._shapes:
            end = begin + int(np.prod(shape))
            state = F.reshape(F.slice_axis(values, axis=1, begin=begin, end=end), shape=(-1, *shape))
            states.append(F.swapaxes(state, 0, axis) if axis else state)
            begin = end
        return states


class Bridge(gluon.HybridBlock):
    """The decoder's first states from the encoder's last ones.

    Parameters
    ----------
    encoder, decoder : HybridBlock
        Sequence blocks; their `state_info` tells the shapes.
    kind : {"dense", "copy"}
        "dense": tanh(W [all states of the encoder, all layers and directions] + b); "copy": as they are.

    Inputs/Outputs
    --------------
    list of the encoder's states -> list of the decoder's.

    Raises
    ------
    ValueError
        If the encoder has no states, or "copy" finds other shapes.
    """

    def __init__(self, encoder, decoder, kind, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        if kind not in ("dense", "copy"):
            raise ValueError(f"bridge must be 'dense' or 'copy', got {kind!r}")
        shapes = [info["shape"] for info in encoder.state_info(1)]
        wanted = [info["shape"] for info in decoder.state_info(1)]
        if not shapes:
            raise ValueError(f"the encoder {type(encoder).__name__} ends without a state for the decoder to start "
                             "from; take a recurrent one")
        if kind == "copy" and shapes != wanted:
            raise ValueError(f"bridge 'copy' needs an encoder whose states have the decoder's shapes {wanted}, got "
                             f"{shapes}; take 'dense'")
        self._axes = [_row_shape(encoder, info)[0] for info in encoder.state_info(1)]
        with self.name_scope():
            size = sum(int(np.prod(shape)) for shape in shapes)
            self.states = StatesFromVector(decoder, size, prefix="") if kind == "dense" else None

    def hybrid_forward(self, F, states):
        """Return the decoder's states."""
        if self.states is None:
            return list(states)
        rows = [F.reshape(F.swapaxes(state, 0, axis) if axis else state, shape=(0, -1))
                for state, axis in zip(states, self._axes)]                # (N, everything else)
        return self.states(F.concat(*rows, dim=1) if len(rows) > 1 else rows[0])


def _row_shape(block, info):
    """Return the batch axis of a state, 0 or 1, and the shape of one row of it."""
    axis = info["__layout__"].index("N")
    if axis > 1:
        raise ValueError(f"{type(block).__name__} has a state of layout {info['__layout__']}; a bridge needs the batch "
                         "on the first or second axis")
    return axis, tuple(size for index, size in enumerate(info["shape"]) if index != axis)
