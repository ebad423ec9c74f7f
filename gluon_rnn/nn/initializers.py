"""Initializers that MXNet lacks or names otherwise, and how a name in a YAML file becomes one."""
import mxnet as mx

__all__ = ["Identity", "ByGate", "as_initializer", "by_gate", "or_global"]


@mx.init.register
class Identity(mx.init.Initializer):
    """A multiple of the identity matrix (H, H), for the recurrent weights of an IRNN.

    Parameters
    ----------
    scale : float, default 1.0
        Value on the diagonal.

    References
    ----------
    Le, Jaitly and Hinton (2015), A Simple Way to Initialize Recurrent Networks of Rectified Linear Units, section 2.
    """

    def __init__(self, scale=1.0):
        super().__init__(scale=scale)
        self.scale = scale

    def _init_weight(self, _, arr):
        if len(arr.shape) != 2 or arr.shape[0] != arr.shape[1]:
            raise ValueError(f"identity initialises square matrices such as h2h_weight, got shape {arr.shape}; "
                             "choose another initializer for this part")
        arr[:] = self.scale * mx.nd.eye(arr.shape[0], ctx=arr.context, dtype=arr.dtype)


@mx.init.register
class ByGate(mx.init.Initializer):
    """Fill a stacked weight (G*H, C) gate by gate, since each gate is a matrix (H, C) of its own.

    Parameters
    ----------
    initializer : str or Initializer
        Applied to each gate.
    num_gates : int
        G.
    """

    def __init__(self, initializer, num_gates):
        super().__init__(num_gates=num_gates)
        self._initializer, self._num_gates = as_initializer(initializer), num_gates

    def _init_weight(self, desc, arr):
        shape = (arr.shape[0] // self._num_gates,) + arr.shape[1:]
        gates = [mx.nd.zeros(shape, ctx=arr.context) for _ in range(self._num_gates)]
        for gate in gates:
            self._initializer._init_weight(desc, gate)
        arr[:] = mx.nd.concat(*gates, dim=0).astype(arr.dtype)


def or_global(value):
    """Return the initializer that `value` names; None for None, with which Gluon takes the one of `net.initialize`."""
    return None if value is None else as_initializer(value)


def by_gate(value, num_gates):
    """Return the initializer that applies `value` gate by gate; None for None, as `or_global` does."""
    return None if value is None else ByGate(value, num_gates)


def as_initializer(value):
    """Return the initializer that `value` names: a string, or an `mxnet.init.Initializer` as it is.

    ``"orthogonal"`` has a scale of 1 here, which keeps the norm of the state; MXNet's own default is 1.414.

    Raises
    ------
    ValueError
        If no initializer has that name.
    """
    if isinstance(value, mx.init.Initializer):
        return value
    if value == "orthogonal":
        return mx.init.Orthogonal(scale=1.0)
    try:
        return mx.init.create(value)
    except (AssertionError, AttributeError, TypeError) as error:
        raise ValueError(f"unknown initializer {value!r}; pass an mxnet.init.Initializer or a name such as 'xavier', "
                         "'orthogonal', 'uniform', 'normal', 'zeros', 'identity'") from error
