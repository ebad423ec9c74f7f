"""What a recipe may say: every registered part takes every key of its schema, and its docstring names each of them.

The schema of a part is its constructor's signature, so a signature that promises what the constructor refuses shows
here. Each key is tried by itself beside the keys that are required, with its default, or an example where that is None.
"""
import inspect
import re

import pytest
from omegaconf import OmegaConf

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import recipes
from gluon_rnn.config import Model, Part, to_yaml
from gluon_rnn.optim import optimizers, schedules
from gluon_rnn.parts import ModelPlan, build_part
from gluon_rnn.registry import datasets, encoders, graph_encoders, models, outputs, tasks, tree_encoders
from gluon_rnn.training.algorithms.settings import algorithm_of, algorithms
from tests.data.small_files import DATA_SETS, LEFT_OUT, write_files

LSTM = {"name": "lstm", "hidden_size": 6}
# What a recipe has to say of a model, and the sizes that its data would tell.
MODELS = {
    "ar": ({"output_lag": 2}, {"output_size": 1}),
    "narx": ({"input_lag": 1, "output_lag": 2}, {"input_size": 1, "output_size": 1}),
    "forecaster": ({"encoder": LSTM}, {"input_size": 1, "output_size": 1}),
    "language_model": ({"encoder": LSTM}, {"vocab_size": 9}),
    "conditional_language_model": ({"encoder": LSTM}, {"vocab_size": 9, "num_classes": 3}),
    "classifier": ({"encoder": LSTM}, {"vocab_size": 9, "num_classes": 3}),
    "tree_classifier": ({"encoder": {"name": "nary_tree_lstm", "hidden_size": 6}}, {"vocab_size": 9, "num_classes": 3}),
    "graph_classifier": ({"encoder": {"name": "ggnn", "hidden_size": 6}}, {"vocab_size": 4, "num_classes": 3}),
    "regressor": ({"encoder": LSTM}, {"vocab_size": 9, "num_values": 3}),
    "ctc": ({"encoder": LSTM}, {"num_labels": 3, "input_size": 4}),
    "frame_predictor": ({"encoder": LSTM}, {"num_keys": 88}),
    "tagger": ({"encoder": LSTM}, {"num_labels": 3, "vocab_size": 9, "char_vocab_size": 5}),
    "seq2seq": ({"encoder": LSTM, "decoder": LSTM}, {"source_vocab_size": 9, "target_vocab_size": 8}),
    "word_vectors": ({}, {"vocab_size": 9}),
}
# Sizes that are the data's where data tell them, so that no recipe sets them.
OF_DATA = {"input_size", "output_size", "num_keys", "vocab_size", "num_classes", "vector_size", "num_values",
           "num_labels", "char_vocab_size", "source_vocab_size", "target_vocab_size"}
# In the place of a default that is None, with what it needs beside it.
EXAMPLES = {
    "output": {"output": {"name": "adaptive_softmax", "cutoffs": [3]}},
    "embed_size": {"embed_size": 6}, "char_encoder": {"char_encoder": LSTM}, "backend": {"backend": "reference"},
    "quantiles": {"quantiles": [0.1, 0.5, 0.9], "distribution": "quantile"}, "dtype": {"dtype": "float32"},
    "output_size": {"output_size": 4}, "projection_size": {"projection_size": 3}, "num_layers": {"num_layers": 2},
    "cell_options": {"cell_options": {"zoneout_h": 0.1}}, "i2h_bias_initializer": {"i2h_bias_initializer": "zeros"},
    "contexts": {"contexts": [[-2, 0]], "hidden_size": [4]},
    **{key: {key: "xavier"} for key in ("weight_initializer", "i2h_weight_initializer", "h2h_weight_initializer",
                                        "h2o_weight_initializer", "h2r_weight_initializer")},
}


def sections(registry, name, required, given=()):
    """Yield the YAML text of a section for each key of the schema of a part."""
    for key, parameter in registry.parameters(name).items():
        if key in given or key in required:
            continue
        value = parameter.default
        changes = EXAMPLES[key] if value is None else {key: list(value) if isinstance(value, tuple) else value}
        yield OmegaConf.to_yaml(OmegaConf.create({"name": name, **required, **changes}))


def read(text):
    return OmegaConf.to_container(OmegaConf.create(text))


@pytest.mark.parametrize("name", models.names())
def test_a_model_takes_every_key(name):
    required, sizes = MODELS[name]
    built = [ModelPlan(Model(**read(text)), tuple(sizes)).build(**sizes)
             for text in sections(models, name, required, {"layout", *OF_DATA})]
    assert built and {type(model) for model in built} == {models.get(name)}


@pytest.mark.parametrize("name", encoders.names())
def test_an_encoder_takes_every_key(name):
    built = [build_part("model.encoder", encoders, Part(**read(text)), fixed=("layout",))
             for text in sections(encoders, name, {"hidden_size": 6}, {"layout"})]
    assert built and {type(encoder) for encoder in built} == {encoders.get(name)}


@pytest.mark.parametrize("registry, name", [(registry, name) for registry in (tree_encoders, graph_encoders)
                                            for name in registry.names()],
                         ids=lambda value: value if isinstance(value, str) else "")
def test_an_encoder_of_trees_or_graphs_takes_every_key(registry, name):
    built = [build_part("model.encoder", registry, Part(**read(text)), fixed=("layout",))
             for text in sections(registry, name, {"hidden_size": 6})]
    assert built and {type(encoder) for encoder in built} == {registry.get(name)}


@pytest.mark.parametrize("name", outputs.names())
def test_an_output_layer_takes_every_key(name):
    examples = {"cutoffs": [3, 6], "samples": 4, "div_value": 2}
    required = {key: examples[key] for key in outputs.parameters(name)}
    for given in [required, *({**required, key: examples[key]} for key in required)]:
        section = Model(name="language_model", encoder=LSTM, output=read(OmegaConf.to_yaml({"name": name, **given})))
        assert type(ModelPlan(section, ("vocab_size",)).build(vocab_size=9).output) is outputs.get(name)


@pytest.mark.parametrize("name", sorted(optimizers.known()))
def test_an_optimizer_takes_every_key(name):
    numbers = {"lower_bound": 0.1, "upper_bound": 10.0, "clip_weights": 1.0}
    for key, parameter in optimizers.parameters(name).items():
        value = numbers[key] if parameter.default is None else parameter.default
        config = recipes.from_dict(recipe(training={"optimizer": {"name": name, key: value}}))
        assert config.training.optimizer.arguments == {key: value}
        built = optimizers.build(name, **config.training.optimizer.arguments)
        assert type(built) is optimizers.known()[name]


@pytest.mark.parametrize("name", schedules.schedules.names())
def test_a_schedule_takes_every_key(name):
    required = {"epochs": [1, 2]} if name == "multifactor" else {}
    parameters = inspect.signature(schedules.schedules.get(name)).parameters
    for key in [key for key in parameters if key not in schedules.GIVEN]:
        arguments = {**required, **({} if key in required else {key: parameters[key].default})}
        config = recipes.from_dict(recipe(training={"schedule": {"name": name, **arguments}}))
        assert schedules.build(name, 0.5, 100, 10, **config.training.schedule.arguments)(1) > 0


@pytest.mark.parametrize("name", algorithms.names())
def test_a_learning_algorithm_takes_every_key(name):
    for key, parameter in algorithms.parameters(name).items():
        value = {"k1": 3, "k2": 50}.get(key, parameter.default)
        config = recipes.from_dict(recipe(training={"algorithm": {"name": name, key: value}}))
        assert config.training.algorithm.arguments == {key: value}
        assert type(algorithm_of(config)) is algorithms.get(name)


@pytest.mark.parametrize("name", datasets.names())
def test_a_data_set_takes_every_key(name, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (required, examples), files = DATA_SETS[name], write_files(tmp_path)
    for key, parameter in datasets.parameters(name).items():
        value = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
        changes = examples.get(key, {} if key in required else {key: value})
        arguments = fill({**required, **changes}, files)
        assert arguments.get(key) is not None, f"{key} needs an example in small_files.py"
        section = Part(**read(OmegaConf.to_yaml(OmegaConf.create({"name": name, **arguments}))))
        assert type(build_part("data", datasets, section)) is datasets.get(name), key


def fill(value, files):
    """Return `value` with the paths of files in the place of ``<name>``, and without keys that are left out."""
    if isinstance(value, dict):
        return {key: fill(part, files) for key, part in value.items() if part is not LEFT_OUT}
    if isinstance(value, list):
        return [fill(part, files) for part in value]
    return files.get(value, value) if isinstance(value, str) else value


# The data of a small recipe of each task, and its model.
TASKS = {
    "language_model": ("elman_grammar", {"encoder": LSTM}),
    "classification": ("labelled_text", {"encoder": LSTM, "embed_size": 4}),
    "conditional_language_model": ("labelled_text", {"encoder": LSTM, "embed_size": 4}),
    "tagging": ("conllu", {"encoder": LSTM, "embed_size": 4}),
    "translation": ("parallel_text", {"encoder": LSTM, "decoder": LSTM}),
    "frames": ("piano_roll", {"encoder": LSTM}),
    "ctc": ("joined_audio", {"encoder": LSTM}),
    "regression": ("trajectory_values", {"encoder": LSTM}),
    "forecasting": ("narma", {"input_lag": 1, "output_lag": 2}),
    "word_vectors": ("words", {}),
}
TASK_EXAMPLES = {"top_p": 0.9, "teacher_forcing": {"name": "linear", "end": 0.5}, "washout": 3, "select": "loss",
                 "similarity": "<similarity>"}


@pytest.mark.parametrize("name", tasks.names())
def test_a_task_takes_every_key_of_its_own_and_of_its_data_section(name, tmp_path):
    (data, model), files, cls = TASKS[name], write_files(tmp_path), tasks.get(name)
    section = {"name": data, "batch_size": 2, "eval_batch_size": 2, **fill(DATA_SETS[data][0], files)}
    if data == "elman_grammar":
        section["sentences"] = 400
    if name == "forecasting":
        section["bptt"] = 10
    keys = [key for key in tasks.parameters(name) if key != "config"]
    for key in keys or [None]:
        default = None if key is None else tasks.parameters(name)[key].default
        value = TASK_EXAMPLES.get(key, list(default) if isinstance(default, tuple) else default)
        own = {key: fill(value, files)} if key else {}
        config = recipes.from_dict({"task": {"name": name, **own}, "data": section, "model": model})
        assert type(recipes.build_task(config)) is cls
    extra = {key: field.default for key, field in cls.data_section.model_fields.items() if key != "name"}
    config = recipes.from_dict({"task": name, "data": {**extra, **section}, "model": model})
    assert set(extra) <= set(config.data.model_dump()) and type(recipes.build_task(config)) is cls


AXES = {"tagging": {"char_encoder": LSTM, "crf": True}}


@pytest.mark.parametrize("name", tasks.names())
def test_names_of_rows_are_as_many_as_there_are_rows(name, tmp_path):
    (data, model), files = TASKS[name], write_files(tmp_path)
    section = {"name": data, "batch_size": 2, "eval_batch_size": 2, **fill(DATA_SETS[data][0], files)}
    section.update({"bptt": 10} if name == "forecasting" else {})
    task = recipes.build_task(recipes.from_dict({"task": name, "data": section,
                                                 "model": {**model, **AXES.get(name, {})}}))
    parameters = task.model._collect_params_with_prefix()
    for parameter, axes in task.named_axes.items():
        assert tuple(len(names) for _, names in axes) == parameters[parameter].shape[:len(axes)], parameter
        assert all(len(set(names)) == len(names) for _, names in axes)
    looked_up = [key for key in parameters if "embedding" in key or key.startswith(("output", "crf"))]
    assert name in ("frames", "forecasting") or set(looked_up) <= set(task.named_axes)   # those match by shape alone


FINE_TUNING = {"start_from": "runs/a-1", "freeze": ["encoder"], "thaw": ["encoder", {"epoch": 4, "parameters": "a|b"}],
               "learning_rates": {"encoder.*h2h": 0.5}, "start_names": {"encoder.": "reader.", "output": None}}


@pytest.mark.parametrize("key", FINE_TUNING)
def test_keys_of_fine_tuning_are_taken_and_read_back(key, tmp_path):
    more = {"start_from": "a"} if key == "start_names" else {}
    config = recipes.from_dict(recipe(training={key: FINE_TUNING[key], **more}))
    if key == "thaw":
        assert [(entry.epoch, entry.parameters) for entry in config.training.thaw] == [(2, "encoder"), (4, "a|b")]
    else:
        assert getattr(config.training, key) == FINE_TUNING[key]
    (tmp_path / "again.yaml").write_text(to_yaml(config))
    assert recipes.load(tmp_path / "again.yaml").training == config.training
    if not isinstance(FINE_TUNING[key], str):                             # null takes back what a recipe says
        assert not getattr(recipes.from_dict(recipe(training={key: None})).training, key)


@pytest.mark.parametrize("name", [*datasets.names(), *tasks.names()])
def test_every_key_is_documented(name):
    """The section "Parameters" of a docstring: lines ``a, b : type, default`` that begin at the margin."""
    registry = datasets if name in datasets.names() else tasks
    text = inspect.getdoc(registry.get(name)).split("Parameters\n----------\n")[-1]
    text = re.split(r"\n\n\w+\n-+\n", text)[0]                            # up to the next section
    named = {key for line in text.splitlines() if not line.startswith(" ")
             for key in line.split(" :")[0].split(", ")}
    assert set(registry.parameters(name)) - {"config"} <= named


def recipe(**changes):
    return {"data": {"name": "elman_grammar", "sentences": 200, "batch_size": 2, "eval_batch_size": 2},
            "model": {"encoder": LSTM}, **changes}
