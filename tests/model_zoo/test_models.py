"""Every model of the zoo: files and card are right, it answers, and it reaches on a slice what its card says.

Tests `model_zoo/cards.py` and `model_zoo/entries.py` on the models themselves.
"""
import fnmatch
import pathlib
import re

import mxnet as mx
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn import public_data, recipes
from gluon_rnn.export import export_run
from gluon_rnn.model_zoo import entries
from gluon_rnn.model_zoo.cards import read_about
from gluon_rnn.model_zoo.families import families_of
from gluon_rnn.model_zoo.verify import REPRODUCED, verify

NAMES = entries.names()
ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_BYTES = 40e6
REQUIRED = {"RNN": {"RNN"}, "LSTM": {"LSTM"}, "GRU": {"GRU"},
            "peephole or layer-norm LSTM": {"peephole LSTM", "layer-norm LSTM"}, "Jordan": {"Jordan"},
            "TDNN": {"TDNN"}, "AR": {"AR"}, "NARX": {"NARX"}, "bidirectional": {"bidirectional"},
            "attention": {"attention"}, "CRF": {"CRF"}, "CTC": {"CTC"}}


@pytest.mark.parametrize("family", REQUIRED)
def test_every_family_has_a_model(family):
    assert any(REQUIRED[family] & set(entries.get(name).card.family) for name in NAMES)


def test_all_together_are_small():
    sizes = [path.stat().st_size for path in entries.FOLDER.glob("*/*") if path.suffix in (".params", ".json", ".yaml")]
    assert len(sizes) > len(NAMES) and sum(sizes) < MOST_BYTES


def test_drafts_are_valid_and_their_recipes_are_there():
    drafts = [path for path in entries.FOLDER.glob("*/card.yaml") if path.parent.name not in NAMES]
    for path in drafts:
        about = read_about(path)
        assert recipes.find(about.recipe).is_file() and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", NAMES)
def test_files_are_those_of_the_card_and_are_installed(name):
    entry = entries.get(name)
    files = {path.name for path in entry.folder.iterdir()}
    assert files == {*entry.card.files, entries.CARD} or files == {*entry.card.files, entries.CARD} - {entries.WEIGHTS}
    for file in files - {entries.CARD}:
        assert entry.checked(file).stat().st_size == entry.card.files[file].bytes
    patterns = re.search(r'"gluon_rnn.model_zoo": \[(.*?)\]', (ROOT / "setup.py").read_text(encoding="utf-8"))[1]
    for file in files:
        assert any(fnmatch.fnmatch(f"{name}/{file}", pattern) for pattern in re.findall('"(.*?)"', patterns)), file


@pytest.mark.parametrize("name", NAMES)
def test_nothing_belongs_to_one_machine(name):
    for path in entries.get(name).folder.glob("*.yaml"):
        for text in re.findall(r"[\w$}{]*(?:/[\w.*-]+)+", path.read_text(encoding="utf-8")):
            assert not text.startswith("/"), f"{path}: {text}"
    assert "${data_root}" in entries.get(name).read(entries.RECIPE) or not public_data.all_sets().keys() & set(
        entries.get(name).card.data.source.split("; "))


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_what_recipe_and_weights_say(name):
    entry = entries.get(name)
    card, model = entry.card, gluon_rnn.get_model(name, pretrained=True)
    assert card.family == families_of(entry.config) and card.task == entry.config.task.name
    assert card.seed == entry.config.seed and f"gluon-rnn train {card.about.recipe}" in card.command
    assert card.parameters == sum(parameter.data().size for parameter in model.collect_params().values())
    stored = mx.nd.load(str(entry.weights()))
    assert {array.dtype for array in stored.values()} == {np.dtype(card.storage.dtype).type}
    assert card.figure.value == getattr(card.storage, card.storage.dtype)
    if card.storage.dtype == "float16":
        cost = abs(card.storage.float16 - card.storage.float32)
        assert cost < card.storage.allowed or cost == 0
        assert card.storage.allowed == pytest.approx(
            1e-4 * abs(card.figure.mean) if card.figure.sd is None else 0.1 * card.figure.sd)


@pytest.mark.parametrize("name", NAMES)
def test_get_model_and_load_give_the_same_bits(name):
    predictor, model = gluon_rnn.load(name), gluon_rnn.get_model(name, pretrained=True)
    blocks = [block._collect_params_with_prefix() for block in (model, predictor.model)]
    assert blocks[0].keys() == blocks[1].keys()
    for key in blocks[0]:
        one, other = (block[key].data().asnumpy() for block in blocks)
        assert one.dtype == np.float32 and np.isfinite(one).all() and (one == other).all(), key
    example = _example(predictor)
    model.hybridize()      # as a predictor's is: a graph may round sums in another order than single calls
    for one, other in zip(_arrays(model(*example)), _arrays(predictor.model(*example))):
        assert (one == other).all() and np.isfinite(one).all()


def _example(predictor):
    """Return inputs that the model of a predictor takes."""
    task, example = predictor.config.task.name, predictor.example()
    if task == "translation":
        return list(example)
    if task == "tagging":
        words, *spelling = example if isinstance(example, tuple) else (example,)
        return [words, None, None, *spelling]
    if task == "conditional_language_model":
        return [example, predictor.model.states_for(mx.nd.array([0, 1], dtype="int32"))]
    return [example]


def _arrays(outputs):
    """Return the arrays in nested outputs of a block."""
    if isinstance(outputs, (list, tuple)):
        return [array for part in outputs for array in _arrays(part)]
    return [outputs.asnumpy()]


# ---- answers --------------------------------------------------------------------------------------------------------


def _forecasting(predictor):
    washout, scaler = predictor.assets.washout, predictor.assets.scaler
    rows, random = washout + 30, np.random.default_rng(0)
    x = random.uniform(0, 0.4, (rows, len(scaler.input_names)))
    y = random.uniform(0, 0.4, (rows, len(scaler.target_names)))
    found = predictor.predict(x, y)
    assert len(found) and found.shape[1] == len(scaler.target_names) and np.isfinite(found).all()


def _language_model(predictor):
    prefix = predictor.assets.vocab.idx_to_token[-1]
    text = predictor.predict(prefix, length=12, seed=1)
    assert text.startswith(prefix) and text == predictor.predict(prefix, length=12, seed=1)
    assert len(text) > len(prefix) and text != predictor.predict(prefix, length=12, seed=2)


def _conditional_language_model(predictor):
    texts = predictor.predict(predictor.assets.labels[0], count=2, seed=1, max_length=40)
    assert len(texts) == 2 and all(texts)


def _classification(predictor):
    kind = type(predictor.assets.reader).__name__
    item = {"TextReader": "Yamamoto", "TrajectoryReader": "47,100,27,81,57,37,26,0,0,23,56,53,100,90,40,98",
            "AudioReader": _noise()}[kind]
    found = predictor.predict(item)
    assert set(found) == set(predictor.assets.labels) and sum(found.values()) == pytest.approx(1, abs=1e-5)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def _noise():
    """Return the bytes of a short .wav file."""
    import io

    from scipy.io import wavfile
    file = io.BytesIO()
    wavfile.write(file, 8000, (1000 * np.random.default_rng(0).standard_normal(4000)).astype(np.int16))
    return file.getvalue()


def _ctc(predictor):
    found = predictor.predict(_noise())
    assert set(found["labels"]) <= set(predictor.assets.labels) and found["score"] <= 0


def _tagging(predictor):
    found = predictor.predict("The cat sat on the mat .")
    assert found.tags == ["DET", "NOUN", "VERB", "ADP", "DET", "NOUN", "PUNCT"]


def _translation(predictor):
    found = predictor.predict("i am happy .")
    assert found.text and found.weights.shape == (len(found.tokens), len(found.source_tokens))
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-5)


def _frames(predictor):
    roll = np.zeros((8, 88), dtype=np.uint8)
    roll[:, [40, 44, 47]] = 1
    for _, frame in zip(range(3), predictor.stream(iter(roll))):
        assert frame.shape[-1] == 88 and (np.abs(np.asarray(frame) - 0.5) <= 0.5).all()


ANSWERS = {"forecasting": _forecasting, "language_model": _language_model, "classification": _classification,
           "conditional_language_model": _conditional_language_model, "ctc": _ctc, "tagging": _tagging,
           "translation": _translation, "frames": _frames}


@pytest.mark.parametrize("name", NAMES)
def test_it_answers(name):
    predictor = gluon_rnn.load(name)
    ANSWERS[predictor.config.task.name](predictor)


@pytest.mark.parametrize("name,item,answer", [
    (name, item, answer) for name, item, answer in [
        ("tdnn_names", "Yamamoto", "Japanese"), ("tdnn_names", "O'Neill", "Irish"),
        ("peephole_lstm_pendigits", "47,100,27,81,57,37,26,0,0,23,56,53,100,90,40,98", "8")] if name in NAMES])
def test_it_answers_what_anybody_would(name, item, answer):
    assert next(iter(gluon_rnn.load(name).predict(item))) == answer


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_in_onnx_and_answers_there_as_here(name, tmp_path):
    """The export itself compares arrays, at other sizes and lengths, step by step, and answers to raw input."""
    assert export_run(gluon_rnn.load(name), tmp_path / "bundle", format="onnx") < 1e-4
    assert (tmp_path / "bundle" / "manifest.json").is_file()


@pytest.mark.real_data
@pytest.mark.parametrize("name", NAMES)
def test_the_figure_of_the_card_comes_out_on_a_slice(name, data_root):
    verdict = verify(name, quick=True)
    assert verdict.status == REPRODUCED, str(verdict)
