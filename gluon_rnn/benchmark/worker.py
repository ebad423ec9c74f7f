"""One peer of the benchmark in a process of its own: builds what it is asked to, times it, answers in JSON lines.

Run by its file name and not as a module of the package, ``python worker.py PEER``: PyTorch may live in another
interpreter, which has neither MXNet nor this package, and the peer with MXNet's default threads must not see what
importing this package does. Hence this file imports nothing but the standard library until the peer is known.

A request is one line, ``{"do": "prepare" | "time" | "latencies" | ..., ...}``; a reply is one line,
``{"value": ...}`` or ``{"error": "..."}``.
"""
import importlib
import json
import math
import os
import sys
import time
import traceback

__all__ = ["calibrate", "rest", "time_once", "serve", "PEERS"]

# Seconds in which a process that rests uses next to no processor.
_REST = 5e-3


def calibrate(call, min_seconds):
    """Return how many calls of `call` one timing must hold to last `min_seconds`; `call` has run before (warm)."""
    loops = 1
    while True:
        seconds = time_once(call, loops) * loops
        if seconds >= min_seconds:
            return loops
        # Aim a tenth higher, yet grow at most tenfold: the first short timings are the least certain ones.
        loops = min(10 * loops, max(loops + 1, math.ceil(1.1 * loops * min_seconds / max(seconds, 1e-9))))


def rest():
    """Return once the threads of this process are asleep, a second later at most.

    Threads of OpenMP and BLAS wait actively for their next work, some for 10 ms and some for 100, and until then they
    would take a processor from the peer whose turn is next.
    """
    for _ in range(round(1 / _REST)):
        before = time.process_time()
        time.sleep(_REST)
        if time.process_time() - before < _REST / 10:
            return


def time_once(call, loops):
    """Return the seconds of one call, the mean over `loops` calls in a row."""
    start = time.perf_counter()
    for _ in range(loops):
        call()
    return (time.perf_counter() - start) / loops


class _MXNetPeer:
    """What both MXNet peers share; a subclass says where the layers come from."""

    def __init__(self):
        import mxnet
        self.mx = mxnet

    def about(self):
        return {"version": self.mx.__version__, "threads": os.environ.get("OMP_NUM_THREADS", "default")}

    def layers(self, case):
        """Return a call that runs the recurrent layers of `case` once and waits for the result."""
        mx, T, N, H = self.mx, case["T"], case["N"], case["H"]
        net = self.build(case)
        net.initialize(mx.init.Uniform(0.1))
        net.hybridize(static_alloc=True, static_shape=not getattr(net, "loops", False))
        x, head, states = self._random(T, N, H), mx.nd.ones((T, N, net_width(case))), net.begin_state(N)

        def forward():
            net(x, states)[0].wait_to_read()

        def forward_backward():
            with mx.autograd.record():
                outputs, _ = net(x, states)
            outputs.backward(head)
            mx.nd.waitall()

        if case["backward"]:
            x.attach_grad()
        return forward_backward if case["backward"] else forward

    def inference(self, case):
        """Return a call of one stack of the benchmark `inference`."""
        return self.layers(dict(case, backward=False))

    def _random(self, *shape):
        return self.mx.nd.random.uniform(-1, 1, shape=shape)

    def peak(self, size, repeats):
        mx = self.mx
        a, b = self._random(size, size), self._random(size, size)

        def dense():  # oneDNN, as the recurrent operators
            mx.nd.FullyConnected(a, b, num_hidden=size, no_bias=True).wait_to_read()

        def dot():  # BLAS
            mx.nd.dot(a, b).wait_to_read()

        return min(best_of(dense, repeats), best_of(dot, repeats))

    def output_layer(self, case):
        """Return a call that runs output layer and loss alone, forward and backward."""
        mx, V, H = self.mx, case["V"], case["H"]
        dense, loss = mx.gluon.nn.Dense(V, flatten=False, in_units=H), mx.gluon.loss.SoftmaxCELoss()
        dense.initialize(mx.init.Uniform(0.1))
        dense.hybridize(static_alloc=True)
        loss.hybridize(static_alloc=True)
        hidden, target = self._random(case["T"], case["N"], H), self._tokens(case)
        hidden.attach_grad()

        def step():
            with mx.autograd.record():
                value = loss(dense(hidden).reshape((-1, V)), target.reshape((-1,))).mean()
            value.backward()
            mx.nd.waitall()

        return step

    def _tokens(self, case):
        return self.mx.nd.random.randint(0, case["V"], shape=(case["T"], case["N"]), dtype="int32")


class OursPeer(_MXNetPeer):
    """gluon_rnn.nn, or bundles of it in a format; the package restores NumPy's aliases and sets the threads itself."""

    def __init__(self, bundles=None):
        self.bundles = bundles
        here = os.path.dirname(os.path.abspath(__file__))
        sys.path[:] = [os.path.dirname(os.path.dirname(here))] + [p for p in sys.path if os.path.abspath(p) != here]
        import gluon_rnn
        import gluon_rnn.nn
        self.package = gluon_rnn
        super().__init__()

    def about(self):
        return dict(super().about(), version=self.package.__version__)

    def build(self, case):
        layer = getattr(self.package.nn, {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}[case["cell"]])
        return layer(case["H"], case["layers"], bidirectional=case["bidirectional"], input_size=case["H"])

    def inference(self, case):
        """Return a call of one stack of the benchmark `inference`, live or exported."""
        if self.bundles is None:
            return super().inference(case)
        from gluon_rnn.benchmark import our_inference
        return our_inference.bundle(case, self.bundles)

    def delays(self, case):
        """Return a call of one network of the benchmark `delays`."""
        from gluon_rnn.benchmark import our_delays
        return getattr(our_delays, case["network"])(case)

    def tasks(self, case):
        """Return a call of one model of the benchmark `tasks`."""
        from gluon_rnn.benchmark import our_tasks
        return getattr(our_tasks, case["network"])(case)

    def language_model(self, case):
        """Return a call that makes one step of `gluon_rnn.training`: forward, backward, norm, clipping, SGD update."""
        import numpy

        from gluon_rnn.config import Training
        from gluon_rnn.data.batching import Batch
        from gluon_rnn.models import LanguageModel
        from gluon_rnn.tasks.language_model.loss import LanguageModelLoss
        from gluon_rnn.training.step import TrainStep
        encoder = self.package.nn.LSTM(case["H"], case["layers"], dropout=case["dropout"])
        output = self._output_of(case)
        model = LanguageModel(case["V"], encoder, embed_size=case["H"], tie_weights=case["tied"], output=output,
                              drop_i=case["dropout"], dropout=case["dropout"], drop_i_variational=False)
        graph, rate = LanguageModelLoss(model), case["learning_rate"]
        graph.initialize()
        graph.hybridize(static_alloc=True)  # as the training loop does
        settings = Training(optimizer=dict(name=case["optimizer"], learning_rate=rate), clip_norm=case["clip_norm"])
        train, random = TrainStep(graph, [self.mx.cpu()], settings), numpy.random.default_rng(0)
        tokens, targets = self._tokens(case), numpy.array(case["targets"]).reshape(case["T"], case["N"])
        target, states = self.mx.nd.array(targets, dtype="int32"), [model.begin_state(case["N"])]

        def step():
            nonlocal states
            arrays = [self.mx.nd.array(array, dtype=array.dtype) for array in output.arrays(targets, 1, random)]
            batch = Batch((tokens, target, *arrays), (1, 1, *[0] * len(arrays)), targets.size)
            states = train(batch, states, rate)[2]
            self.mx.nd.waitall()

        return step

    def _output_of(self, case):
        """Return the output layer of a case."""
        nn = self.package.nn
        if case["output"] == "adaptive":
            return nn.AdaptiveSoftmax(case["cutoffs"], case["div_value"])
        return nn.SampledSoftmax(case["samples"]) if case["output"] == "sampled" else nn.FullSoftmax()


class GluonPeer(_MXNetPeer):
    """mxnet.gluon.rnn as it comes: nothing but NumPy's removed aliases is put right, or it would not import."""

    def __init__(self):
        import numpy
        for name, kind in dict(bool=bool, int=int, float=float, object=object, complex=complex, str=str).items():
            if name not in vars(numpy):
                setattr(numpy, name, kind)
        super().__init__()

    def build(self, case):
        rnn, common = self.mx.gluon.rnn, dict(bidirectional=case["bidirectional"], input_size=case["H"])
        if case["cell"] == "rnn":
            return rnn.RNN(case["H"], case["layers"], activation="tanh", **common)
        return {"lstm": rnn.LSTM, "gru": rnn.GRU}[case["cell"]](case["H"], case["layers"], **common)

    def language_model(self, case):
        raise ValueError("the language model is compared with PyTorch only")


def _beside(module, name):
    """Return a call that makes a peer of a module in this folder, where this file is run by its name."""
    return lambda: getattr(importlib.import_module(module), name)()


PEERS = {"ours": OursPeer, "gluon": GluonPeer, "gluon-default-threads": GluonPeer,
         "torch": _beside("torch_peer", "TorchPeer"), "symbol-bundle": lambda: OursPeer("symbol"),
         "onnx-bundle": lambda: OursPeer("onnx"), "onnx-by-hand": _beside("onnx_by_hand", "OnnxByHandPeer")}


def net_width(case):
    """Return the number of output features of the layers of `case`."""
    return case["H"] * (2 if case["bidirectional"] else 1)


def best_of(call, repeats):
    """Return the least seconds of one call out of `repeats`, after one warm-up."""
    call()
    return min(time_once(call, 1) for _ in range(repeats))


def fastest(forms, rounds=5):
    """Return the name of the fastest of `forms`, {name: call}: least seconds of one call, the forms taking turns."""
    least = dict.fromkeys(forms, math.inf)
    for _ in range(rounds if len(forms) > 1 else 0):
        for name, call in forms.items():
            least[name] = min(least[name], time_once(call, 1))
    return min(least, key=least.get)


class _Session:
    """The requests a worker answers; holds the call that was prepared last."""

    def __init__(self, peer):
        self.peer, self.call, self.loops, self.form = peer, None, 1, ""

    def prepare(self, case, min_seconds):
        """Build the case; of several forms of it keep the fastest, and return its name."""
        forms = getattr(self.peer, case["kind"])(case)
        forms = forms if isinstance(forms, dict) else {"": forms}
        for call in forms.values():
            for _ in range(3):
                call()
        self.form = fastest(forms)
        self.call = forms[self.form]
        self.loops = calibrate(self.call, min_seconds)
        rest()
        return self.form

    def time(self):
        self.call()  # brings caches and sleeping threads back after the other peers' turns
        seconds = time_once(self.call, self.loops)
        rest()
        return seconds

    def latencies(self, calls):
        """Return the seconds of each of so many calls, after one that brings caches back."""
        self.call()
        times = [time_once(self.call, 1) for _ in range(calls)]
        rest()
        return times

    def peak(self, size, repeats):
        rate = 2 * size ** 3 / self.peer.peak(size, repeats)
        rest()
        return rate

    def about(self):
        return self.peer.about()

    def drop(self):
        self.call = None


def serve(name, requests, replies):
    """Answer every line of `requests` on `replies` until the stream ends; the first reply says that the peer is up."""
    try:
        session = _Session(PEERS[name]())
    except Exception as error:  # whatever keeps a peer from starting is for the parent to report
        replies.write(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
        return
    replies.write(json.dumps({"value": session.about()}) + "\n")
    for line in requests:
        request = json.loads(line)
        try:
            answer = {"value": getattr(session, request.pop("do"))(**request)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    # Replies go to the stdout that was handed over; whatever a library prints must not mix with them.
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    serve(sys.argv[1], sys.stdin, channel)
