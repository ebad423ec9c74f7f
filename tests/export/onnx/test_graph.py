"""The reader of symbols: attributes as values, free and fixed axes, types, bodies of loops, sentences of MXNet's."""
import mxnet as mx
import pytest

from gluon_rnn.export.onnx.graph import example_sizes, read

DATA = mx.sym.var("data")


def axes_of(*shapes):
    return next(example_sizes(shapes))


def read_with(symbol, dtype="float32", **shapes):
    """Read a symbol with inputs whose free axes have names."""
    axes = axes_of(*shapes.values())
    return read(symbol, {key: (tuple(tuple(axes[axis][i] if axis in axes else axis for axis in shape) for i in (0, 1)),
                               dtype) for key, shape in shapes.items()})


def test_attributes_are_python_values():
    symbol = mx.sym.Convolution(DATA, kernel=(3,), num_filter=2, no_bias=True, name="c")
    node = read_with(symbol, data=("N", 4, "T"), c_weight=(2, 4, 3)).nodes[-1]
    assert node.op == "Convolution" and node.name == "c"
    assert node.attrs == {"kernel": (3,), "num_filter": 2, "no_bias": True}


def test_axes_that_depend_on_a_free_one_are_free():
    symbol = mx.sym.Group([mx.sym.slice_axis(DATA, axis=0, begin=1, end=None), mx.sym.reshape(DATA, shape=(-1, 6)),
                           mx.sym.sum(DATA, axis=0)])
    graph = read_with(symbol, data=("T", "N", 6))
    assert [graph.nodes[index].output_shapes[output] for index, output in graph.heads] == [
        (None, None, 6), (None, 6), (None, 6)]
    assert graph.nodes[graph.heads[2][0]].output_sizes[0][0] == (axes_of(("T", "N"))["N"][0], 6)


def test_half_of_an_odd_axis_twice_is_another_axis():
    halved = mx.sym.Pooling(DATA, kernel=(2,), stride=(2,), pool_type="max")
    graph = read_with(mx.sym.repeat(halved, repeats=2, axis=2), data=("N", 3, "T"))
    assert graph.nodes[-1].output_sizes[0][0][2] != graph.nodes[0].output_sizes[0][0][2]


def test_types_are_inferred_too():
    graph = read_with(mx.sym.cast(DATA, "int32") * 2, dtype="float64", data=("T", 3))
    assert [node.output_dtypes[0] for node in graph.nodes] == ["float64", "int32", "int32"]


def test_equal_names_do_not_disturb():
    one = mx.sym.tanh(DATA, name="same")
    graph = read_with(mx.sym.Group([one, mx.sym.sum(one, axis=0, name="same")]), data=("T", 3))
    assert [node.output_shapes for node in graph.nodes] == [[(None, 3)], [(None, 3)], [(3,)]]


def test_body_of_a_loop_sees_one_step():
    weight = mx.sym.var("weight")
    outputs, states = mx.sym.contrib.foreach(lambda x, s: (x * s[0], [mx.sym.dot(s[0], weight)]), DATA,
                                             [mx.sym.var("state")])
    graph = read_with(mx.sym.Group([outputs, *states]), data=("T", "N", 3), state=("N", 3), weight=(3, 3))
    (body,) = graph.nodes[-1].subgraphs
    shapes = [body.nodes[index].output_shapes[0] for index in body.variables]
    assert sorted(shapes, key=str) == [(3, 3), (None, 3), (None, 3)]
    assert [body.nodes[index].output_shapes[output] for index, output in body.heads] == [(None, 3), (None, 3)]


def test_inputs_that_do_not_fit_are_a_sentence_with_the_name_of_the_node():
    symbol = mx.sym.FullyConnected(DATA, num_hidden=3, name="dense")
    with pytest.raises(ValueError, match="MXNet cannot infer .* operator dense: Shape inconsistent.*; correct"):
        read_with(symbol, data=("N", 4), dense_weight=(3, 5), dense_bias=(3,))


def test_more_free_axes_than_examples_are_refused():
    with pytest.raises(ValueError, match="13 free axes"):
        axes_of(tuple("ABCDEFGHIJKLM"))
