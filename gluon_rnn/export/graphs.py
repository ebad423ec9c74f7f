"""Which graphs a model leaves as: functions from named arrays to named arrays, the same for arrays and for symbols.

Most models are one graph, "model". Others are several: a translation model is an encoder, one step of the decoder, and
the teacher-forced pass; a conditional language model makes its first states by a graph of its own; a model of series
runs in open and in closed loop.
"""
import dataclasses
import functools
from typing import Any, Callable

import mxnet as mx
import numpy as np

from gluon_rnn.inference.simulate import closed_loop
from gluon_rnn.models.conditional import ConditionalLanguageModel
from gluon_rnn.models.decoding import DecodeStep, SourceEncoder
from gluon_rnn.models.forecaster import Forecaster
from gluon_rnn.models.narx import AR, NARX
from gluon_rnn.models.seq2seq import Seq2Seq
from gluon_rnn.models.structures import GraphClassifier, TreeClassifier
from gluon_rnn.models.tagger import SequenceTagger
from gluon_rnn.models.word_vectors import WordVectors
from gluon_rnn.nn.arguments import device_of

__all__ = ["Graph", "Input", "Lengths", "graphs_of"]


@dataclasses.dataclass
class Input:
    """An argument of a graph: its name, an example NDArray, and its axes, letters being free: ("T", "N", 20)."""

    name: str
    example: Any
    axes: tuple
    below: Any = None       # ids are smaller than this

    @property
    def entry(self):
        """What the manifest says of it."""
        entry = {"name": self.name, "shape": list(self.axes), "dtype": np.dtype(self.example.dtype).name}
        return entry if self.below is None else {**entry, "below": int(self.below)}


@dataclasses.dataclass
class Lengths:
    """Lengths (N,) of the steps of an input: the axis of these, and the least length that has an answer."""

    name: str
    of: str
    axis: int
    least: int = 0


@dataclasses.dataclass
class Graph:
    """A function of a model: ``outputs, states = run(inputs, lengths, states)``, lists of arrays or of symbols.

    Attributes
    ----------
    run : callable
    inputs : list of Input
    lengths : list of Lengths
    outputs : list of (name, axes)
    states, next_states : list of (name, axes)
        What goes in and what comes out. Where something goes in, the same comes out.
    begin : callable
        From the number of rows to the first states, NDArrays.
    causal : bool
    """

    run: Callable
    inputs: list
    lengths: list
    outputs: list
    states: list
    next_states: list
    begin: Callable = lambda rows: []
    causal: bool = True


def graphs_of(model, example, state_names=None):
    """Return {name: Graph} of all that a model leaves as.

    Parameters
    ----------
    model : HybridBlock
        A block with the contract, or a `Seq2Seq`; initialised.
    example : NDArray or tuple of NDArray
        What its call takes before states and lengths, then the further sequences: inputs (T, N) or (T, N, C).
    state_names : list of str, optional
        By default ``states_h`` and ``states_c``, or ``states_0``, ``states_1``, ...
    """
    example = example if isinstance(example, (tuple, list)) else (example,)
    example = tuple(array.as_in_context(device_of(model)) for array in example)
    return _graphs(model, example, state_names)


@functools.singledispatch
def _graphs(model, example, state_names):
    return {"model": _of_block(model, example, state_names)}


@_graphs.register(SequenceTagger)
def _of_tagger(model, example, state_names):
    if model.crf is None:
        return {"model": _of_block(model, example, state_names)}
    graph = _of_block(model, example, state_names)

    def run(inputs, lengths, states):
        (scores,), after = graph.run(inputs, lengths, states)
        return [scores, model.decode(scores, *lengths)], after

    axes = tuple(model.layout[:2])
    return {"model": dataclasses.replace(graph, run=run, outputs=[*graph.outputs, ("labels", axes)])}


@_graphs.register(WordVectors)
def _of_word_vectors(model, example, state_names):
    """Return the lookup of both tables: vectors, which are the model's outputs, and output vectors."""
    graph = _of_block(model, example, state_names)

    def run(inputs, lengths, states):
        (vectors,), after = graph.run(inputs, lengths, states)
        return [vectors, model.output_vectors(inputs[0], *lengths)], after

    outputs = [*graph.outputs, ("output_vectors", graph.outputs[0][1])]
    return {"model": dataclasses.replace(graph, run=run, outputs=outputs)}


@_graphs.register(AR)
@_graphs.register(NARX)
@_graphs.register(Forecaster)
def _of_series(model, example, state_names):
    found = {"open_loop": _of_block(model, example, state_names)}
    if model.horizon == 1:
        inputs, = example
        columns = max(1, inputs.shape[2] - model.output_size)
        free = inputs.slice_axis(axis=2, begin=0, end=columns)
        found["closed_loop"] = _of_block(closed_loop(model), (free,), state_names)
    return found


@_graphs.register(ConditionalLanguageModel)
def _of_conditional(model, example, state_names):
    graph, ctx = _of_block(model, example, state_names), example[0].context
    if model.num_classes is not None:
        condition = Input("condition", mx.nd.zeros(2, ctx=ctx, dtype="int32"), ("N",), below=model.num_classes)
    else:
        condition = Input("condition", mx.nd.ones((2, model.vector_size), ctx=ctx), ("N", model.vector_size))
    first = Graph(lambda inputs, lengths, states: ([], list(model.states_for(*inputs))), [condition], [], [], [],
                  graph.states)
    return {"model": graph, "first": first}


@_graphs.register(Seq2Seq)
def _of_translation(model, example, state_names):
    read, step = SourceEncoder(model), DecodeStep(model)
    source = Input("source", example[0], ("S", "N"), below=model.source_vocab_size)
    target = Input("target", example[-1], ("T", "N"), below=model.target_vocab_size)
    token = Input("token", example[-1][0], ("N",), below=model.target_vocab_size)
    of_source, of_target = (Lengths(f"{one}_length", one, 0, least=1) for one in ("source", "target"))
    states = _states_of_step(model, state_names)

    def pairs(inputs, lengths, _):
        logits, found = model(*inputs, *lengths)
        return [logits] if found is None else [logits, found], []         # without attention there are no weights

    size = model.target_vocab_size
    weights = [] if model.attention is None else [("weights", ("T", "N", "S"))]
    return {
        "encoder": Graph(lambda inputs, lengths, _: ([], list(read(*inputs, *lengths))), [source], [of_source], [], [],
                         states, causal=False),
        "step": Graph(lambda inputs, _, before: _of_pair(step(*inputs, before)), [token], [],
                      [("logits", ("N", size))], states, states),
        "model": Graph(pairs, [source, target], [of_source, of_target], [("logits", ("T", "N", size)), *weights],
                       [], [], causal=False)}


#: axes of the arrays that a classifier of trees or graphs takes
_STRUCTURES = {
    TreeClassifier: [("N",), ("P",), ("L", "W"), ("L", "W", "K")],
    GraphClassifier: [("N",), ("M",), ("S", "M"), ("E",), ("E",), ("E",), ("M", "D")]}


@_graphs.register(TreeClassifier)
@_graphs.register(GraphClassifier)
def _of_structures(model, example, state_names):
    if isinstance(model, TreeClassifier) and model.encoder.fixed_children:
        axes = [*_STRUCTURES[TreeClassifier][:3], ("L", "W", model.encoder.max_children)]
    else:
        axes = _STRUCTURES[type(model)]
    inputs = [Input(name, array, of) for name, array, of in zip(model.input_names, example, axes)]
    for one in inputs:
        one.below = model.vocab_size if one.name in ("leaves", "symbols", "marks") else None
    return {"model": Graph(lambda given, lengths, states: ([model(*given)], []), inputs, [],
                           [("outputs", ("N", model.output_size))], [], [], causal=False)}


def _of_pair(results):
    output, states = results
    return [output], list(states)


def _states_of_step(model, state_names):
    """Return names and axes of what a step of the decoder carries: its states, then keys, values, source length."""
    infos = model.state_info(0)
    own = infos if model.attention is None else infos[:-3]
    names = _names(state_names, len(own)) + ([] if model.attention is None else ["keys", "values", "length"])
    return [(name, tuple({"N": "N", "T": "S"}.get(axis, size) for axis, size in zip(info["__layout__"], info["shape"])))
            for name, info in zip(names, infos)]


def _of_block(block, example, state_names):
    """Return the graph of a call of a block with the contract."""
    ctx, layout = example[0].context, getattr(block, "layout", "TNC")[:2]
    rows = example[0].shape[layout.index("N")]
    outputs = block(example[0], block.begin_state(rows, ctx=ctx), None, *example[1:])[0] if len(example) > 1 \
        else block(example[0], block.begin_state(rows, ctx=ctx))[0]
    answers = ("N", *outputs.shape[1:]) if getattr(block, "many_to_one", False) else (*layout, *outputs.shape[2:])
    infos, begin = block.state_info(1), block.begin_state(1, ctx=ctx)
    states = [(name, tuple("N" if axis == "N" else size for axis, size in zip(info["__layout__"], state.shape)))
              for name, info, state in zip(_names(state_names, len(infos)), infos, begin)]
    inputs = [Input("data", example[0], (*layout, *example[0].shape[2:]), _vocabulary_size(block))]
    inputs += _signals(block, example[1:])
    return Graph(lambda inputs, lengths, before: _of_pair(block(inputs[0], before, *lengths, *inputs[1:])),
                 inputs, [Lengths("valid_length", "data", layout.index("T"))], [("outputs", answers)], states, states,
                 functools.partial(block.begin_state, ctx=ctx), bool(getattr(block, "causal", True)))


def _signals(block, signals):
    """Return the further inputs of a call: for words in letters their places, then letters and lengths of groups."""
    if not signals:
        return []
    size = block.spelling.embedding.weight.shape[0]
    found = [Input("places", signals[0], ("T", "N"))]
    for number, (letters, lengths) in enumerate(zip(signals[1::2], signals[2::2]), start=1):
        found += [Input(f"chars_{number}", letters, (f"M{number}", f"W{number}"), below=size),
                  Input(f"char_lengths_{number}", lengths, (f"W{number}",))]
    return found


def _vocabulary_size(block):
    """Return how many ids a block that takes ids knows, None for one that takes features."""
    if getattr(block, "input_dimensions", 3) != 2:
        return None
    size = getattr(block, "vocab_size", None) or getattr(block, "_vocab_size", None)
    embedding = getattr(block, "word_embedding", None)
    return size if embedding is None else embedding.weight.shape[0]


def _names(names, count):
    """Return the states' names, the given ones or those that go with their number."""
    if names is None:
        return {1: ["states_h"], 2: ["states_h", "states_c"]}.get(count, [f"states_{i}" for i in range(count)])
    if len(names) != count:
        raise ValueError(f"state_names has {len(names)} names, but the model has {count} states")
    return list(names)
