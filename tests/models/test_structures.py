"""Classifiers of trees and of nodes of graphs: what they compute, whether gradients arrive, what they refuse."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.answers.graphs import GraphReader
from gluon_rnn.answers.trees import TreeReader
from gluon_rnn.models import GraphClassifier, TreeClassifier
from gluon_rnn.nn import ChildSumTreeLSTM, GatedGraphNetwork, NaryTreeLSTM, OwnDefaults
from tests.gradients import assert_central_differences

TREES, GRAPHS = TreeReader(["and", "not", "T", "F"]), GraphReader()


def trees(*items):
    return [mx.nd.array(part, dtype="int32") for part in TREES.batch(list(map(TREES, items)))]


def graphs(*items):
    return [mx.nd.array(part, dtype=part.dtype) for part in GRAPHS.batch(list(map(GRAPHS, items)))]


def tree_model(**options):
    model = TreeClassifier(NaryTreeLSTM(4, dtype="float64"), 3, **TREES.model_arguments, **options)
    model.initialize(OwnDefaults())
    return model


def graph_model():
    model = GraphClassifier(GatedGraphNetwork(4, dtype="float64"), 3, **GRAPHS.model_arguments, embed_size=3)
    model.initialize(OwnDefaults())
    return model


BATCHES = {"tree": (tree_model, trees("(and T (not F))", "(not (not T))")),
           "graph": (graph_model, graphs("a>b b>c; a c", "a-b; b a"))}


@pytest.mark.parametrize("kind", BATCHES)
def test_every_parameter_has_the_gradient_of_central_differences(kind):
    make, batch = BATCHES[kind]
    model = make()
    assert_central_differences(lambda: [model(*batch)], model, [])


@pytest.mark.parametrize("kind", BATCHES)
def test_logits_are_a_layer_on_what_the_encoder_finds_of_embedded_ids(kind):
    make, batch = BATCHES[kind]
    model, (first, ids, *rest) = make(), batch
    vectors = model.embedding_weight.data()[ids]
    if kind == "tree":
        symbols, children = rest
        table = model.embedding_weight.data() * (mx.nd.arange(6, dtype="float64") > 0).reshape((-1, 1))
        found = model.encoder(first, vectors, table[symbols], children)
    else:
        found = model.encoder(first, vectors, *rest)
    expected = mx.nd.dot(found, model.output_weight.data().T) + model.output_bias.data()
    np.testing.assert_allclose(model(*batch).asnumpy(), expected.asnumpy(), rtol=1e-12)
    model.hybridize()
    np.testing.assert_allclose(model(*batch).asnumpy(), expected.asnumpy(), rtol=1e-12)


def test_dropout_is_for_training_only():
    model, batch = tree_model(dropout=0.5), BATCHES["tree"][1]
    assert (model(*batch) == model(*batch)).asnumpy().all()
    with mx.autograd.record():
        assert (model(*batch) != model(*batch)).asnumpy().any()


def test_an_encoder_for_any_number_of_children_needs_no_size():
    model = TreeClassifier(ChildSumTreeLSTM(4), 2, 6, max_children=2)
    model.initialize()
    wide = TreeReader(TREES.symbols, max_children=4)
    model(*[mx.nd.array(part, dtype="int32") for part in wide.batch([wide("(and T T T T)")])])


def test_ids_and_places_out_of_range_are_named():
    roots, leaves, symbols, children = trees("(and T (not F))")
    model = tree_model()
    with pytest.raises(ValueError, match=r"leaves must lie between 0 and 5, got 6; batches are made by the reader"):
        model(roots, leaves + 1, symbols, children)
    with pytest.raises(ValueError, match="children must lie between 0 and 4, got 5"):
        model(roots, leaves, symbols, children + 1)
    queries, marks, active, sources, *rest = graphs("a>b; a b")
    with pytest.raises(ValueError, match="sources must lie between 0 and 1, got 2"):
        graph_model()(queries, marks, active, sources + 1, *rest)
    with pytest.raises(ValueError, match="max_children.*got 3; make the trees binary"):
        tree_model()(roots, leaves, symbols, mx.nd.concat(children, children[:, :, :1], dim=2))
