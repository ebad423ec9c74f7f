"""The translation task: batches, losses, scheduled sampling, a language learnt by heart, prediction from the folder.

It covers the files of the task's folder: loss, batches, predictor and report too.
"""
import functools
import json
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.config import ConfigError
from gluon_rnn.data.batching import BucketedBatches
from gluon_rnn.models import Seq2Seq
from gluon_rnn.nn import GRU
from gluon_rnn.recipes import build_task
from gluon_rnn.registry import tasks
from gluon_rnn.tasks.translation.batches import valid_places
from gluon_rnn.tasks.translation.loss import TokenScores, TranslationLoss
from gluon_rnn.training import train
from scripts import evaluate, predict
from tests.recipes import changed
from tests.reference import EXACT, rounding

pytest.importorskip("sacrebleu", reason="sacrebleu is in the extra data")
GERMAN = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf", "six": "sechs"}
WORDS = list(GERMAN)


def toy_pairs(count=60):
    """Numbers in English, and the same in German backwards: an order that has to be learnt."""
    for _ in range(count):
        words = [str(word) for word in np.random.choice(WORDS, np.random.randint(1, 5))]
        yield f"{' '.join(words)}.\t{' '.join(GERMAN[word] for word in reversed(words))} !"


@pytest.fixture
def make_config(tmp_path):
    path = tmp_path / "pairs.tsv"
    # Each four times: few epochs, since each of them draws a picture.
    path.write_text("\n".join(4 * list(toy_pairs())), encoding="utf-8")
    recipe = {"task": {"name": "translation", "bleu_sentences": 10}, "output_dir": str(tmp_path / "runs"),
              "data": {"name": "parallel_text", "train": str(path), "valid": str(path), "batch_size": 8,
                       "eval_batch_size": 30},
              "model": {"embed_size": 32, "tie_weights": True, "encoder": {"name": "gru", "hidden_size": 32,
                                                                           "bidirectional": True},
                        "decoder": {"name": "gru", "hidden_size": 32}},
              "training": {"epochs": 7, "optimizer": {"name": "adam", "learning_rate": 0.01}, "clip_norm": 5.0}}

    return functools.partial(changed, recipe)


def make_task(config):
    task = tasks.get(config.task.name)(config, **config.task.arguments)
    task.initialize([mx.cpu()])
    return task


def test_a_language_learnt_by_heart_and_used_from_the_folder_alone(make_config):
    changes = {"training.report": True, "task.bleu_sentences": 0, "training.epochs": 14}
    path = train(build_task(make_config(changes)), "toy")
    results = json.loads((path / "results.json").read_text())
    assert results["split"] == "valid"
    assert results["scores"]["bleu"] == pytest.approx(100)
    assert results["scores"]["bleu_greedy"] == pytest.approx(100)
    assert results["scores"]["accuracy"] > 0.99
    assert set(results["baselines"]) == {"copy of the source", "most frequent target", "nearest training source"}
    assert (path / "attention.png").stat().st_size > 1000
    assert (path / "translations.tsv").read_text(encoding="utf-8").count("\n") == len(
        set((path.parent.parent / "pairs.tsv").read_text(encoding="utf-8").split("\n")))
    run = gluon_rnn.load(path)
    found = run.predict("four one two.", beam_size=3)
    assert found.text == "zwei eins vier !"
    assert found.weights.shape == (len(found.tokens), len(found.source_tokens)) == (5, 5)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, rtol=0, atol=rounding("float32", 2 * 5))     # 5 steps
    both = run.predict(["four one two.", "six."], picture=path / "two.png")
    assert [translation.text for translation in both] == ["zwei eins vier !", "sechs !"]
    assert (path / "two.png").exists()


def test_one_score_of_the_closing_evaluation_alone(make_config):
    config = make_config({"training.report": True, "task.mbr": True, "training.epochs": 2})
    path = train(build_task(config), "toy")
    task, scores = build_task(config), json.loads((path / "results.json").read_text())["scores"]
    task.model.load_parameters(str(path / "best" / "parameters.params"))
    task.graph.hybridize()
    for name in ("bleu", "bleu_beam", "bleu_greedy", "accuracy", "loss"):
        assert task.closing_score(name) == pytest.approx(scores[name], rel=1e-5), name
    with pytest.raises(ValueError, match="has no score 'blue'; did you mean 'bleu'"):
        task.closing_score("blue")


def test_an_ensemble_translates(make_config, capsys, tmp_path):
    changes = {"training.report": True, "training.epochs": 2}
    paths = [str(train(build_task(make_config({**changes, "seed": seed})), "toy")) for seed in (0, 1)]
    single, other = map(gluon_rnn.load, paths)
    line = "three seven."
    found = gluon_rnn.load(paths[0], ensemble=paths[1:]).predict(line)
    assert found.weights.shape == (len(found.tokens), len(found.source_tokens))
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, rtol=0, atol=rounding("float32", 2 * 5))     # 5 steps
    twice = gluon_rnn.load(paths[0], ensemble=paths[:1]).predict(line)      # one model twice changes nothing
    assert (twice.text, twice.score) == (single.predict(line).text, pytest.approx(single.predict(line).score, abs=1e-4))
    assert found.score not in (single.predict(line).score, other.predict(line).score)
    evaluate.main([paths[0], "--ensemble", paths[1], "--save"])
    scores = json.loads((Path(paths[0]) / "results.json").read_text())["scores"]
    assert capsys.readouterr().out == f"valid bleu_of_2 {scores['bleu_of_2']:.2f}\n" and {"loss", "bleu"} < set(scores)
    with pytest.raises(ValueError, match="--save goes with --ensemble"):
        evaluate.main([paths[0], "--save"])
    with pytest.raises(ValueError, match="those of train cannot be saved beside them"):
        evaluate.main([paths[0], "--ensemble", paths[1], "--save", "--split", "train"])
    assert predict.main([paths[0], line, "--ensemble", paths[1], "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(found.text)
    elsewhere = str(train(build_task(make_config({"training.epochs": 1, "data.unit": "character"})), "toy"))
    with pytest.raises(ValueError, match="form no ensemble: .*or its vocabulary or scaler, is another one"):
        gluon_rnn.load(paths[0], ensemble=[elsewhere])


@pytest.mark.parametrize("attention", ["none", "bahdanau"])
@pytest.mark.parametrize("forcing", [None, {"name": "linear", "end": 0.5, "epochs": 1}])
def test_other_attentions_and_scheduled_sampling_train(make_config, attention, forcing):
    config = make_config({"training.report": True, "training.epochs": 2, "data.batch_size": 40,
                          "task.bleu_sentences": 0,
                          "task.teacher_forcing": forcing, "model.attention": attention, "model.tie_weights": False})
    path = train(build_task(config), "toy")
    rows = (path / "metrics.csv").read_text().split("\n")
    column = rows[0].split(",").index("valid_loss")
    losses = [float(row.split(",")[column]) for row in rows[1:3]]
    assert losses[1] < losses[0] < np.log(30)
    assert (path / "attention.png").exists() == (attention != "none")
    translation = gluon_rnn.load(path).predict("one.", max_length=4)
    assert (translation.weights is None) == (attention == "none")
    assert len(translation.tokens) <= 4
    if forcing is None:
        gluon_rnn.export.export_run(gluon_rnn.load(path), path.parent / "bundle")
        bundle = gluon_rnn.export.load(path.parent / "bundle")
        assert bundle.predict("one.", max_length=4).tokens == translation.tokens


def test_minimum_risk_is_reported_beside_the_most_probable(make_config):
    changes = {"training.report": True, "training.epochs": 1, "task.mbr": True, "task.beam_size": 8}
    path = train(build_task(make_config(changes)), "toy")
    scores = json.loads((path / "results.json").read_text())["scores"]
    assert {"bleu", "bleu_beam", "bleu_greedy"} < set(scores)
    # BLEU of some sentences by greedy search, which selects, never goes by the name of that of all by beam search
    assert "valid_bleu_greedy_sample" in (path / "metrics.csv").read_text().split("\n")[0].split(",")
    assert "valid_bleu" not in (path / "metrics.csv").read_text().split("\n")[0].split(",")
    run = gluon_rnn.load(path)
    lines = [line.split("\t")[0] for line in toy_pairs(40)]
    found = run.predict(lines)
    assert [one.text for one in found] == [one.text for one in run.predict(lines, mbr=True, beam_size=8)]
    # After one epoch hardly anything is certain: the most probable ones are others.
    assert [one.text for one in found] != [one.text for one in run.predict(lines, mbr=False, beam_size=8)]


def test_two_runs_are_equal_bit_for_bit(make_config):
    changes = {"training.epochs": 1, "data.batch_size": 40, "model.dropout": 0.3,
               "task.teacher_forcing": {"name": "constant", "end": 0.5}}
    runs = [train(build_task(make_config(changes)), "toy") for _ in range(2)]
    results = [json.loads((run / "results.json").read_text()) for run in runs]
    assert results[0]["scores"] == results[1]["scores"]


def test_batches_are_one_step_late_and_cover_every_pair(make_config):
    task = make_task(make_config())
    begin, end = (task.assets.target_vocab.token_to_idx[token] for token in ("<bos>", "<eos>"))
    for epoch in (0, 1):
        batches = list(task.train_batches(epoch))
        assert len(batches) == len(task.train_batches(epoch))
        assert sum(batch.rows for batch in batches) == 240
        assert sum(batch.size for batch in batches) == task.data.ids("train")[1].lengths.sum()
        for batch in batches:
            source, source_length, target, wanted, target_length, _ = (
                    array.asnumpy() for array in batch.arrays)
            assert (target[0] == begin).all()
            assert (target[1:] == wanted[:-1]).all()
            for row, (s, t) in enumerate(zip(source_length.astype(int), target_length.astype(int))):
                assert wanted[t - 1, row] == end and not wanted[t:, row].any() and not source[s:, row].any()
    again = [batch.arrays[0].asnumpy() for batch in task.train_batches(1)]
    assert all((one.arrays[0].asnumpy() == two).all() for one, two in zip(batches, again))


def test_coins_follow_the_schedule(make_config):
    forcing = {"name": "linear", "end": 0.0, "epochs": 2}
    task = make_task(make_config({"task.teacher_forcing": forcing, "data.batch_size": 240}))
    shares = [float(next(iter(task.train_batches(epoch))).arrays[5].mean().asscalar()) for epoch in range(4)]
    assert shares[0] == 1 and shares[2:] == [0, 0]
    assert 0.35 < shares[1] < 0.65                                        # a mean over a few hundred fair coins


def test_loss_is_the_mean_over_real_tokens():
    model = Seq2Seq(5, 6, GRU(4, dtype="float64"), GRU(4, dtype="float64"), embed_size=3)
    model.initialize(mx.init.Normal(0.5))
    source, target = mx.nd.array([[1, 2], [3, 0]], dtype="int32"), mx.nd.array([[1, 1], [4, 2], [5, 0]], dtype="int32")
    wanted, lengths = mx.nd.array([[4, 2], [5, 0], [2, 0]], dtype="int32"), [3, 1]
    arrays = (source, mx.nd.array([2, 1]), target, wanted, mx.nd.array(lengths))
    log_probs = mx.nd.log_softmax(model(source, target, arrays[1], arrays[4])[0]).asnumpy()
    right = [log_probs[t, row, int(wanted[t, row].asscalar())] for row in (0, 1) for t in range(lengths[row])]
    mean = [log_probs[t, row].mean() for row in (0, 1) for t in range(lengths[row])]
    places = mx.nd.array(valid_places(np.array(lengths)), dtype="int32")
    for smoothing in (0, 0.2):
        expected = -(1 - smoothing) * sum(right) - smoothing * sum(mean)
        loss = TranslationLoss(model, smoothing)
        assert loss(*arrays).asscalar() == pytest.approx(expected, rel=EXACT["atol"])
        assert loss(*arrays, places).asscalar() == pytest.approx(expected, rel=EXACT["atol"])
    scores = TokenScores(model)
    total, correct = scores(*arrays)
    assert total.asscalar() == pytest.approx(-sum(right), rel=EXACT["atol"])
    assert correct.asscalar() == sum(log_probs[t, row].argmax() == wanted[t, row].asscalar()
                                     for row in (0, 1) for t in range(lengths[row]))


@pytest.mark.parametrize("attention", ["none", "luong", "bahdanau"])
def test_the_loss_of_valid_steps_alone_has_the_gradient_of_all(attention):
    """One operator less on padding; the two differ in the order of their sums alone."""
    model = Seq2Seq(7, 8, GRU(4, bidirectional=True, dtype="float64"), GRU(4, dtype="float64"), embed_size=4,
                    attention=attention, tie_weights=True)
    model.initialize(mx.init.Normal(0.5))
    random = np.random.default_rng(0)
    arrays = [mx.nd.array(random.integers(7, size=(5, 3)), dtype="int32"), mx.nd.array([5, 2, 3]),
              *(mx.nd.array(random.integers(8, size=(4, 3)), dtype="int32") for _ in range(2)), mx.nd.array([4, 1, 0])]
    places = mx.nd.array(valid_places(np.array([4, 1, 0])), dtype="int32")
    assert places.shape == (2, 5)
    found = []
    for given in (arrays, [*arrays, places]):
        loss = TranslationLoss(model, 0.1)
        loss.hybridize(static_alloc=True)
        with mx.autograd.record():
            total = loss(*given)
        total.backward()
        found.append({name: p.grad().asnumpy().copy() for name, p in model.collect_params().items()})
    for name, gradient in found[0].items():
        np.testing.assert_allclose(found[1][name], gradient, **EXACT, err_msg=name)
    assert all(gradient.any() for gradient in found[0].values())


def test_batches_carry_the_places_of_valid_steps_on_one_device(make_config):
    task = make_task(make_config())
    batch = next(iter(task.train_batches(0)))
    *_, lengths, places = (array.asnumpy() for array in batch.arrays)
    assert len(batch.arrays) == 6 and places.shape == (2, lengths.sum())
    assert all(t < lengths[n] for t, n in places.T.astype(int))
    assert isinstance(task.eval_batches("valid"), BucketedBatches)
    assert len(next(iter(task.eval_batches("valid"))).arrays) == 5
    task.model.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    assert len(next(iter(task.train_batches(0))).arrays) == 5


@pytest.mark.parametrize("changes, message", [
    ({"task.label_smoothing": 1.0}, "task.label_smoothing: expected a number of at least 0 and below 1"),
    ({"task.r_drop": -1.0}, "task.r_drop: expected at least 0, got -1"),
    ({"task.beam_size": 0}, "task.beam_size: expected at least 1, got 0"),
    ({"task.teacher_forcing": {"name": "line"}}, "task.teacher_forcing: teacher_forcing.name must be one of"),
    ({"task.teacher_forcing": {"rate": 1}}, "task.teacher_forcing: .*unexpected keyword argument 'rate'"),
    ({"model.attention": "luon"}, "model: attention must be one of"),
    ({"model.encoder": {"name": "lstm", "hidden_size": 4, "layers": 2}}, "model.encoder.layers: unknown key"),
    ({"data.min_freqs": 2}, "data.min_freqs: unknown key; did you mean 'min_freq'")])
def test_mistakes_in_a_recipe_name_the_path(make_config, changes, message):
    with pytest.raises(ConfigError, match=message):
        build_task(make_config(changes))
