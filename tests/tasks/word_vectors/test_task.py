"""The task of word vectors: a run from recipe to neighbours, gradients, resuming, threads, bundles, messages."""
import json

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from mxnet import autograd

import gluon_rnn
from gluon_rnn import export
from gluon_rnn.config import ConfigError
from gluon_rnn.data.word2vec_text import read_vectors
from gluon_rnn.recipes import build_task
from gluon_rnn.runs import evaluate_run
from gluon_rnn.serve import Limits
from gluon_rnn.serve.tasks import task_form
from gluon_rnn.training import train
from scripts import predict
from tests.recipes import changed
from tests.reference import rounding

ANIMALS, TOOLS = ["cat", "dog", "horse", "cow"], ["hammer", "saw", "drill", "axe"]


def sentences(count):
    """Return lines in which animals eat and sleep and tools cut and break, words of a kind in the same places."""
    rng, lines = np.random.default_rng(0), []
    for _ in range(count):
        words, verbs, ends = [(ANIMALS, ("eats", "sleeps"), ("hay", "meat")),
                              (TOOLS, ("cuts", "breaks"), ("wood", "iron"))][rng.integers(2)]
        lines.append(f"the {rng.choice(words)} {rng.choice(verbs)} the {rng.choice(ends)}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with texts, and pairs of words: 9 for two of a kind, 1 for two of different kinds."""
    folder = tmp_path_factory.mktemp("words")
    for name, count in (("train", 400), ("valid", 60)):
        (folder / f"{name}.txt").write_text(sentences(count))
    words = [(word, kind) for kind, listed in enumerate((ANIMALS, TOOLS)) for word in listed]
    (folder / "pairs.tsv").write_text("".join(f"{a}\t{b}\t{9 if i == j else 1}\n"
                                              for n, (a, i) in enumerate(words) for b, j in words[:n]))
    return folder


@pytest.fixture
def make(folder, tmp_path):
    recipe = {"task": {"name": "word_vectors", "noise_words": 16}, "output_dir": str(tmp_path / "runs"),
              "data": {"name": "words", "train": str(folder / "train.txt"), "valid": str(folder / "valid.txt"),
                       "batch_size": 256, "window": 3, "subsample": 0.05},
              "model": {"embed_size": 8},
              "training": {"epochs": 8, "eval_interval": 4,
                           "optimizer": {"name": "adagrad", "learning_rate": 0.1, "eps": 1e-14}}}
    return lambda changes=None: changed(recipe, changes)


def task_of(config):
    task = build_task(config)
    task.initialize([mx.cpu()])
    return task


@pytest.mark.parametrize("architecture", ["skip_gram", "cbow"])
def test_gradients_by_hand_are_those_of_the_graph(make, architecture):
    task = task_of(make({"task.architecture": architecture}))
    task.model.output_weight.set_data(mx.nd.random.normal(shape=task.model.output_weight.shape))
    batch = next(iter(task.train_batches(0)))
    with autograd.record():
        loss = task.graph(*batch.arrays)
    loss.backward()
    found, gradients = task.graph.loss_and_gradients(*batch.arrays)
    assert found == pytest.approx(loss.asscalar(), rel=rounding("float32", 1000))
    for parameter, gradient in gradients.items():
        whole = np.zeros(parameter.shape)
        whole[gradient.rows] = gradient.values
        largest = abs(whole).max()
        # each row is a sum over some hundred pairs
        np.testing.assert_allclose(whole, parameter.grad().asnumpy(), atol=largest * rounding("float32", 300))


def test_threads_change_no_number(make):
    losses = []
    for workers in (1, 2):
        task = task_of(make({"task.workers": workers}))
        batch = next(iter(task.train_batches(0)))
        loss, gradients = task.graph.loss_and_gradients(*batch.arrays)
        losses.append([loss, *(gradient.values.tolist() for gradient in gradients.values())])
    assert losses[0] == losses[1]


def test_units_are_pairs_or_words_that_have_some(make):
    task, other = build_task(make()), build_task(make({"task.architecture": "cbow", "data.subsample": None}))
    for batch in task.eval_batches("valid"):
        assert batch.size == batch.arrays[2].asnumpy().sum()
    assert sum(batch.size for batch in other.eval_batches("valid")) == 60 * 5     # no line has one word alone
    assert (task.unit, other.unit) == ("pair", "word") and "in the first epoch" in task.describe()
    sizes = [sum(batch.size for batch in task.train_batches(epoch)) for epoch in (0, 0, 1)]
    assert sizes[0] == sizes[1] != sizes[2]


@pytest.mark.parametrize("architecture", ["skip_gram", "cbow"])
def test_a_run_from_recipe_to_neighbours(make, folder, architecture, capsys):
    path = train(build_task(make({"task.architecture": architecture, "task.similarity": str(folder / "pairs.tsv"),
                                  "training.report": True})),
                 architecture)
    results = json.loads((path / "results.json").read_text())
    # cosines within a kind are above those between kinds: with 12 and 16 tied pairs the correlation is at most 0.86
    assert results["split"] == "valid" and results["scores"]["similarity"] > 0.7
    losses = pd.read_csv(path / "metrics.csv")["valid_loss"]
    assert losses.iloc[-1] < losses.iloc[0]
    run = gluon_rnn.load(path)
    assert {word for word, _ in run.predict("cat", 3)} <= set(ANIMALS + ["eats", "sleeps", "hay", "meat"])
    table = read_vectors(path / "vectors.txt")
    assert table.words == run.table.words and "<eos>" not in table and "the" in table
    np.testing.assert_array_equal(table.vectors, run.table.vectors)
    np.testing.assert_array_equal(table.vectors[0], run.arrays()["embedding_weight"][run.assets.vocab[table.words[0]]]
                                  .asnumpy())
    assert len((path / "neighbours.txt").read_text().splitlines()) == len(table.words)
    assert predict.main([str(path), "cat"]) == 0 and capsys.readouterr().out.startswith(run.predict("cat")[0][0])
    assert evaluate_run(path).startswith(f"valid loss {results['scores']['loss']:.4g}")
    with pytest.raises(ValueError, match="does not answer step by step; use predict"):
        run.stream(["cat"])


def test_a_bundle_answers_as_the_run(make, tmp_path):
    run = gluon_rnn.load(train(build_task(make()), "bundled", steps=2))
    assert export.export_run(run, tmp_path / "bundle") == 0               # lookups round nothing
    bundle = export.load(tmp_path / "bundle")
    assert bundle.predict("cat", 3) == run.predict("cat", 3)
    assert [entry["name"] for entry in bundle.networks["model"].graph["outputs"]] == ["outputs", "output_vectors"]
    with pytest.raises(ValueError, match="does not answer step by step"):
        bundle.stream(["cat"])


def test_it_is_served_by_the_word(make):
    run = gluon_rnn.load(train(build_task(make()), "served", steps=2))
    form = task_form("word_vectors", run.assets.texts().__getitem__, Limits())
    assert form.step is None and form.about == {"kind": "text", "unit": "word"}
    assert form.answers(run, ["cat", "saw"]) == [[list(pair) for pair in run.predict(word)] for word in ("cat", "saw")]


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "sgd"])
def test_resumed_is_uninterrupted(make, optimizer):
    changes = {"training.optimizer": {"name": optimizer, "learning_rate": 0.1}, "training.report": False,
               "training.eval_interval": 1}
    whole = train(build_task(make({**changes, "training.epochs": 2})), "whole")
    half = train(build_task(make({**changes, "training.epochs": 1})), "half")
    train(build_task(make({**changes, "training.epochs": 2})), "half", resume=half)
    rows = [pd.read_csv(path / "metrics.csv")[["epoch", "step", "train_loss", "valid_loss", "param_norm"]]
            for path in (whole, half)]
    pd.testing.assert_frame_equal(*rows, check_exact=True)


@pytest.mark.parametrize("changes, message", [
    ({"task.architecture": "skipgram"}, "task.architecture: unknown architecture 'skipgram'; did you mean 'skip_gram'"),
    ({"task.negatives": 0}, "task.negatives: expected a number above 0, got 0"),
    ({"task.workers": 0}, "task.workers must be a whole number of at least 1, got 0"),
    ({"data.window": 0}, "data.window: .*greater than or equal to 1"), ({"data.subsample": 0}, "data.subsample: "),
    ({"data.name": "characters"}, "data.name: 'characters' is no text of words; known: phrases, words"),
    ({"training.optimizer.name": "rmsprop"}, "training.optimizer.name: 'rmsprop' would update the vectors of all words "
                                             "in each step; choose one of adagrad, adam, sgd"),
    ({"model.embed_size": 0}, "model: embed_size must be a whole number"),
    ({"task.similarity": "nowhere.tsv"}, "task.similarity: nowhere.tsv: no such file")])
def test_mistakes_are_found_before_data_are_read(make, changes, message):
    optimizer = {"training.optimizer": {"name": "sgd"}} if "training.optimizer.name" in changes else {}
    with pytest.raises(ConfigError, match=message):
        build_task(make({"data.train": "nowhere.txt", **optimizer, **changes}))
