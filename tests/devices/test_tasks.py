"""Each task on another device: trained there as on the CPU, answering, exported, stopped here and resumed there."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import recipes, training
from gluon_rnn.export import export_run
from gluon_rnn.registry import tasks
from gluon_rnn.runs import load_run
from gluon_rnn.training import folder, loop
from tests.data.small_files import DATA_SETS, write_files
from tests.devices.conftest import IS_NAMED, on_devices
from tests.test_schema import LSTM, TASKS, fill
from tests.training.test_loop import StopAfter

GRU = {"name": "gru", "hidden_size": 5}
# Beside the smallest recipe of each task, those whose model or step has parts of its own: (data, changes).
MORE = {
    "language_model-adaptive": (None, {"model.output": {"name": "adaptive_softmax", "cutoffs": [3]}}),
    "language_model-sampled": (None, {"model.output": {"name": "sampled_softmax", "samples": 4}}),
    "language_model-minimal": (None, {"model.encoder": {"name": "min_gru", "hidden_size": 6}}),
    "language_model-rtrl": (None, {"training.algorithm": "rtrl", "model.encoder": GRU, "data.batch_size": 1}),
    "language_model-clipped": (None, {"training.clip_norm_per_layer": 0.5, "training.average": 0.9,
                                      "training.weight_decay": 0.1}),
    "classification-trees": ("logic_trees", {"model": {"name": "tree_classifier", "encoder": {
        "name": "nary_tree_lstm", "hidden_size": 6}}}),
    "classification-graphs": ("graph_reachability", {"model": {"name": "graph_classifier", "encoder": {
        "name": "ggnn", "hidden_size": 6}}}),
    "classification-pooled": (None, {"model.encoder": {"name": "lstm", "hidden_size": 4, "bidirectional": True}}),
    "tagging-crf": (None, {"model.crf": True, "model.char_encoder": LSTM}),
    "translation-bahdanau": (None, {"model.attention": "bahdanau"}),
    "forecasting-narx": (None, {"model": {"name": "narx", "input_lag": 1, "output_lag": 2},
                                "task.feedback": "closed_loop"}),
    "forecasting-encoder": (None, {"model": {"name": "forecaster", "encoder": GRU}}),
    "word_vectors-cbow": (None, {"task.architecture": "cbow"}),
}
CASES = [*tasks.names(), *MORE]
# Sums in another order move a weight by roundings of 1e-7 of its size, at every update.
TOLERANCE = dict(rtol=0, atol=1e-4)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("files"))


def config_of(case, files, path, device, epochs=1):
    """Return the recipe of a case."""
    name = case.partition("-")[0]
    data, changes = MORE.get(case, (None, {}))
    data = data or TASKS[name][0]
    sections = {
        "task": {"name": name}, "model": dict(TASKS[name][1]), "device": device, "output_dir": str(path),
        "data": {"name": data, "batch_size": 2, "eval_batch_size": 2, **fill(DATA_SETS[data][0], files)},
        "training": {"epochs": epochs, "optimizer": {"name": "sgd", "learning_rate": 0.1}, "clip_norm": 1.0,
                     "report": IS_NAMED}}
    more = {"language_model": {"sentences": 60, "bptt": 10}, "forecasting": {"bptt": 10}}
    sections["data"].update(more.get(name, {}))
    for key, value in changes.items():
        section, _, inner = key.partition(".")
        if inner:
            sections[section][inner] = value
        else:
            sections[section] = value
    return recipes.from_dict(sections)


def trained(config, name):
    return training.train(recipes.build_task(config), name)


def weights(run, which="last"):
    return mx.nd.load(str(run / which / "parameters.params"))


def assert_same_weights(found, wanted):
    assert set(found) == set(wanted)
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name].asnumpy(), array.asnumpy(), **TOLERANCE, err_msg=name)


@on_devices(CASES, ["language_model", "word_vectors"])
def test_a_task_trains_as_on_the_cpu_and_leaves_as_a_bundle(case, device, files, tmp_path):
    there = trained(config_of(case, files, tmp_path, str(device)), "there")
    assert_same_weights(weights(there), weights(trained(config_of(case, files, tmp_path, "cpu"), "here")))
    predictor = load_run(there, ctx=device)
    assert predictor.device == device
    export_run(predictor, tmp_path / "bundle")                            # compares its answers with those of the CPU


@on_devices(["to the CPU", "from the CPU"], ["to the CPU"])
def test_a_run_goes_on_elsewhere(case, device, files, tmp_path):
    """Stopped in the middle of an epoch, with carried states and those of an optimiser, and resumed."""
    places = ["cpu", str(device)] if case == "from the CPU" else [str(device), "cpu"]
    first, second, whole = (config_of("language_model", files, tmp_path, place, epochs=2) for place in (*places, "cpu"))
    for config in (first, second, whole):
        config.training.optimizer.name, config.training.optimizer.arguments["learning_rate"] = "adam", 1e-3
    broken = loop.Loop(recipes.build_task(first))
    broken.start(folder.create(first.output_dir, "broken"))
    broken.run(StopAfter(4))
    assert broken.position.step_in_epoch > 0 and broken.position.epoch < 2
    training.train(recipes.build_task(second), "broken", resume=broken.path)
    assert_same_weights(weights(broken.path), weights(trained(whole, "whole")))
