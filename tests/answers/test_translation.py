"""Translation: ensembles against the mean of what each model says, pipelines against live models, files, pictures.

Tests `attention_picture.py` too, and `gluon_rnn/inference/live.py` as far as translation needs it.
"""
import json

import gluonnlp
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.sentences import SentenceTokenizer
from gluon_rnn.answers.translation import Ensemble, TranslationAssets
from gluon_rnn.inference.live import translation_networks
from gluon_rnn.inference.translate import Translator
from gluon_rnn.models import Seq2Seq
from gluon_rnn.nn import GRU, LSTM
from tests.reference import rounding

SENTENCES = ["a b c d e", "c", "e", "a strange b c", "e d c b a b c d e"]
KINDS = [("bahdanau", GRU), ("none", LSTM), ("luong", GRU)]


def models(count, source=7, target=9):
    """Models that differ in kind and in number of states."""
    made = [Seq2Seq(source, target, kind(5, bidirectional=True), kind(4), attention=attention, embed_size=4)
            for attention, kind in KINDS[:count]]
    for model in made:
        model.initialize(mx.init.Normal(1.0))
    return made


@pytest.mark.parametrize("count", [1, 3])
def test_steps_of_an_ensemble_give_the_mean_of_the_probabilities(count):
    chosen, random = models(count), np.random.default_rng(0)
    source, lengths = random.integers(7, size=(6, 3)).astype(np.int32), np.array([6, 1, 4], dtype=np.float32)
    target = random.integers(9, size=(5, 3)).astype(np.int32)
    arguments = [mx.nd.array(one, dtype=one.dtype) for one in (source, target, lengths)]
    expected = np.mean([mx.nd.softmax(model(*arguments)[0]).asnumpy() for model in chosen], axis=0)
    ensemble = Ensemble.of(translation_networks(chosen))
    states = ensemble.read(source, lengths)
    for t, token in enumerate(target):
        logits, states = ensemble(token, states)
        # five steps of two layers, and the polynomials of float32's softmax, good to some thirty roundings each
        bound = rounding("float32", 5 * 2 * 30)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))       # of three they are log p already
        np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), expected[t], rtol=0, atol=bound)


def test_weights_of_an_ensemble_are_the_mean_of_the_members_that_have_them():
    chosen, random = models(3), np.random.default_rng(1)
    source, target = (random.integers(size, size=(4, 2)).astype(np.int32) for size in (7, 9))
    lengths = np.array([4, 2], dtype=np.float32)
    found = Ensemble.of(translation_networks(chosen)).weights(source, lengths, target, lengths)
    arrays = [mx.nd.array(one, dtype=one.dtype) for one in (source, target, lengths, lengths)]
    want = (chosen[0](*arrays)[1].asnumpy() + chosen[2](*arrays)[1].asnumpy()) / 2
    np.testing.assert_allclose(found, want, rtol=0, atol=rounding("float32", 2))
    assert Ensemble.of(translation_networks(models(2)[1:])).weights(source, lengths, target, lengths) is None


@pytest.fixture(params=[0, 1, 2], ids=[kind for kind, _ in KINDS])
def parts(request):
    """A model, what live code translates with it, and the files of its assets."""
    def vocab(words):
        return gluonnlp.Vocab(gluonnlp.data.count_tokens(words), padding_token=None, bos_token="<bos>",
                              eos_token="<eos>")
    source, target = vocab("abcde"), vocab("xyz!")
    attention, kind = KINDS[request.param]
    model = Seq2Seq(len(source), len(target), kind(6, bidirectional=True), kind(6), attention=attention, embed_size=4)
    model.initialize(mx.init.Normal(0.8))
    assets = TranslationAssets(source, target, SentenceTokenizer())
    return model, Translator(model, source, target, SentenceTokenizer()), assets.texts()


@pytest.mark.parametrize("options", [{}, {"beam_size": 1}, {"beam_size": 3, "alpha": 0.0}])
def test_a_pipeline_of_files_translates_as_a_live_model(parts, options):
    model, translator, texts = parts
    pipeline = open_pipeline("translation", translation_networks([model]), texts.__getitem__, options)
    for one, two in zip(pipeline.predict(SENTENCES, max_length=7), translator(SENTENCES, max_length=7, **options)):
        assert (one.source, one.text, one.score, one.tokens) == (two.source, two.text, two.score, two.tokens)
        assert (one.weights is None) == (two.weights is None) == (model.attention is None)
        np.testing.assert_array_equal(0 if one.weights is None else one.weights, 0 if two.weights is None else
                                      two.weights)
    assert pipeline.predict(SENTENCES[0]).text == pipeline.answer(SENTENCES[0])


def test_an_answer_with_a_folder_has_the_picture(parts, tmp_path):
    model, _, texts = parts
    pipeline = open_pipeline("translation", translation_networks([model]), texts.__getitem__)
    answer, path = pipeline.answer("a b", tmp_path / "new", 3), tmp_path / "new" / "attention-3.png"
    if model.attention is None:
        assert answer == pipeline.predict("a b").text and not path.exists()
    else:
        assert answer.endswith(f"    ({path})") and path.read_bytes()[:4] == b"\x89PNG"


def test_assets_come_back():
    texts = {"source_vocab.json": json.dumps({"idx_to_token": ["<unk>", "a"], "unknown_token": "<unk>"}),
             "target_vocab.json": json.dumps({"idx_to_token": ["<unk>", "<s>", "</s>"], "unknown_token": "<unk>",
                                              "bos_token": "<s>", "eos_token": "</s>"}),
             "tokenizer.json": json.dumps({"unit": "character", "lower": True})}
    assets = TranslationAssets.from_texts(texts.__getitem__)
    again = TranslationAssets.from_texts(assets.texts().__getitem__)
    assert again.source_vocab == assets.source_vocab and again.target_vocab.bos_token == "<s>"
    assert again.tokenizer.settings == {"unit": "character", "lower": True}


@pytest.mark.parametrize("lines, number, shown", [([5], 0, "5"), (5, 0, "5"), (["a", b"b"], 1, "b'b'")])
def test_what_is_no_text_is_refused(parts, lines, number, shown):
    model, _, texts = parts
    pipeline = open_pipeline("translation", translation_networks([model]), texts.__getitem__)
    with pytest.raises(ValueError, match=f"^sentence {number} must be a text, got {shown}; pass a string"):
        pipeline.predict(lines)


def test_missing_networks_and_wrong_options_are_named(parts):
    model, _, texts = parts
    networks = translation_networks([model])
    with pytest.raises(ValueError, match="has no option 'beam'; did you mean 'beam_size'"):
        open_pipeline("translation", networks, texts.__getitem__, {"beam": 3})
    with pytest.raises(ValueError, match="needs the network 'step', got encoder, model"):
        open_pipeline("translation", {name: networks[name] for name in ("encoder", "model")}, texts.__getitem__)
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1"):
        open_pipeline("translation", networks, texts.__getitem__).predict("a", batch_size=0)
