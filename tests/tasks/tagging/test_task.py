"""The task "tagging": batches, scores, baseline, a run from recipe to tags under words, and learning by heart.

It covers the files of the task's folder: loss, batches, predictor and report too.

Tests `gluon_rnn/metrics/baselines/tags.py` too.
"""
import json

import mxnet as mx
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn import config as configuration
from gluon_rnn import export, recipes, training
from gluon_rnn.metrics.baselines.tags import MostFrequentTag
from gluon_rnn.recipes import build_task
from gluon_rnn.registry import tasks
from gluon_rnn.tasks.tagging.predictor import Tagging, TaggingPredictor
from tests.reference import EXACT

pytest.importorskip("conllu", reason="the library conllu is in the extra: pip install gluon_rnn[data]")

TRAIN = ["the/DET cat/NOUN sleeps/VERB", "a/DET dog/NOUN eats/VERB the/DET fish/NOUN", "dogs/NOUN fish/VERB",
         "they/PRON eat/VERB", "the/DET cats/NOUN eat/VERB a/DET fish/NOUN", "sleep/VERB"]
VALID = ["the/DET dog/NOUN sleeps/VERB", "birds/NOUN eat/VERB", "the/DET fish/NOUN fish/VERB"]
WHOLE = {"encoder": {"name": "lstm", "hidden_size": 12}, "embed_size": 8, "crf": True, "char_embed_size": 4,
         "char_encoder": {"name": "gru", "hidden_size": 6}}
WORDS = {"encoder": {"name": "gru", "hidden_size": 12}, "embed_size": 8}


def write(path, sentences):
    lines = []
    for sentence in sentences:
        for number, item in enumerate(sentence.split(), start=1):
            word, tag = item.rsplit("/", 1)
            lines.append(f"{number}\t{word}\t_\t{tag}" + 6 * "\t_")
        lines.append("")
    path.write_text("\n".join(lines))
    return str(path)


@pytest.fixture
def make_config(tmp_path):
    """Return a function that gives a small recipe, by default with characters and a CRF."""
    def make(model=None, **changes):
        raw = {"task": "tagging", "output_dir": str(tmp_path / "runs"), "model": model or WHOLE,
               "data": {"name": "conllu", "train": write(tmp_path / "train", TRAIN),
                        "valid": write(tmp_path / "valid", VALID), "batch_size": 2, "eval_batch_size": 2},
               "training": {"epochs": 1, "optimizer": {"name": "adam", "learning_rate": 0.02}}}
        for section, values in changes.items():
            raw[section].update(values)
        return recipes.from_dict(raw)
    return make


def build(config):
    task = tasks.get("tagging")(config)
    task.initialize([mx.cpu()])
    return task


@pytest.mark.parametrize("model", [WHOLE, WORDS], ids=["characters and crf", "words"])
def test_scores_against_one_sentence_at_a_time(make_config, model):
    encoders = {name: {**model[name], "dtype": "float64"} for name in ("encoder", "char_encoder") if name in model}
    task = build(make_config({**model, **encoders}))
    encoder, loss, right, right_unknown = task.data.encoder, 0.0, [], []
    for words, tags in task.data.sequences("valid"):
        ids = mx.nd.array(encoder.word_ids(words)).reshape((-1, 1))
        spelling = []
        if task.model.spelling is not None:                               # each word at its own length
            letters = max(len(word) for word in words)
            chars = np.zeros((len(words), 1, letters))
            for step, word in enumerate(words):
                chars[step, 0, :len(word)] = encoder.spell(word)
            spelling = [mx.nd.array(chars), mx.nd.array([[len(word)] for word in words])]
        scores = task.model(ids, None, None, *spelling)
        gold = mx.nd.array(encoder.tag_ids(tags)).reshape((-1, 1))
        loss += float((task.model.crf(scores, gold) if task.model.crf is not None else
                       -mx.nd.pick(mx.nd.log_softmax(scores), gold)).sum().asscalar())
        hits = task.model.decode(scores).asnumpy().ravel() == gold.asnumpy().ravel()
        right += list(hits)
        right_unknown += [hit for hit, word in zip(hits, words) if word not in encoder.words]
    scores = task.evaluate("valid")
    assert len(right) == 8 and len(right_unknown) == 1
    assert scores["loss"] == pytest.approx(loss / 8, rel=EXACT["atol"])
    assert scores["accuracy"] == np.mean(right) and scores["unknown_accuracy"] == np.mean(right_unknown)
    total = sum(float(task.graph(*batch.arrays).asscalar()) for batch in task.eval_batches("valid"))
    assert total == pytest.approx(loss, rel=EXACT["atol"])


def test_training_batches(make_config):
    task = build(make_config())

    def of_epoch(epoch):
        return [array.asnumpy() for batch in task.train_batches(epoch) for array in batch.arrays]

    for first, again in zip(of_epoch(1), of_epoch(1)):
        np.testing.assert_array_equal(first, again)
    batches = list(task.train_batches(0))
    assert sum(batch.size for batch in batches) == 18 and len(batches) == len(task.train_batches(0)) == 3
    words, valid_length, tags, places, *groups = next(batch for batch in batches
                                                      if batch.arrays[0].shape == (5, 2)).arrays
    assert tags.shape == (5, 2) and valid_length.asnumpy().max() == 5 and batches[0].axes[:4] == (1, 0, 1, 1)
    encoder = task.data.encoder
    spelled = [letters[:int(length)] for chars, lengths in zip(groups[::2], groups[1::2])
               for letters, length in zip(chars.asnumpy().T, lengths.asnumpy())]
    for row in range(2):
        for step in range(int(valid_length[row].asscalar())):
            word = encoder.words.idx_to_token[int(words[step, row].asscalar())]
            letters = spelled[int(places[step, row].asscalar())]
            assert "".join(encoder.chars.idx_to_token[c] for c in letters) == word


def test_rare_words_become_unknown_in_training_only(make_config):
    task = build(make_config(data={"unknown_alpha": 1.0}))
    unknown, counts = task.data.encoder.words["<unk>"], {"the": 3, "sleep": 1}
    drawn = {word: [] for word in counts}
    for epoch in range(60):
        for words, _, spelling in task._with_unknown(task.encoded["train"], 0.5, [0, epoch, 1]):
            for index, letters in zip(words, spelling):
                word = "".join(task.data.encoder.chars.idx_to_token[c] for c in letters)
                if word in drawn:
                    drawn[word].append(index == unknown)
    for word, count in counts.items():                                    # four standard errors of a fair draw
        share = 1 / (1 + count)
        assert abs(np.mean(drawn[word]) - share) < 4 * np.sqrt(share * (1 - share) / len(drawn[word]))
    assert sum((words == unknown).sum() for words, _, _ in task.encoded["valid"]) == 1


def test_most_frequent_tag_by_hand():
    sentences = [(np.array([1, 2, 1]), np.array([0, 1, 0])), (np.array([1, 3, 4]), np.array([2, 1, 2]))]
    # word 1: twice tag 0, once tag 2; words that occur once: tags 1, 1, 2, so an unknown word gets 1
    assert MostFrequentTag(sentences, 6)(np.array([1, 2, 4, 5, 0])).tolist() == [0, 1, 2, 1, 1]


def test_encoders_read_both_ways_unless_told_otherwise(make_config):
    task = build(make_config())
    assert not task.model.causal and task.model.spelling.output_size == 12
    assert build(make_config({"encoder": {"name": "lstm", "hidden_size": 3, "bidirectional": False}})).model.causal
    assert build(make_config({"encoder": {"name": "tdnn", "hidden_size": 3}})).model.causal    # has no such argument


@pytest.mark.parametrize("model", [WHOLE, WORDS], ids=["characters and crf", "words"])
def test_it_learns_six_sentences_by_heart(make_config, model):
    config = make_config(model)
    loop = training.loop.Loop(build_task(config))
    for epoch in range(25):
        for batch in loop.task.train_batches(epoch):
            loop.step(batch, [[]], 0.02)
    run = TaggingPredictor(None, config, loop.task.model, loop.task.assets, {})
    for sentence in TRAIN:
        words, tags = zip(*(item.rsplit("/", 1) for item in sentence.split()))
        assert run.predict(" ".join(words)) == Tagging(list(words), list(tags))
    assert loop.task.evaluate("train")["accuracy"] == 1.0


def test_a_run_leaves_scores_and_predictions_and_tags_new_sentences(make_config, tmp_path):
    path = training.train(build_task(make_config()), "tags")
    results = json.loads((path / "results.json").read_text())
    assert results["split"] == "valid" and set(results["scores"]) == {"loss", "accuracy", "unknown_accuracy"}
    assert set(results["baselines"]["most frequent tag of each word"]) == {"accuracy", "unknown_accuracy"}
    rows = (path / "predictions.tsv").read_text().splitlines()
    assert rows[0] == "word\ttag\tpredicted" and len(rows) == 9
    assert [row.split("\t")[:2] for row in rows[1:4]] == [["the", "DET"], ["dog", "NOUN"], ["sleeps", "VERB"]]
    right = [row.split("\t")[1] == row.split("\t")[2] for row in rows[1:]]
    run = gluon_rnn.load(path)
    assert results["scores"]["accuracy"] == np.mean(right)
    assert run.predict("the dog sleeps").tags == [row.split("\t")[2] for row in rows[1:4]]
    both = run.predict(["the unheard-of cat ☃", ""])
    assert both[0].words == ["the", "unheard-of", "cat", "☃"] and len(both[0].tags) == 4
    assert both[1] == Tagging([], []) and str(both[1]) == "\n"
    export.export_run(run, tmp_path / "export")
    bundle = export.load(tmp_path / "export")
    assert bundle.predict("the dog sleeps").tags == run.predict("the dog sleeps").tags


def test_tags_stand_under_words():
    assert str(Tagging(["a", "walk"], ["DET", "NOUN"])) == "a   walk\nDET NOUN"


def test_recipes_that_cannot_work(make_config):
    with pytest.raises(configuration.ConfigError, match="model.char_encoder"):
        make_config({"encoder": {"name": "lstm", "hidden_size": 3}, "char_encoder": {"name": "lstm"}})
    with pytest.raises(configuration.ConfigError, match="model.encoders: unknown key"):
        make_config({"encoders": {"name": "lstm", "hidden_size": 3}})
    with pytest.raises(configuration.ConfigError, match="and 'elman_grammar' has none; use conllu"):
        tasks.get("tagging")(recipes.from_dict({"task": "tagging", "data": {"name": "elman_grammar"},
                                                      "model": WORDS}))


FORWARD = {**WHOLE, "crf": False, "encoder": {"name": "lstm", "hidden_size": 12, "bidirectional": False}}


def test_streamed_tags_are_those_of_the_whole_sentence(make_config):
    run = gluon_rnn.load(training.train(build_task(make_config(FORWARD)), "tags"))
    words = ["the", "cat", "eats", "dogs"]
    assert list(run.stream(words)) == run.predict(" ".join(words)).tags
    assert list(run.stream_answers("the cat"))[0] == f"the\t{run.predict('the').tags[0]}"


@pytest.mark.parametrize("model, message", [
    (WORDS, "whole sequence, so it cannot answer step by step; train one with model.encoder.bidirectional=false"),
    ({**FORWARD, "crf": True}, "a CRF tags a sentence as a whole"),
])
def test_tags_that_depend_on_later_words_do_not_stream(make_config, model, message):
    run = gluon_rnn.load(training.train(build_task(make_config(model)), "tags"))
    with pytest.raises(ValueError, match=message):
        next(run.stream(["the"]))
