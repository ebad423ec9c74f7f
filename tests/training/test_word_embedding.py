"""Models of texts that begin with vectors of a file: rows by word, freezing, resuming, mistakes."""
import logging

import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.answers.vector_table import VectorTable
from gluon_rnn.config import ConfigError
from gluon_rnn.data.word2vec_text import write_vectors
from gluon_rnn.recipes import build_task
from gluon_rnn.training import checkpoints, train
from gluon_rnn.training.loop import Loop
from tests.data.small_files import write_files
from tests.recipes import changed

LSTM = {"name": "lstm", "hidden_size": 6}
VECTORS = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
OTHERS = {"classification": ("labelled_text", "labels", {"encoder": LSTM, "embed_size": 6}, "embedding_weight"),
          "conditional_language_model": ("labelled_text", "labels", {"encoder": LSTM, "embed_size": 6}, None),
          "tagging": ("conllu", "conllu", {"encoder": LSTM, "embed_size": 6}, "word_embedding.weight"),
          "translation": ("parallel_text", "pairs", {"encoder": LSTM, "decoder": LSTM, "embed_size": 6},
                          "target_embedding.weight")}


@pytest.fixture
def files(tmp_path):
    """Return the paths of small files, among them vectors of words of all of these texts and of one other."""
    write_vectors(tmp_path / "vectors.txt", VectorTable(["rose", "zebra", "the", "good"], VECTORS))
    write_vectors(tmp_path / "cats.txt", VectorTable(["cat1", "va", "zebra", "x"], VECTORS))
    write_vectors(tmp_path / "none.txt", VectorTable(["Rose", "Zebra"], VECTORS[:2]))
    write_vectors(tmp_path / "small.txt", VectorTable(["rose"], VECTORS[:1, :4]))
    return write_files(tmp_path)


@pytest.fixture
def make(files, tmp_path):
    recipe = {"data": {"name": "words", "train": files["<prose>"], "valid": files["<prose>"], "batch_size": 2,
                       "bptt": 10, "eval_batch_size": 2},
              "task": {"name": "language_model", "samples": 0}, "output_dir": str(tmp_path / "runs"),
              "model": {"encoder": LSTM, "embed_size": 6}, "training": {"epochs": 1, "report": False},
              "embedding": {"file": str(tmp_path / "vectors.txt")}}
    return lambda changes=None: changed(recipe, changes)


def begun(task, resumes=False):
    """Return the arrays that a run begins with."""
    Loop(task, resumes=resumes)
    return {name: parameter.data().asnumpy() for name, parameter in task.model._collect_params_with_prefix().items()}


def test_rows_are_those_of_the_words_and_others_stay(make, caplog):
    task, plain = build_task(make()), build_task(make({"embedding": None}))
    with caplog.at_level(logging.INFO, "gluon_rnn"):
        found, before = begun(task), begun(plain)
    index = task.data.vocab.token_to_idx
    for word, vector in (("rose", VECTORS[0]), ("the", VECTORS[2])):
        np.testing.assert_array_equal(found["embedding_weight"][index[word]], vector)
    others = [place for word, place in index.items() if word not in ("rose", "the")]
    np.testing.assert_array_equal(found["embedding_weight"][others], before["embedding_weight"][others])
    assert all(np.array_equal(found[name], before[name]) for name in before if name != "embedding_weight")
    assert f"embedding_weight has the vectors of 2 of {len(index)} words from" in caplog.text
    assert np.array_equal(begun(build_task(make()), resumes=True)["embedding_weight"], before["embedding_weight"])


def test_a_frozen_table_stays_as_it_is_also_in_a_resume(make, tmp_path):
    config = make({"embedding.frozen": True})
    path = train(build_task(config), "frozen")
    first = checkpoints.load(path, "last").arrays("weight")
    (tmp_path / "vectors.txt").unlink()                                   # a resume reads no vectors
    config.training.epochs = 2
    train(build_task(config), "frozen", resume=path)
    second = checkpoints.load(path, "last").arrays("weight")
    row = gluon_rnn.load(path).assets.vocab["rose"]
    for arrays in (first, second):
        np.testing.assert_array_equal(arrays["embedding_weight"][row].asnumpy(), VECTORS[0])
    assert (first["output_weight"] != second["output_weight"]).sum().asscalar() > 0
    with pytest.raises(ValueError, match="embedding is None but the run to resume has .*vectors.txt"):
        train(build_task(make({"embedding": None})), "frozen", resume=path)


@pytest.mark.parametrize("name", OTHERS)
def test_every_task_with_words_takes_vectors(name, files, tmp_path):
    data, file, model, table = OTHERS[name]
    words = {"unit": "word"} if data == "labelled_text" else {}
    recipe = {"task": name, "data": {"name": data, "train": files[f"<{file}>"], "valid": files[f"<{file}>"],
                                     "batch_size": 2, "eval_batch_size": 2, **words}, "model": model,
              "embedding": {"file": str(tmp_path / ("vectors.txt" if data == "labelled_text" else "cats.txt")),
                            **({"table": table} if name == "translation" else {})}}
    task = build_task(changed(recipe))
    found, table = begun(task), table or "embedding_weight"
    words = task.named_axes[table][0][1]
    word = {"labelled_text": "good", "conllu": "cat1", "parallel_text": "va"}[data]
    vector = VECTORS[{"good": 3, "cat1": 0, "va": 1}[word]]
    np.testing.assert_array_equal(found[table][words.index(word)], vector)
    if name == "translation":
        with pytest.raises(ConfigError, match="embedding.table: the model has the tables source_embedding.weight, "
                                              "target_embedding.weight; name the one"):
            begun(build_task(changed(recipe, {"embedding.table": None})))


@pytest.mark.parametrize("changes, message", [
    ({"embedding.file": "small.txt"}, "the vectors of .*small.txt have 4 numbers, and embedding_weight of the model "
                                      "has 6; make the model's size of embedded words 4"),
    ({"embedding.file": "none.txt"}, "none.txt has vectors of 2 words, and none of the"),
    ({"embedding.file": "nowhere.txt"}, "embedding.file: .*nowhere.txt: no such file"),
    ({"embedding.table": "word_embedding.weight"}, "embedding.table: the model has no table of words "
                                                   "'word_embedding.weight'; did you mean 'embedding_weight'?"),
    ({"data.name": "characters"}, "embedding: the model has no table with a vector for each word"),
    ({"model.tie_weights": True, "model.output": {"name": "adaptive_softmax", "cutoffs": [3]}},
     "embedding: the model has no table .*nor has an adaptive softmax with tied weights")])
def test_what_does_not_fit_is_one_sentence_before_training(make, tmp_path, changes, message):
    changes = {key: str(tmp_path / value) if key == "embedding.file" else value for key, value in changes.items()}
    with pytest.raises(ConfigError, match=message) as caught:
        train(build_task(make(changes)), "wrong")
    assert "\n" not in str(caught.value) and not (tmp_path / "runs").exists()


@pytest.mark.parametrize("changes, message", [
    ({"embedding": {"path": "x"}}, "embedding.file: this key is required and missing"),
    ({"embedding.frozn": True}, "embedding.frozn: unknown key; did you mean 'frozen'"),
    ({"embedding.frozen": "often"}, "embedding.frozen: ")])
def test_mistakes_in_the_section(make, changes, message):
    with pytest.raises(ConfigError, match=message):
        make(changes)
