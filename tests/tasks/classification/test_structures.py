"""Trees and graphs in the classification task, from a recipe to an answer: learnt, predicted, exported, served.

Tests `structures.py`.
"""
import mxnet as mx
import numpy as np
import pydantic
import pytest

import gluon_rnn
from gluon_rnn import export, recipes
from gluon_rnn.config import ConfigError
from gluon_rnn.diagnose import problem_of
from gluon_rnn.export.evaluation import evaluate_bundle
from gluon_rnn.serve import Limits
from gluon_rnn.serve.tasks import task_form
from gluon_rnn.training import train

KINDS = {
    "tree": ({"name": "logic_trees", "depth": [1, 2], "test_depth": [3, 3]},
             {"name": "tree_classifier", "encoder": {"name": "nary_tree_lstm", "hidden_size": 12}}),
    "wide tree": ({"name": "listops", "depth": [1, 1], "test_depth": [2, 2]},
                  {"name": "tree_classifier", "encoder": {"name": "child_sum_tree_lstm", "hidden_size": 12}}),
    "graph": ({"name": "graph_reachability", "nodes": [3, 4], "test_nodes": [5, 6]},
              {"name": "graph_classifier", "encoder": {"name": "ggnn", "hidden_size": 12}}),
}
#: an item each, and one that cannot be read
ITEMS = {"tree": ("(and T (not F))", "(and T", "this bracket is never closed"),
         "wide tree": ("( MIN 3 ( MAX 1 2 5 ) 4 )", "(MIN 1", "this bracket is never closed"),
         "graph": ("a>b b>c; a c", "a>b; a z", "has no node 'z'")}


def recipe(kind, folder, epochs=4):
    data, model = KINDS[kind]
    return recipes.from_dict({
        "task": {"name": "classification", "baselines": False}, "model": model, "output_dir": str(folder / "runs"),
        "data": {**data, "train": 120, "valid": 20, "test": 10, "batch_size": 20, "eval_batch_size": 7},
        "training": {"epochs": epochs, "optimizer": {"name": "adam", "learning_rate": 0.02}}})


@pytest.fixture(scope="module", params=KINDS)
def trained(request, tmp_path_factory):
    """Return the kind, the task and the predictor of a short run."""
    folder = tmp_path_factory.mktemp("structures")
    task = recipes.build_task(recipe(request.param, folder))
    train(task, "run")
    run, = (folder / "runs").iterdir()
    return request.param, task, gluon_rnn.load(run)


def test_the_loss_falls_and_a_report_has_an_accuracy_for_each_group(trained):
    kind, task, predictor = trained
    lines = (predictor.path / "metrics.csv").read_text().splitlines()
    losses = [float(line.split(",")[lines[0].split(",").index("train_loss")]) for line in lines[1:]]
    assert losses[-1] < 0.9 * losses[0]
    table = (predictor.path / f"accuracy_by_{task.data.group_name}.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in table[1:]] == sorted(map(str, set(task.data.groups("test"))))
    assert sum(int(line.split(",")[2]) for line in table[1:]) == 10


def test_a_prediction_is_the_softmax_of_the_model_whatever_shares_its_batch(trained):
    kind, task, predictor = trained
    items = task.data.items("test")
    together = predictor.predict(items, batch_size=4)
    for item, found in zip(items, together):
        arrays = task.data.reader.batch([task.data.reader(item)])
        logits = predictor.model(*[mx.nd.array(part, dtype=part.dtype) for part in arrays])
        expected = mx.nd.softmax(logits).asnumpy()[0]
        # float32: some hundred roundings, sums of other blocks of rows
        np.testing.assert_allclose([found[label] for label in task.data.labels], expected, atol=1e-5)
    assert predictor.answer(ITEMS[kind][0], None).split()[0] in task.data.labels
    with pytest.raises(ValueError, match=ITEMS[kind][2]):
        predictor.predict(ITEMS[kind][1])
    with pytest.raises(ValueError, match="answers after the whole sequence"):
        list(predictor.stream([ITEMS[kind][0]]))


@pytest.mark.parametrize("format", ["symbol", "onnx"])
def test_a_bundle_answers_as_the_run_does(trained, format, tmp_path):
    if format == "onnx":
        pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    kind, task, predictor = trained
    assert export.export_run(predictor, tmp_path / "bundle", format=format) < 1e-5
    if format == "symbol":
        assert f"accuracy {task.evaluate('test')['accuracy']:.4g}" in evaluate_bundle(
            export.load(tmp_path / "bundle"), predictor.path)
    items = task.data.items("test")
    for found, expected in zip(export.load(tmp_path / "bundle").predict(items), predictor.predict(items)):
        assert found == pytest.approx(expected, abs=1e-5)


def test_a_server_takes_what_can_be_read(trained):
    kind, task, predictor = trained
    form = task_form("classification", predictor.assets.texts().__getitem__, Limits())
    assert form.about == {"kind": "text", "unit": task.data.structure, "labels": task.data.labels}
    assert form.step is None
    item = pydantic.TypeAdapter(form.item)
    assert item.validate_python(ITEMS[kind][0]) == ITEMS[kind][0]
    with pytest.raises(ValueError, match=ITEMS[kind][2]):
        item.validate_python(ITEMS[kind][1])


def test_an_instrument_for_states_through_time_says_that_there_are_none(trained):
    _, task, _ = trained
    with pytest.raises(ValueError, match="Classifier has no states through time, for it takes (tree|graph)s"):
        problem_of(task, "test")


def test_a_resumed_epoch_has_the_same_batches(trained):
    _, task, _ = trained
    first, again = ([array.asnumpy() for batch in task.train_batches(2) for array in batch.arrays] for _ in range(2))
    assert all(map(np.array_equal, first, again))


@pytest.mark.parametrize("changes, sentence", [
    ({"model": {"encoder": {"name": "lstm", "hidden_size": 4}}}, "classifier takes sequences, and the data are trees; "
                                                                 "take tree_classifier"),
    ({"model": KINDS["graph"][1]}, "graph_classifier takes graphs, and the data are trees"),
    ({"task": {"name": "classification", "r_drop": 1.0}}, "task.r_drop: it is for sequences"),
    ({"model": {"name": "tree_classifier", "encoder": {"name": "lstm", "hidden_size": 4}}},
     "model.encoder.name: unknown tree encoder 'lstm'"),
    ({"model": {"name": "tree_classifier", "encoder": {"name": "nary_tree_lstm", "hidden_size": 4, "max_children": 3}}},
     "has weights for 3 children a node .*, got 2"),
])
def test_what_does_not_fit_is_said_in_one_sentence(changes, sentence, tmp_path):
    plain = {"task": {"name": "classification"}, "model": KINDS["tree"][1],
             "data": {**KINDS["tree"][0], "train": 6, "valid": 3, "test": 3, "batch_size": 2, "eval_batch_size": 2}}
    with pytest.raises(ConfigError, match=sentence):
        recipes.build_task(recipes.from_dict({**plain, **changes}))
