"""The language-model task with the output layers for many words: learning, resuming, devices, export, messages."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import export
from gluon_rnn.config import ConfigError
from gluon_rnn.inference.sampling import sample
from gluon_rnn.models import LanguageModel
from gluon_rnn.nn import LSTM, AdaptiveSoftmax, SampledSoftmax
from gluon_rnn.recipes import build_task
from gluon_rnn.runs import evaluate_run, load_run
from gluon_rnn.training import folder, loop, train
from gluon_rnn.training.signals import StopSignals
from tests.training.test_loop import everything, metrics

ADAPTIVE = {"name": "adaptive_softmax", "cutoffs": [4, 9], "div_value": 2}
SAMPLED = {"name": "sampled_softmax", "samples": 8}
TIED = {"model.tie_weights": True, "model.embed_size": 8, "model.drop_e": 0.1}


@pytest.mark.parametrize("output", [ADAPTIVE, SAMPLED], ids=lambda output: output["name"])
def test_two_runs_are_equal_and_so_is_a_resumed_one(make_config, output):
    config = make_config({**TIED, "model.output": output})
    first = train(build_task(config), "a")
    second = loop.Loop(build_task(config))
    second.start(folder.create(config.output_dir, "b"))
    second.epochs = 1                      # the process ends here, after one of three epochs
    second.run(StopSignals())
    train(build_task(config), "b", resume=second.path)
    assert everything(first) == everything(second.path) and metrics(first) == metrics(second.path)
    losses = [float(row["valid_loss"]) for row in metrics(first)]
    assert losses[-1] < losses[0] < np.log(len(build_task(config).assets.vocab))


@pytest.mark.parametrize("output", [{"name": "full_softmax"}, ADAPTIVE, SAMPLED], ids=lambda output: output["name"])
def test_evaluation_is_the_cross_entropy_of_all_scores(make_config, output):
    task = build_task(make_config({"model.output": output}))
    task.initialize([mx.cpu()])
    task.graph.hybridize(static_alloc=True)
    states, total, tokens = task.begin_states(2, [mx.cpu()])[0], 0, 0
    for batch in task.eval_batches("valid"):
        scores, states = task.model(batch.arrays[0], states)
        total -= mx.nd.pick(mx.nd.log_softmax(scores), batch.arrays[1]).sum().asscalar()
        tokens += batch.size
    assert task.evaluate("valid")["loss"] == pytest.approx(total / tokens, rel=1e-5)


@pytest.mark.parametrize("output", [{"name": "full_softmax"}, ADAPTIVE, SAMPLED], ids=lambda output: output["name"])
def test_an_encoder_that_looks_at_one_token_learns_and_has_no_states(make_config, output):
    task = build_task(make_config({"model.output": output, "training.epochs": 4, "model.encoder": {
        "name": "tdnn", "hidden_size": 8, "contexts": [[0, 0]]}}))
    assert task.model.state_info() == []
    losses = [float(row["valid_loss"]) for row in metrics(train(task, "a"))]
    assert losses[-1] < min(losses[0], np.log(len(task.assets.vocab)))


@pytest.mark.parametrize("output", [ADAPTIVE, SAMPLED], ids=lambda output: output["name"])
def test_two_devices_learn_as_one(make_config, output):
    rows = []
    for device in ("cpu(0)", "cpu(0),cpu(1)"):
        config = make_config({"model.output": output, "device": device, "training.epochs": 1, "model.dropout": 0,
                              "model.encoder.dropout": 0})
        rows.append(metrics(train(build_task(config), "a"))[0])
    assert float(rows[0]["valid_loss"]) == pytest.approx(float(rows[1]["valid_loss"]), rel=1e-4)


def test_a_model_trained_on_samples_has_the_file_of_a_full_one(tmp_path):
    models = [LanguageModel(12, LSTM(6), tie_weights=True, output=output) for output in (None, SampledSoftmax(5))]
    models[1].initialize()
    models[1].save_parameters(str(tmp_path / "file"))
    models[0].load_parameters(str(tmp_path / "file"))
    tokens = mx.nd.array([[1, 11], [0, 5]], dtype="int32")
    assert (models[0](tokens) == models[1](tokens)).min().asscalar() == 1


@pytest.mark.parametrize("tied", [False, True])
def test_a_run_is_loaded_exported_and_writes(make_config, tmp_path, tied):
    changes = {**(TIED if tied else {}), "model.output": ADAPTIVE, "training.epochs": 1}
    run = train(build_task(make_config(changes)), "a")
    predictor = load_run(run)
    assert "perplexity" in evaluate_run(run)
    assert predictor.predict("boy", length=4, seed=1).startswith("boy ")
    folder_of_bundle = tmp_path / "bundle"
    export.export_run(predictor, folder_of_bundle)
    bundle = export.load(folder_of_bundle)
    tokens = mx.nd.array(np.arange(10).reshape(5, 2), dtype="int32")
    scores = bundle(tokens)
    np.testing.assert_allclose(scores.exp().sum(axis=2).asnumpy(), 1, rtol=1e-5)
    np.testing.assert_allclose(scores.asnumpy(), predictor.model(tokens).asnumpy(), rtol=1e-5, atol=1e-6)
    drawn = list(sample(predictor.model, predictor.assets.vocab, [1, 2], 6, temperature=0))
    states, token = bundle.begin_state(1), 1
    _, states = bundle(mx.nd.array([[token]], dtype="int32"), states)
    token = 2
    for expected in drawn:                                                # the bundle writes the same, step by step
        scores, states = bundle(mx.nd.array([[token]], dtype="int32"), states)
        token = int(scores[0, 0].argmax(axis=0).asscalar())
        assert token == expected


def test_padding_changes_nothing():
    model = LanguageModel(12, LSTM(6), tie_weights=True, output=AdaptiveSoftmax([3, 7]))
    model.initialize()
    tokens = mx.nd.array([[1, 11], [0, 5], [8, 2]], dtype="int32")
    lengths = mx.nd.array([3, 1])
    scores = model(tokens, None, lengths)
    tokens[1:, 1] = 99999
    assert (model(tokens, None, lengths) == scores).min().asscalar() == 1
    assert scores[1:, 1].abs().max().asscalar() == 0
    model.cast("float64")
    assert model(tokens, None, lengths).dtype == np.float64


@pytest.mark.parametrize("output, sentence", [
    ({"name": "adaptive_softmax", "cutoffs": [9, 4]}, r"model.output: cutoffs must rise, got \[9, 4\]"),
    ({"name": "adaptive_softmax", "cutoffs": [4, 400]}, "model: the last of cutoffs must be below the .* words"),
    ({"name": "adaptive_softmax"}, "model.output.cutoffs: this key is required and missing"),
    ({"name": "sampled_softmax", "samples": 400}, "model: samples must be fewer than the .* words"),
    ({"name": "sampled_softmax", "sample": 4}, "model.output.sample: unknown key; did you mean 'samples'"),
    ({"name": "adaptive"}, "model.output.name: unknown output layer 'adaptive'; did you mean 'adaptive_softmax'"),
    ("adaptive_softmax", r"model.output: expected a mapping such as \{name: ...\}, got 'adaptive_softmax'"),
])
def test_wrong_recipes_are_refused(make_config, output, sentence):
    with pytest.raises(ConfigError, match=sentence):
        build_task(make_config({"model.output": output}))
