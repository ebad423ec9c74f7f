"""Fine-tuning: which parameters and which rows are taken over, from runs and from the zoo, and what is said of it."""
import shutil

import mxnet as mx
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn import recipes
from gluon_rnn.cli.main import main
from gluon_rnn.config import ConfigError, to_yaml
from gluon_rnn.models import SequenceClassifier
from gluon_rnn.models.language_model import LanguageModel
from gluon_rnn.nn import LSTM
from gluon_rnn.runs import load_run, starting_point
from gluon_rnn.training import loop, train
from gluon_rnn.training.start import Source, take_over

SENTENCES = [("dog chase cat zebra", "animals"), ("man see woman", "people"), ("girl eat cookie", "people"),
             ("mouse smash plate lion", "animals")]


def parameters_of(**shapes):
    """Return initialised parameters of these shapes, by name."""
    found = {name: mx.gluon.Parameter(name, shape=shape) for name, shape in shapes.items()}
    for parameter in found.values():
        parameter.initialize(mx.init.Uniform(1.0))
    return found


def source(named_axes=None, **shapes):
    rng = np.random.default_rng(3)
    return Source("there", {name: mx.nd.array(rng.standard_normal(shape)) for name, shape in shapes.items()},
                  named_axes or {})


def values(parameters):
    return {name: parameter.list_data()[0].asnumpy().copy() for name, parameter in parameters.items()}


def test_rows_are_matched_by_word_and_new_words_stay_as_they_were():
    here, there = ["<unk>", "cat", "new", "dog", "eel"], ["<unk>", "dog", "old", "cat", "fox"]   # of one size
    parameters, model = parameters_of(e=(5, 3), w=(5,)), source({"e": [("word", there)], "w": [("word", there)]},
                                                                e=(5, 3), w=(5,))
    before = values(parameters)
    taken = take_over(parameters, {"e": [("word", here)], "w": [("word", here)]}, model)
    for name, after in values(parameters).items():
        for row, word in enumerate(here):
            expected = model.arrays[name].asnumpy()[there.index(word)] if word in there else before[name][row]
            assert np.array_equal(after[row], expected), (name, word)
    assert taken.taken == {"e": "3 of 5 words", "w": "3 of 5 words"} and not taken.left and not taken.new


def test_both_axes_of_transitions_are_matched():
    here, there = ("label", ["a", "b", "c"]), ("label", ["c", "a"])
    parameters, model = parameters_of(t=(3, 3)), source({"t": [there, there]}, t=(2, 2))
    before = values(parameters)["t"]
    assert take_over(parameters, {"t": [here, here]}, model).taken == {"t": "2 of 3 labels, 2 of 3 labels"}
    after, old = values(parameters)["t"], model.arrays["t"].asnumpy()
    assert np.array_equal(after[np.ix_([0, 2], [0, 2])], old[np.ix_([1, 0], [1, 0])])
    assert np.array_equal(after[1], before[1]) and np.array_equal(after[:, 1], before[:, 1])


@pytest.mark.parametrize("here, there", [
    ([("label", ["good", "bad"])], [("word", ["good", "bad"])]),          # a class is no word, however it is called
    ([("label", ["good", "bad"])], []),
    ([("label", ["good", "bad"])], [("label", ["yes", "no"])]),
])
def test_rows_that_stand_for_something_else_are_new_whatever_the_shape(here, there):
    parameters, model = parameters_of(o=(2, 3), h=(4,)), source({"o": there}, o=(2, 3), h=(4,))
    before = values(parameters)["o"]
    taken = take_over(parameters, {"o": here}, model)
    assert list(taken.taken) == ["h"] and list(taken.new) == taken.left == ["o"]
    assert np.array_equal(values(parameters)["o"], before)


def test_names_can_be_mapped_and_left_out():
    parameters = parameters_of(**{"encoder.a": (2,), "encoder.deep.b": (3,), "out": (4,), "pool": (5,)})
    model = source(**{"reader.a": (2,), "reader.deep.b": (3,), "other.b": (3,), "out": (4,)})
    taken = take_over(parameters, {}, model, {"encoder": "reader", "encoder.deep": "other", "out": None})
    assert list(taken.taken) == ["encoder.a", "encoder.deep.b"]
    assert np.array_equal(values(parameters)["encoder.deep.b"], model.arrays["other.b"].asnumpy())
    assert taken.left == ["reader.deep.b", "out"] and list(taken.new) == ["out", "pool"]
    assert str(taken).splitlines() == ["taken from there: encoder.a, encoder.deep.b",
                                       "left there, not used: reader.deep.b, out",
                                       "new, freshly initialised: out, pool"]


@pytest.mark.parametrize("names, sentence", [
    ({"encodr": "a"}, r"training.start_names.encodr: its key 'encodr' is the beginning of no parameter; .*'encoder'"),
    ({"encoder": "reeder"}, r"training.start_names.encoder: its value 'reeder' .* did you mean 'reader'"),
])
def test_a_mapping_of_nothing_is_refused(names, sentence):
    with pytest.raises(ConfigError, match=sentence):
        take_over(parameters_of(encoder=(2,)), {}, source(reader=(2,)), names)


def test_nothing_that_fits_is_an_error_with_both_lists():
    with pytest.raises(ConfigError, match=r"start_from: nothing in 'there' fits .* has a \(3,\), b \(2,\), this model "
                                          r"has a \(2,\), c \(2,\); .*start_names"):
        take_over(parameters_of(a=(2,), c=(2,)), {}, source(a=(3,), b=(2,)))


def test_encoder_of_a_language_model_computes_the_same_in_a_classifier():
    words = [("word", list("abcdefg"))]
    first, second = LanguageModel(7, LSTM(4, num_layers=2), embed_size=3), SequenceClassifier(
        LSTM(4, num_layers=2), 2, vocab_size=7, embed_size=3)
    for model in (first, second):
        model.initialize(mx.init.Normal(0.5))
    arrays = {name: parameter.data() for name, parameter in first._collect_params_with_prefix().items()}
    taken = take_over(second._collect_params_with_prefix(), {"embedding_weight": words},
                      Source("lm", arrays, {"embedding_weight": words}))
    assert taken.left == ["output_weight", "output_bias"] == list(taken.new)
    assert taken.new["output_bias"] == "shape (2,), there (7,)"
    inputs = mx.nd.random.normal(shape=(5, 3, 3))
    assert np.array_equal(first.encoder(inputs).asnumpy(), second.encoder(inputs).asnumpy())


# ---- whole runs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def classifier(make_config, tmp_path):
    """Return the folder of a small language model, and what gives a recipe of a classifier that starts from it."""
    run = train(recipes.build_task(make_config({"training.epochs": 1})), "lm")
    path = tmp_path / "texts.tsv"
    path.write_text("".join(f"{text}\t{label}\n" for text, label in SENTENCES * 10))

    def config(**training):
        return recipes.from_dict({
            "task": {"name": "classification", "baselines": False}, "output_dir": str(tmp_path / "runs"),
            "data": {"name": "labelled_text", "path": str(path), "split": [0.5, 0.5], "batch_size": 4},
            "model": {"embed_size": 6, "encoder": {"name": "lstm", "hidden_size": 8, "num_layers": 2}},
            "training": {"epochs": 3, "start_from": str(run), **training}})
    return run, config


def test_a_run_gives_its_best_parameters_by_word(classifier, caplog):
    run, config = classifier
    model, settings = load_run(run), config()
    caplog.set_level("INFO", "gluon_rnn")
    begun = loop.Loop(recipes.build_task(settings), start=starting_point(settings))
    words, known = begun.task.data.vocab.idx_to_token, model.assets.vocab.token_to_idx
    embedding, there = (block._collect_params_with_prefix()["embedding_weight"].data().asnumpy()
                        for block in (begun.task.model, model.model))
    shared = [word for word in words if word in known]
    assert 0 < len(shared) < len(words) and "zebra" not in shared
    for word in shared:
        assert np.array_equal(embedding[words.index(word)], there[known[word]])
    assert f"embedding_weight ({len(shared)} of {len(words)} words), encoder._unfused.0.i2h_weight" in caplog.text
    assert "new, freshly initialised: output_weight (shape (2, 8), there (29, 8))" in caplog.text


def test_an_adaptive_softmax_gives_the_embedding_that_it_computes(classifier, make_config):
    _, config = classifier
    run = train(recipes.build_task(make_config({"training.epochs": 1, "model": {
        "tie_weights": True, "output": {"name": "adaptive_softmax", "cutoffs": [12, 20], "div_value": 2},
        "encoder": {"name": "lstm", "hidden_size": 8, "num_layers": 2}}})), "lm")
    settings = config(start_from=str(run))
    settings.model.embed_size = 8
    begun, found = loop.Loop(recipes.build_task(settings), start=starting_point(settings)), load_run(run)
    words, vocab = begun.task.data.vocab.idx_to_token, found.assets.vocab
    embedding = begun.parameters["embedding_weight"].data().asnumpy()
    arrays = {name: array.asnumpy() for name, array in found.arrays().items()}
    shared = [word for word in words if word in vocab.token_to_idx]
    clusters = [0, 12, 20]
    for word in shared:                                                   # a word's row, through its cluster's matrix
        index = vocab.token_to_idx[word]
        number = sum(index >= first for first in clusters) - 1
        expected = (arrays["head_weight"][index] if number == 0 else
                    arrays[f"tail{number}_weight"][index - clusters[number]] @ arrays[f"tail{number}_projection"])
        np.testing.assert_allclose(embedding[words.index(word)], expected, rtol=1e-5, atol=1e-6)
    assert len({sum(vocab.token_to_idx[word] >= first for first in clusters) for word in shared}) > 1
    named = found.named_axes(found.assets, found.model)
    assert {name: len(axes[0][1]) for name, axes in named.items()} == {
        name: len(array) for name, array in arrays.items() if "embedding" in name or name[:4] in ("head", "tail")
        and "projection" not in name}


def test_a_resume_across_a_thaw_equals_the_whole_and_does_not_read_the_source_again(classifier):
    run, config = classifier
    settings = config(average=0.9, weight_decay=0.1, thaw=["encoder._unfused.1", "encoder._unfused.0.*h2h|embedding"],
                      learning_rates={"encoder": 0.5})
    start = starting_point(settings)
    whole = train(recipes.build_task(settings), "a", start=start)
    broken = loop.Loop(recipes.build_task(settings), start=start)
    broken.start(loop.folder.create(settings.output_dir, "b"))
    broken.epochs = 1
    broken.run(loop.StopSignals())
    shutil.rmtree(run)
    train(recipes.build_task(recipes.load(broken.path / "config.yaml")), "b", resume=broken.path)
    for file in ("training.params", "parameters.params"):
        first, second = (mx.nd.load(str(path / "last" / file)) for path in (whole, broken.path))
        assert {key: array.asnumpy().tobytes() for key, array in first.items()} == {
            key: array.asnumpy().tobytes() for key, array in second.items()}
    assert recipes.load(broken.path / "config.yaml").training.start_from == str(run)


def test_a_resume_refuses_another_way_of_fine_tuning(classifier):
    _, config = classifier
    settings = config(epochs=1)
    run = train(recipes.build_task(settings), "a", start=starting_point(settings))
    with pytest.raises(ValueError, match=r"training.freeze is \['encoder'\] but the run to resume has \[\]"):
        train(recipes.build_task(config(freeze=["encoder"])), "a", resume=run)


def test_a_model_of_the_zoo_is_a_source_too(make_config):
    config = make_config({"training.start_from": "elman_grammar", "model": {
        "embed_size": 32, "encoder": {"name": "rnn", "hidden_size": 64}}})
    begun = loop.Loop(recipes.build_task(config), start=starting_point(config))
    scores, fresh = (one.evaluate("valid")["loss"] for one in (
        begun, loop.Loop(recipes.build_task(make_config({"model": config.model.model_dump()})))))
    assert scores < fresh - 0.5


@pytest.mark.parametrize("name, sentence", [
    ("elman_gramar", r"training.start_from: there is no run in 'elman_gramar', and no .* zoo .*elman_grammar"),
    ("runs/nothing", r"training.start_from: there is no run in 'runs/nothing'"),
])
def test_a_source_that_is_not_there_is_refused(make_config, name, sentence):
    with pytest.raises(ConfigError, match=sentence):
        starting_point(make_config({"training.start_from": name}))


def test_the_command_starts_from_a_run(make_config, tmp_path, caplog):
    caplog.set_level("INFO", "gluon_rnn")
    config = make_config({"training.epochs": 1})
    (tmp_path / "recipe.yaml").write_text(to_yaml(config))
    run = train(recipes.build_task(config), "a")
    assert main(["train", str(tmp_path / "recipe.yaml"), f"training.start_from={run}", "--dry-run"]) == 0
    assert f"taken from {run}: embedding_weight, output_weight, output_bias, encoder" in caplog.text
    with pytest.raises(ConfigError, match="training.start_from: there is no run in 'nothing', and no model"):
        main(["train", str(tmp_path / "recipe.yaml"), "training.start_from=nothing"])


def test_training_from_python_starts_from_a_run(make_config, tmp_path, caplog):
    caplog.set_level("INFO", "gluon_rnn")
    recipe = make_config({"training.epochs": 1}).model_dump()
    run = gluon_rnn.train(recipe)
    tuned = gluon_rnn.train(recipe, training__start_from=str(run.path))
    assert tuned.config.training.start_from == str(run.path) and f"taken from {run.path}: embedding" in caplog.text
    shutil.rmtree(run.path)
    assert gluon_rnn.train(resume=tuned, training__epochs=2).results["epochs"] == 2
    with pytest.raises(ConfigError, match=r"training.start_from: there is no run in"):
        gluon_rnn.train(recipe, training__start_from=str(run.path))


def test_training_does_not_begin_without_its_source(make_config, tmp_path):
    with pytest.raises(ValueError, match=r"start_from is 'elman_grammar', but .* start=gluon_rnn.runs.starting_point"):
        train(recipes.build_task(make_config({"training.start_from": "elman_grammar"})), "a")
    assert not (tmp_path / "runs").exists()
