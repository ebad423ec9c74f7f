"""Tree encoders against a recursion in NumPy, node by node, and what batches and graphs must not change.

Tests `tree_lstm.py` too.
"""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.answers.brackets import parse_tree
from gluon_rnn.answers.trees import TreeReader, join_trees
from gluon_rnn.nn import ChildSumTreeLSTM, NaryTreeLSTM, OwnDefaults, RecursiveNetwork
from gluon_rnn.registry import tree_encoders
from tests.gradients import assert_central_differences

C, H, K = 3, 4, 3
TEXTS = ["(a b (c d e) (b (a c d) e))", "d", "(c (c (c (c e))) a)", "(b c d)"]
READER = TreeReader("abcde", max_children=K)
EMBEDDING = np.random.default_rng(3).standard_normal((8, C))
EMBEDDING[0] = 0


def made(name, dtype="float64", seed=0):
    """Return an encoder with weights, biases too, that are all away from zero."""
    mx.random.seed(seed)
    block = tree_encoders.get(name)(H, dtype=dtype)
    block.set_input_size(C)
    block.set_max_children(K)
    block.initialize(mx.init.Uniform(0.7))
    for parameter in block.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.7, 0.7, parameter.shape, dtype=dtype))
    return block


def arrays(texts, dtype="float64", **padding):
    """Return the arguments of an encoder for trees in brackets."""
    roots, leaves, symbols, children = join_trees([READER(text) for text in texts], **{"max_children": K, **padding})
    return [mx.nd.array(roots, dtype="int32"), mx.nd.array(EMBEDDING[leaves], dtype=dtype),
            mx.nd.array(EMBEDDING[symbols], dtype=dtype), mx.nd.array(children, dtype="int32")]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def recursive(x, children, w, b, u):
    """Socher et al. (2011), with the symbol's product added."""
    return (np.tanh(w @ x + b + sum(u[:, k * H:(k + 1) * H] @ h for k, (h,) in enumerate(children))),)


def child_sum(x, children, w, b, u):
    """Tai et al. (2015), equations (2) to (8)."""
    (wi, wf, wg, wo), (bi, bf, bg, bo), (ui, uf, ug, uo) = (np.split(part, 4) for part in (w, b, u))
    total = sum((h for h, _ in children), np.zeros(H))
    i, o = sigmoid(wi @ x + ui @ total + bi), sigmoid(wo @ x + uo @ total + bo)
    c = i * np.tanh(wg @ x + ug @ total + bg) + sum(sigmoid(wf @ x + uf @ h + bf) * cell for h, cell in children)
    return o * np.tanh(c), c


def nary(x, children, w, b, u):
    """Tai et al. (2015), equations (9) to (14)."""
    (wi, wf, wg, wo), (bi, bf, bg, bo) = np.split(w, 4), np.split(b, 4)
    ui, ug, uo, *uf = np.split(u, 3 + K)

    def of(matrix):
        return sum((matrix[:, k * H:(k + 1) * H] @ h for k, (h, _) in enumerate(children)), np.zeros(H))

    c = sigmoid(wi @ x + of(ui) + bi) * np.tanh(wg @ x + of(ug) + bg)
    c = c + sum(sigmoid(wf @ x + of(uf[k]) + bf) * cell for k, (_, cell) in enumerate(children))
    return sigmoid(wo @ x + of(uo) + bo) * np.tanh(c), c


REFERENCES = {"recursive": recursive, "child_sum_tree_lstm": child_sum, "nary_tree_lstm": nary}


def reference(name, block, text):
    """Return the output at the root, by recursion."""
    weights = [block.collect_params()[block.prefix + part].data().asnumpy().astype("float64")
               for part in ("i2h_weight", "i2h_bias", "h2h_weight")]

    def states(node):
        x = EMBEDDING["abcde".index(node.symbol) + 2]
        return REFERENCES[name](x, [states(child) for child in node.children], *weights)

    return states(parse_tree(text))[0]


def test_every_encoder_has_a_reference():
    assert sorted(REFERENCES) == tree_encoders.names()


@pytest.mark.parametrize("name", REFERENCES)
def test_outputs_are_those_of_a_recursion_node_by_node(name):
    block = made(name)
    expected = np.stack([reference(name, block, text) for text in TEXTS])
    # some hundred float64 operations on numbers near 1
    np.testing.assert_allclose(block(*arrays(TEXTS)).asnumpy(), expected, rtol=1e-12, atol=1e-13)
    block.hybridize()
    np.testing.assert_allclose(block(*arrays(TEXTS)).asnumpy(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", REFERENCES)
def test_neither_other_trees_nor_padding_change_an_answer(name):
    block = made(name)
    block.hybridize()
    together = block(*arrays(TEXTS)).asnumpy()
    padded = block(*arrays(TEXTS, levels=7, width=9)).asnumpy()
    alone = np.concatenate([block(*arrays([text])).asnumpy() for text in TEXTS])
    np.testing.assert_allclose(padded, together, rtol=1e-13, atol=1e-14)     # sums of other blocks of rows
    np.testing.assert_allclose(alone, together, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", REFERENCES)
def test_gradients_are_central_differences(name):
    block, (roots, leaves, inner, children) = made(name), arrays(TEXTS)
    assert_central_differences(lambda: [block(roots, leaves, inner, children)], block, [leaves, inner])


@pytest.mark.parametrize("name", REFERENCES)
def test_a_hybridized_block_has_the_gradients_of_an_eager_one(name):
    found = []
    for flags in ({"active": False}, {"static_alloc": True}):
        block = made(name)
        block.hybridize(**flags)
        with mx.autograd.record():
            loss = mx.nd.square(block(*arrays(TEXTS, levels=5))).sum()
        loss.backward()
        found.append(np.concatenate([part.grad().asnumpy().ravel() for part in block.collect_params().values()]))
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", REFERENCES)
def test_a_symbol_takes_any_number_of_levels(name):
    block = made(name)
    expected = block(*arrays(TEXTS)).asnumpy()
    inputs = [mx.sym.var(part) for part in ("roots", "leaves", "inner", "children")]
    graph = block(*inputs)
    feed = dict(zip(("roots", "leaves", "inner", "children"), arrays(TEXTS)))
    feed.update({key: value.data() for key, value in block.collect_params().items()})
    found = graph.bind(mx.cpu(), feed).forward()[0].asnumpy()
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def test_the_order_of_children_matters_but_for_a_sum():
    for name in REFERENCES:
        block = made(name)
        first, second = (block(*arrays([text])).asnumpy() for text in ("(a b (c d))", "(a (c d) b)"))
        assert np.allclose(first, second, atol=1e-12) == (name == "child_sum_tree_lstm")


def test_a_child_sum_takes_any_number_and_others_say_what_they_have():
    assert ChildSumTreeLSTM(H, C).fixed_children is False
    block = made("child_sum_tree_lstm")
    assert block(*arrays(["(a b c d e b)"], max_children=5)).shape == (1, H)
    for name in ("recursive", "nary_tree_lstm"):
        with pytest.raises(ValueError, match=r"has weights for 3 children a node \(max_children\), got 5; make the "
                                             "trees binary, or take child_sum_tree_lstm"):
            made(name)(*arrays(["(a b c d e b)"], max_children=5))


def test_sizes_that_do_not_fit_are_named():
    roots, leaves, inner, children = arrays(TEXTS)
    with pytest.raises(ValueError, match=r"expects leaves \(P, C\), inner \(L, W, C\) and children \(L, W, K\), got"):
        made("recursive")(roots, leaves, inner[:1], children)
    with pytest.raises(ValueError, match=r"expects 3 input features \(input_size\), got 2"):
        made("recursive")(roots, leaves[:, :2], inner[:, :, :2], children)
    with pytest.raises(ValueError, match="activation must be one of"):
        RecursiveNetwork(H, activation="cubic")
    with pytest.raises(ValueError, match="max_children must be a whole number"):
        NaryTreeLSTM(H, max_children=-1)


def test_defaults_are_a_forget_bias_of_one():
    block = NaryTreeLSTM(H, C, 2)
    block.initialize(OwnDefaults())
    np.testing.assert_array_equal(block.i2h_bias.data().asnumpy(), np.repeat([0, 1, 0, 0], H))
