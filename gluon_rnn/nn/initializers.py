"""Initializers that MXNet lacks or names otherwise, and how a name in a YAML file becomes one."""
import inspect
import numbers

import mxnet as mx
import numpy as np

__all__ = ["ByGate", "Chrono", "Default", "GateBias", "Identity", "OwnDefaults", "QROrthogonal", "as_initializer",
           "default_or",
           "for_gates", "or_global"]


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
class QROrthogonal(mx.init.Initializer):
    """A matrix with orthonormal rows or columns, the fewer of both, times `scale`; what ``"orthogonal"`` names.

    Q of the QR decomposition of a matrix of normal numbers, its columns turned so that R has a positive diagonal: then
    all orthogonal matrices are equally likely. `mxnet.init.Orthogonal` takes a singular value decomposition in
    float64, which takes three times as long at 1,150 units.

    Parameters
    ----------
    scale : float, default 1.0

    References
    ----------
    Saxe, McClelland and Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks. Mezzadri (2007), How to generate random matrices from the classical compact groups, section 5.
    """

    def __init__(self, scale=1.0):
        super().__init__(scale=scale)
        self.scale = scale

    def _init_weight(self, _, arr):
        rows, columns = arr.shape[0], int(np.prod(arr.shape[1:]))
        dtype = np.float64 if arr.dtype == np.float64 else np.float32
        tall = np.random.normal(size=(max(rows, columns), min(rows, columns))).astype(dtype)
        q, r = np.linalg.qr(tall)
        q *= dtype(self.scale) * np.where(np.diag(r) < 0, dtype(-1), dtype(1))
        arr[:] = (q if rows >= columns else q.T).reshape(arr.shape)


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
        self._initializer, self._num_gates = as_initializer(initializer), num_gates
        super().__init__(initializer=self._initializer.dumps(), num_gates=num_gates)

    def _init_weight(self, desc, arr):
        shape = (arr.shape[0] // self._num_gates,) + arr.shape[1:]
        dtype = "float64" if arr.dtype == np.float64 else "float32"       # all digits of float64; no draws of float16
        gates = [mx.nd.zeros(shape, ctx=arr.context, dtype=dtype) for _ in range(self._num_gates)]
        for gate in gates:
            self._initializer._init_weight(desc, gate)
        arr[:] = mx.nd.concat(*gates, dim=0).astype(arr.dtype)


@mx.init.register
class Chrono(mx.init.Initializer):
    """Biases with which gates remember for 1 to about `max_time` steps, for ``i2h_bias_initializer``.

    With U drawn uniformly from [1, max_time - 1] for each unit: of an LSTM the forget gate's bias is log U, and the
    input gate's -log U; of a GRU the bias of the update gate z, which keeps the state here, is log U. All others are 0,
    and so must be the other bias, ``h2h_bias``. A gate with the bias log U keeps U / (1 + U) of a state, which falls to
    1/e of itself in about U + 1 steps.

    Parameters
    ----------
    max_time : float, above 2
        Longest span of time that the data may ask for.
    gates : {"ifgo", "rzn"}, optional
        Order of the gates in the bias; layers and cells fill it in.

    References
    ----------
    Tallec and Ollivier (2018), Can recurrent neural networks warp time?, section 2: the rule for an LSTM, and
    a gated network in general, of which the GRU is one.

    Examples
    --------
    >>> from gluon_rnn.nn import LSTM
    >>> layer = LSTM(8, input_size=3, i2h_bias_initializer={"name": "chrono", "max_time": 100}); layer.initialize()
    >>> biases = layer.gate("l0_i2h_bias", "f")                # of the forget gates: 0 to log 99
    """

    _signs = {"ifgo": {0: -1, 1: 1}, "rzn": {1: 1}}

    def __init__(self, max_time, gates=None):
        if not max_time > 2:
            raise ValueError(f"chrono expects a max_time above 2 steps, got {max_time}")
        super().__init__(max_time=max_time, gates=gates)
        self.max_time, self.gates = max_time, gates

    def for_gates(self, gates):
        """Return this initializer for a bias with these gates; ValueError if a network with them has no memory."""
        if gates not in self._signs:
            raise ValueError("chrono initialises i2h_bias of an LSTM or GRU, whose gates set how long it remembers; "
                             "choose another initializer for this part")
        return Chrono(self.max_time, gates)

    def _init_weight(self, _, arr):
        if self.gates is None:
            raise ValueError("chrono does not know the gates of this parameter; use it as i2h_bias_initializer of an "
                             "LSTM or GRU")
        size = arr.shape[0] // len(self.gates)
        low, high = 1.0, self.max_time - 1.0
        logs = mx.nd.log(mx.nd.random.uniform(low, high, shape=(size,), ctx=arr.context)).astype(arr.dtype)
        arr[:] = 0
        for place, sign in self._signs[self.gates].items():
            arr[place * size:(place + 1) * size] = sign * logs


@mx.init.register
class GateBias(mx.init.Initializer):
    """Biases (H,) of one gate that keeps a state, all of them one number, or those of `Chrono`.

    Parameters
    ----------
    value : float or {"name": "chrono", "max_time": float}
    sign : {1, -1}
        -1 for a gate that lets new values in instead.

    Raises
    ------
    ValueError
        For anything else.
    """

    def __init__(self, value, sign=1):
        self._max_time = None
        if isinstance(value, dict):
            self._max_time = _max_time_of(value)
        elif isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise ValueError(f"forget_bias must be a number or {{name: chrono, max_time: 100}}, got {value!r}")
        super().__init__(value=value, sign=sign)
        self._value, self._sign = value, sign

    def _init_weight(self, _, arr):
        if self._max_time is None:
            arr[:] = self._sign * self._value
            return
        spans = mx.nd.random.uniform(1, self._max_time - 1, shape=arr.shape, ctx=arr.context)
        arr[:] = self._sign * mx.nd.log(spans).astype(arr.dtype)


def _max_time_of(value):
    if set(value) != {"name", "max_time"} or value["name"] != "chrono":
        raise ValueError(f"forget_bias must be a number or {{name: chrono, max_time: 100}}, got {value!r}")
    return Chrono(value["max_time"]).max_time


@mx.init.register
class Default(mx.init.Initializer):
    """What a parameter starts with unless ``initialize(init)`` of a block around it is given another initializer.

    Parameters
    ----------
    initializer : str or Initializer
        Taken where nobody chose another one: ``initialize()``, or ``initialize(OwnDefaults(...))``.
    """

    def __init__(self, initializer):
        self._initializer = as_initializer(initializer)
        super().__init__(initializer=self._initializer.dumps())

    def _init_weight(self, desc, arr):
        chosen = desc.global_init
        if chosen is None or isinstance(chosen, OwnDefaults) or any(chosen is given for given in _GLUONS):
            self._initializer._init_weight(desc, arr)
        else:
            chosen(mx.init.InitDesc(str(desc)), arr)                      # by the name's ending: weight, bias, ...


@mx.init.register
class OwnDefaults(mx.init.Initializer):
    """For ``block.initialize(OwnDefaults("xavier"))``: parameters of our layers begin with their documented defaults.

    Parameters
    ----------
    initializer : str or Initializer, default "xavier"
        For all other parameters that have no initializer of their own.
    """

    def __init__(self, initializer="xavier"):
        self._initializer = as_initializer(initializer)
        super().__init__(initializer=self._initializer.dumps())

    def _init_weight(self, desc, arr):
        self._initializer._init_weight(desc, arr)


# What Gluon passes on where nobody gave an initializer: the default arguments of its methods, one object each.
_GLUONS = [inspect.signature(method).parameters[name].default for method, name in (
    (mx.gluon.Block.initialize, "init"), (mx.gluon.ParameterDict.initialize, "init"),
    (mx.gluon.Parameter.initialize, "default_init"))]


def default_or(initializer, default, num_gates=1):
    """Return the initializer of a parameter: `initializer` where one was given, else `default` as a `Default`.

    Parameters
    ----------
    initializer : str, Initializer or None
        None is Gluon's word for "as `initialize` says".
    default : str or Initializer
        What a documented default says.
    num_gates : int, default 1
        Above 1 either is applied gate by gate.
    """
    chosen = default if initializer is None else initializer
    chosen = ByGate(chosen, num_gates) if num_gates > 1 else as_initializer(chosen)
    return Default(chosen) if initializer is None else chosen


def for_gates(value, gates):
    """Return the initializer that `value` names, of a bias whose gates are stacked in this order: "ifgo" or "rzn"."""
    initializer = as_initializer(value)
    return initializer.for_gates(gates) if isinstance(initializer, Chrono) else initializer


def or_global(value):
    """Return the initializer that `value` names; None for None, with which Gluon takes the one of `net.initialize`."""
    return None if value is None else as_initializer(value)


def as_initializer(value):
    """Return the initializer that `value` names: a string, a mapping, or an `mxnet.init.Initializer` as it is.

    A mapping has arguments beside the name, as in a recipe: ``{"name": "chrono", "max_time": 100}``.

    ``"orthogonal"`` has a scale of 1 here, which keeps the norm of the state; MXNet's own default is 1.414.

    Raises
    ------
    ValueError
        If no initializer has that name.
    """
    if isinstance(value, mx.init.Initializer):
        return value
    if value == "orthogonal":
        return QROrthogonal()
    value, arguments = _name_and_arguments(value)
    try:
        return mx.init.create(value, **arguments)
    except (AssertionError, AttributeError, TypeError) as error:
        raise ValueError(f"unknown initializer {value!r}; pass an mxnet.init.Initializer or a name such as 'xavier', "
                         "'orthogonal', 'uniform', 'normal', 'zeros', 'identity'") from error


def _name_and_arguments(value):
    if not isinstance(value, dict):
        return value, {}
    if "name" not in value:
        raise ValueError(f"expected an initializer by its name, such as {{name: chrono, max_time: 100}}, got {value!r}")
    return value["name"], {key: argument for key, argument in value.items() if key != "name"}
