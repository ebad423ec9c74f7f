"""States, vectors and units of small models of each task against their own calls; sentences where there are none.

Tests `readings.py` too, and `files.py`.
"""
import mxnet as mx
import numpy as np
import pandas as pd
import pytest

from gluon_rnn import recipes
from gluon_rnn.diagnose import Choices, Diagnosis, look_inside
from gluon_rnn.diagnose.readings import batches, first_text, names_of
from gluon_rnn.diagnostics import NothingToShowError
from tests.data.small_files import write_files
from tests.test_python_api import CONDITIONAL, KINDS, LSTM, recipe_of, with_paths


def task_of(name, folder, kind=None, **model):
    """Return a small task of `tests/test_python_api.py` with its first parameters."""
    recipe = with_paths(recipe_of(name, kind or KINDS[name], folder), write_files(folder))
    recipe["model"].update(model)
    task = recipes.build_task(recipes.from_dict(recipe))
    task.initialize([mx.cpu()])
    return task


def test_states_of_a_stream_are_those_of_its_rows_read_whole(tmp_path):
    task = task_of("characters", tmp_path)
    found = look_inside(task, "train", "states", Choices())
    ids, model = task.data.ids("train"), task.model
    length = (len(ids) - 1) // 16
    columns = np.reshape(ids[:16 * length], (16, length)).T
    outputs, _, _ = model.hidden_and_scores(mx.nd.array(columns, dtype="int32"), model.begin_state(16))
    for name, count, mean in zip(found.names, found.counts, found.means):
        places = columns == task.assets.vocab[name]
        assert count == places.sum()
        np.testing.assert_allclose(mean, outputs.asnumpy()[places].mean(axis=0), atol=1e-6)
    assert found.kind == "character"


def test_states_of_a_classifier_by_label_are_what_its_output_layer_reads(tmp_path):
    task = task_of("trajectories", tmp_path)
    with pytest.raises(NothingToShowError, match="states of 2 labels make no tree"):   # the small file has two
        look_inside(task, "train", "states", Choices())
    reading = next(batches(task, "train"))
    assert reading.tokens is None and reading.labels.tolist() == task.data.targets("train")[reading.rows].tolist()
    from gluon_rnn.diagnose.inside import _labelled
    states, ids = _labelled(task, task.model.encoder, reading, "label")
    inputs = task.data.inputs("train")
    for row, state in zip(reading.rows, states):
        alone = task.model.encoder(mx.nd.array(inputs[row]).expand_dims(1))[-1, 0]
        np.testing.assert_allclose(state, alone.asnumpy(), atol=1e-6)
    assert ids is reading.labels


TDNN = {"encoder": {"name": "tdnn", "hidden_size": 4}}


@pytest.mark.parametrize("name, model, length", [
    ("conllu", {}, 1), ("labelled_text", {}, 1), ("parallel_text", {}, 1), ("conditional", {}, 2),
    ("labelled_text", TDNN, 1)])
def test_padding_is_no_word(name, model, length, tmp_path):
    """Counts are those of the words in all batches within the lengths; `length` is the place of the lengths."""
    name, own = ("labelled_text", CONDITIONAL) if name == "conditional" else (name, None)
    task = task_of(name, tmp_path, own, **model)
    found = look_inside(task, "train", "states", Choices(by="token"))
    counts = np.zeros(len(names_of(task).tokens), int)
    for batch in task.eval_batches("train"):
        tokens = batch.arrays[0].asnumpy().astype(int)
        place = next(number for number, array in enumerate(batch.arrays) if number and array.ndim == 1
                     and array.shape == (tokens.shape[1],) and number >= length)
        valid = np.arange(len(tokens))[:, None] < batch.arrays[place].asnumpy()
        np.add.at(counts, tokens[valid], 1)
    assert found.kind == names_of(task).unit
    assert dict(zip(found.names, found.counts)) == {
        names_of(task).tokens[index]: count for index, count in enumerate(counts) if count}


def test_labels_of_words(tmp_path):
    with pytest.raises(NothingToShowError, match="states of 2 labels make no tree"):   # the small file has two
        look_inside(task_of("conllu", tmp_path), "train", "states", Choices())


def test_units_of_a_stream_are_the_states_along_it(tmp_path):
    task = task_of("characters", tmp_path)
    found = look_inside(task, "train", "units", Choices(state="layer 1 c", units=[2, 0]))
    ids = task.data.ids("train")[:len(found.tokens)]
    assert "".join(found.tokens) == "".join(task.assets.vocab.idx_to_token[index] for index in ids)
    for steps in (1, len(ids) // 2, len(ids)):
        tokens = mx.nd.array(ids[:steps, None], dtype="int32")
        states = task.model.states_after(tokens, task.model.begin_state(1))
        np.testing.assert_allclose(found.values["layer 1 c"][steps - 1], states[1][0, 0].asnumpy(), atol=1e-6)
    assert [unit.number for unit in found.chosen] == [2, 0]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_units_of_a_tagger_are_its_words_in_order(bidirectional, tmp_path):
    task = task_of("conllu", tmp_path, encoder={**LSTM, "bidirectional": bidirectional})
    found = look_inside(task, "train", "units", Choices())
    assert list(found.values) == (["outputs"] if bidirectional else ["layer 1 h", "layer 1 c"])
    reading, sequences = first_text(task, "train")
    assert sequences == [list(task.data.sequences("train")[row].words) for row in reading.rows] == found.sequences
    words = [mx.nd.array(task.encoded["train"][row][0][:, None], dtype="int32") for row in reading.rows]
    outputs = [task.model.encoder(task.model.word_embedding(each))[:, 0].asnumpy() for each in words]
    np.testing.assert_allclose(next(iter(found.values.values())), np.concatenate(outputs), atol=1e-6)


@pytest.mark.parametrize("name, parameter", [
    ("characters", "embedding_weight"), ("labelled_text", "embedding_weight"), ("conllu", "word_embedding.weight"),
    ("parallel_text", "source_embedding.weight")])
def test_vectors_are_rows_of_the_embedding(name, parameter, tmp_path):
    task = task_of(name, tmp_path)
    found = look_inside(task, "train", "embeddings", Choices())
    weight = task.model._collect_params_with_prefix()[parameter].data().asnumpy()
    token = found.words[1]
    row = weight[names_of(task).tokens.index(token)].astype(float)
    np.testing.assert_allclose(found.vector(token), row / np.linalg.norm(row), atol=1e-7)


def test_vectors_of_an_adaptive_softmax(tmp_path):
    task = task_of("characters", tmp_path, output={"name": "adaptive_softmax", "cutoffs": [3]})
    found = look_inside(task, "train", "embeddings", Choices())
    row = task.model.embedding().asnumpy()[names_of(task).tokens.index(found.words[1])]
    np.testing.assert_allclose(found.vector(found.words[1]), row / np.linalg.norm(row), atol=1e-6)


@pytest.mark.parametrize("name, instrument, sentence", [
    ("time_series", "states", "NARX has no encoder: states and units are left out"),
    ("time_series", "units", "NARX has no encoder: states and units are left out"),
    ("time_series", "embeddings", "NARX reads numbers, not words: it has no embedding; embeddings are left out"),
    ("trajectory_values", "states", "states are averaged by word or label, and the steps of the task 'regr"),
    ("trajectories", "units", "units are coloured over a text, and a model of the task 'classification' on these"),
    ("parallel_text", "saliency", "input saliency is for .*, and the task here is 'translation'; saliency is")])
def test_what_a_model_has_nothing_for_is_a_sentence(name, instrument, sentence, tmp_path):
    with pytest.raises(NothingToShowError, match=sentence):
        look_inside(task_of(name, tmp_path), "train", instrument, Choices())


def test_labels_where_there_are_none(tmp_path):
    with pytest.raises(NothingToShowError, match="states by label need labels, and the task 'language_model' on these"):
        look_inside(task_of("characters", tmp_path), "train", "states", Choices(by="label"))


def test_files_hold_what_was_found(tmp_path):
    task = task_of("characters", tmp_path)
    found = Diagnosis(**{name: look_inside(task, "train", name, Choices()) for name in ("states", "units", "saliency")})
    found.write(tmp_path / "out")
    states = pd.read_csv(tmp_path / "out" / "states.csv", keep_default_na=False)
    assert states["name"].tolist() == [found.states.names[index] for index in found.states.order]
    units = pd.read_csv(tmp_path / "out" / "units.csv")
    np.testing.assert_allclose(units[str(found.units.chosen[0])], found.units.activation(found.units.chosen[0]))
    saliency = pd.read_csv(tmp_path / "out" / "saliency.csv")
    np.testing.assert_allclose(saliency.groupby("row")["integrated"].sum(),
                               found.saliency.found.integrated.sum(axis=(0, 2)), rtol=1e-6)
    page = (tmp_path / "out" / "units.html").read_text(encoding="utf-8")
    assert page.count("<span") == len(found.units.chosen) * len(found.units.tokens)
    assert (tmp_path / "out" / "saliency.html").is_file() and (tmp_path / "out" / "states_dendrogram.png").is_file()
