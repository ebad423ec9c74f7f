"""Recipes: precedence, round trip, and for each kind of mistake one sentence with the YAML path.

Tests `config.py` too.
"""
import pathlib

import pytest
from omegaconf import OmegaConf

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import config as configuration
from gluon_rnn import recipes
from gluon_rnn.answers.checks import quotes_hint
from gluon_rnn.config import ConfigError
from gluon_rnn.tasks.task import Task

CONFIGS = sorted((pathlib.Path(__file__).resolve().parent.parent / "configs").rglob("*.yaml"))
TEXT = """
data: {name: elman_grammar, sentences: 500}
model: {encoder: {name: lstm, hidden_size: 8}}
training: {epochs: 3, clip_norm: 1e-1}
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(TEXT)
    return path


def test_default_then_file_then_override(recipe):
    plain = recipes.load(recipe)
    assert (plain.seed, plain.training.epochs, plain.training.clip_norm) == (0, 3, 0.1)
    changed = recipes.load(recipe, ["training.epochs=5", "model.encoder.hidden_size=16", "seed=7"])
    assert (changed.seed, changed.training.epochs) == (7, 5)
    assert changed.model.arguments["encoder"] == {"name": "lstm", "hidden_size": 16}
    assert changed.data.arguments == {"sentences": 500}, "batch_size and bptt are not the data set's"


def test_effective_configuration_reads_back_equal(recipe, tmp_path):
    config = recipes.load(recipe, ["training.schedule.name=cosine", "training.schedule.warmup_steps=3"])
    again = tmp_path / "again.yaml"
    again.write_text(configuration.to_yaml(config))
    assert recipes.load(again) == config


def test_data_root_is_the_environments(recipe, monkeypatch):
    recipe.write_text("data: {name: words, path: '${data_root}/a.txt', split: [0.9, 0.1]}\n"
                      "model: {encoder: {name: gru, hidden_size: 8}}\n")
    monkeypatch.setenv("GLUON_RNN_DATA", "/somewhere")
    assert recipes.load(recipe).data.arguments["path"] == "/somewhere/a.txt"
    monkeypatch.delenv("GLUON_RNN_DATA")
    assert recipes.load(recipe).data.arguments["path"].startswith(str(pathlib.Path.home()))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_recipe_of_the_repository_is_valid_and_short(path):
    recipes.load(path)
    assert len(path.read_text().splitlines()) <= 40


@pytest.mark.parametrize("override, sentence", [
    ("training.optimzer.name=adam", "training.optimzer: unknown key; did you mean 'optimizer'"),
    ("trainin.epochs=3", "trainin: unknown key; did you mean 'training'"),
    ("task=langage_model", "task: unknown task 'langage_model'; did you mean 'language_model'"),
    ("training.epochs=abc", "training.epochs: .*integer.*got 'abc'"),
    ("training.epochs=0", "training.epochs: .*greater than or equal to 1, got 0"),
    ("training.average=1", "training.average: .*less than 1, got 1"),
    ("training.optimizer.name=adm", "training.optimizer.name: unknown optimizer 'adm'; did you mean 'adam'"),
    ("training.optimizer.beta3=0.5", "training.optimizer.beta3: unknown key; did you mean 'beta2'"),
    ("training.optimizer.wd=0.5", "training.optimizer: 'wd' is not set here; use training.weight_decay"),
    ("training.optimizer.learning_rate=fast", "training.optimizer.learning_rate: expected a number, got 'fast'"),
    ("training.optimizer.learning_rate=-1",
     "training.optimizer: learning_rate: expected a finite number above 0, got -1"),
    ("training.schedule.name=cosin", "training.schedule.name: unknown schedule 'cosin'; did you mean 'cosine'"),
    ("training.schedule.warmup_steps=a", "training.schedule.warmup_steps: expected int, got 'a'"),
    ("training.schedule.warmup=3", "training.schedule.warmup: unknown key; did you mean 'warmup_steps'"),
    ("model.encoder.name=lstn", "model.encoder.name: unknown encoder 'lstn'; did you mean 'lstm'"),
    ("model.encoder.hiden_size=3", "model.encoder.hiden_size: unknown key; did you mean 'hidden_size'"),
    ("model.encoder.hidden_size=abc", "model.encoder: hidden_size .* got 'abc'"),
    ("model.encoder.hidden_size=-3", "model.encoder: hidden_size .* got -3"),
    ("model.encoder.dropout=often", "model.encoder.dropout: expected a number, got 'often'"),
    ("model.encoder.bidirectional=true", "model: a language model needs a causal encoder"),
    ("model.embed=3", "model.embed: unknown key; did you mean 'embed_size'"),
    ("model.tie_weights=3", "model.tie_weights: expected true or false, got 3"),
    ("data.name=word", "data.name: unknown data set 'word'; did you mean 'words'"),
    ("data.batchsize=3", "data.batchsize: unknown key; did you mean 'batch_size'"),
    ("data.bptt=0", "data.bptt: .*greater than or equal to 1, got 0"),
    ("data.sentences=many", "data.sentences: expected a number, got 'many'"),
    ("device=cpux", "device: expected 'auto', 'cpu', .* got 'cpux'"),
    ("device='cpu(0),cpu(1),cpu(2)'", "data.batch_size: 32 cannot be split evenly over the 3 devices"),
    ("seed=-1", "seed: .*greater than or equal to 0, got -1"),
    ("epochs", "override 'epochs' is not of the form key=value"),
])
def test_mistakes_are_found_before_data_are_read(recipe, monkeypatch, override, sentence):
    monkeypatch.setattr(Task, "read_data", lambda task: pytest.fail("data were read before the mistake was found"))
    with pytest.raises(ConfigError, match=sentence) as caught:
        recipes.build_task(recipes.load(recipe, [override]), recipe)
    assert "\n" not in str(caught.value)
    assert "form key=value" in sentence or str(caught.value).startswith(str(recipe)), "the file should be named"


@pytest.mark.parametrize("text, sentence", [
    ("model: {encoder: {name: lstm, hidden_size: 8}}", "data: this key is required and missing"),
    ("data: {name: words}\nmodel: {encodr: {name: lstm}}", "model.encodr: unknown key; did you mean .encoder"),
    ("data: {name: words}\nmodel: {encoder: {name: lstm}}", "model.encoder.hidden_size: this key is required"),
    ("data: {name: words, path: '${dataroot}/x'}\nmodel: {encoder: {name: lstm, hidden_size: 8}}", "dataroot"),
    ("a: [1", "not readable as YAML"),
    ("- 1", "expected a mapping of keys to values at the top"),
    ("data: 3\nmodel: {encoder: {name: lstm, hidden_size: 8}}", "data: .*got 3"),
])
def test_broken_files(recipe, text, sentence):
    recipe.write_text(text)
    with pytest.raises(ConfigError, match=sentence) as caught:
        recipes.load(recipe)
    assert "\n" not in str(caught.value)


def test_missing_file_names_the_nearest(recipe):
    with pytest.raises(ConfigError, match="there is no recipe and no file .*y.yaml'; did you mean '.*x.yaml'"):
        recipes.load(recipe.with_name("y.yaml"))


@pytest.mark.parametrize("key, name, argument", [
    ("optimizer", "sgd", "learning_rate=0.25"), ("schedule", "cosine", "final_learning_rate=0.25"),
    ("algorithm", "tbptt", "k1=5")])
def test_a_name_alone_is_a_part_whose_keys_can_be_overridden(recipe, key, name, argument):
    path, (word, _, value) = f"training.{key}", argument.partition("=")
    for given in ([f"{path}={name}", f"{path}.{argument}"], [f"{path}={{name: {name}, {word}: {value}}}"]):
        part = getattr(recipes.load(recipe, given).training, key)
        assert (part.name, part.arguments) == (name, {word: float(value)})
    recipe.write_text(TEXT.replace("epochs: 3", f"{key}: {name}"))
    part = getattr(recipes.load(recipe, [f"{path}.{argument}"]).training, key)
    assert (part.name, part.arguments) == (name, {word: float(value)})
    plain = recipes.from_dict({**OmegaConf.to_container(OmegaConf.create(TEXT)), "training": {key: name}})
    assert getattr(plain.training, key).name == name


BASE = {"task": {"name": "forecasting"}, "training": {"epochs": 3, "optimizer": {"name": "adam", "learning_rate": 0.5}},
        "data": {"name": "time_series", "split": {"rows": [5, 5]}, "batch_size": 4},
        "model": {"encoder": {"name": "gru"}}}


@pytest.mark.parametrize("override, key, value", [
    ("data.split=[0.6, 0.2, 0.2]", "data.split", [0.6, 0.2, 0.2]),
    ("data.split={dates: ['2020-01-01']}", "data.split", {"dates": ["2020-01-01"]}),
    ("data.split.rows=[4, 4]", "data.split", {"rows": [4, 4]}), ("data.split=null", "data.split", None),
    ("training.optimizer={name: sgd}", "training.optimizer", {"name": "sgd"}),
    ("training.optimizer=sgd", "training.optimizer", {"name": "sgd"}),
    ("training.optimizer=adam", "training.optimizer", {"name": "adam", "learning_rate": 0.5}),
    ("training.schedule=cosine", "training.schedule", {"name": "cosine"}),
    ("training.optimizer={name: adam, beta1: 0.5}", "training.optimizer",
     {"name": "adam", "learning_rate": 0.5, "beta1": 0.5}),
    ("data={name: words, path: a}", "data", {"name": "words", "path": "a"}),
    ("model={name: narx}", "model", {"name": "narx"}),
    ("data={name: time_series, batch_size: 8}", "data", {**BASE["data"], "batch_size": 8}),
    ("data={batch_size: 8}", "data", {**BASE["data"], "batch_size": 8}),
    ("training={epochs: 1}", "training", {**BASE["training"], "epochs": 1})])
def test_a_part_given_anew_replaces_the_old_one_and_sections_are_merged(override, key, value):
    found = recipes.read(BASE, [override])
    for part in key.split("."):
        found = found[part]
    assert found == value
    as_dict = {override.partition("=")[0]: OmegaConf.from_dotlist([override])}
    name = next(iter(as_dict))
    assert recipes.read(BASE, {name: OmegaConf.select(as_dict[name], name)}) == recipes.read(BASE, [override])


def test_an_override_may_name_a_key_of_the_recipe():
    found = recipes.read({**BASE, "output_dir": "here"}, ["data.train=${output_dir}/train.csv"])
    assert found["data"]["train"] == "here/train.csv"


def test_a_key_that_does_not_fit_into_a_list_is_one_sentence():
    with pytest.raises(ConfigError, match="data.split.rows: this key cannot be put into what the recipe has there"):
        recipes.read({**BASE, "data": {**BASE["data"], "split": [0.5, 0.5]}}, ["data.split.rows=[4, 4]"])


@pytest.mark.parametrize("value, hint", [(False, True), ([True], True), ({False: "a"}, True), ({"a": True}, True),
                                         ("no", False), ([1, "a"], False), (None, False)])
def test_truth_values_in_the_place_of_texts_are_explained(value, hint):
    assert ("put the word in quotes" in quotes_hint(value)) == hint


@pytest.mark.parametrize("override, sentence", [
    ("data.bptt=true", "data.bptt: expected a number and not a truth value, got True"),
    ("training.epochs=false", "training.epochs: expected a number and not a truth value"),
    ("training.optimizer.learning_rate=.inf", "training.optimizer.learning_rate: expected a finite number, got inf"),
    ("model.encoder.dropout=.nan", "model.encoder.dropout: expected a finite number, got nan"),
    ("training.schedule={name: cosine, final_learning_rate: -5}", "final_learning_rate: expected a finite number of")])
def test_a_key_of_a_number_takes_numbers_of_its_range(recipe, override, sentence):
    with pytest.raises(ConfigError, match=sentence):
        recipes.load(recipe, [override])


@pytest.mark.parametrize("override, sentence", [
    ("model.name=regressor", "model.name: 'regressor' is a model of the task 'regression', and the task is 'language_"),
    ("model.encoder=null", "model.encoder: expected a mapping such as .*, got null")])
def test_a_model_of_another_task_and_no_encoder_are_refused(recipe, override, sentence):
    with pytest.raises(ConfigError, match=sentence):
        recipes.load(recipe, [override])
