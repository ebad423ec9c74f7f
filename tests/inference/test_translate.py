"""Translator: order and batches change nothing, weights belong to what was written, the picture."""
import gluonnlp
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.data import SentenceTokenizer, pad
from gluon_rnn.inference.beam_search import beam_search
from gluon_rnn.inference.minimum_risk import choose
from gluon_rnn.inference.translate import Translator, attention_picture
from gluon_rnn.models import DecodeStep, Seq2Seq, SourceEncoder
from gluon_rnn.nn import GRU

SENTENCES = ["a b c d e.", "c", "", "a strange b c!", "e d c b a b c d e"]


def vocab(words):
    return gluonnlp.Vocab(gluonnlp.data.count_tokens(words), padding_token=None, bos_token="<bos>", eos_token="<eos>")


@pytest.fixture(params=["luong", "bahdanau", "none"])
def translator(request):
    source, target = vocab(["a", "b", "c", "d", "e", "\uffed.", "\uffed!"]), vocab(["x", "y", "z", "!"])
    model = Seq2Seq(len(source), len(target), GRU(6, bidirectional=True), GRU(6), attention=request.param, embed_size=4)
    model.initialize(mx.init.Normal(0.8))
    translator = Translator(model, source, target, SentenceTokenizer())
    translator.model, translator.source, translator.target = model, source, target
    return translator


def arguments_of(translator):
    """Return a function that makes source (S, 1) and its length of a sentence."""
    def arrays(sentence):
        tokens = [*SentenceTokenizer().split(sentence), "<eos>"]
        return mx.nd.array(np.array(translator.source[tokens])[:, None], dtype="int32"), mx.nd.array([len(tokens)])
    return arrays


def same(one, two):
    assert (one.source, one.text, one.tokens, one.source_tokens) == (
        two.source, two.text, two.tokens, two.source_tokens)
    assert one.score == pytest.approx(two.score, abs=1e-4)
    assert (one.weights is None) == (two.weights is None)
    if one.weights is not None:
        np.testing.assert_allclose(one.weights, two.weights, atol=1e-5)


def test_order_and_batches_change_nothing(translator):
    together = translator(SENTENCES, max_length=7)
    assert [translation.source for translation in together] == SENTENCES
    for other in (translator(SENTENCES, max_length=7, batch_size=2),
                  [translator([sentence], max_length=7)[0] for sentence in SENTENCES],
                  translator(SENTENCES[::-1], max_length=7)[::-1]):
        for one, two in zip(together, other):
            same(one, two)
    assert translator([]) == []


def test_a_translation_that_never_ends_is_as_long_as_its_own_sentence_allows(translator):
    translator.model.output.bias.data()[translator.target["<eos>"]] = -100
    found = translator(SENTENCES, beam_size=2)
    lengths = [2 * len(translation.source_tokens) + 10 for translation in found]
    assert [len(translation.tokens) for translation in found] == lengths
    assert len(set(lengths)) > 2
    with pytest.raises(ValueError, match="max_length must be a whole number of at least 1, got \\[3, 4\\]"):
        translator(SENTENCES[:2], max_length=[3, 4])


def test_what_is_written_and_its_weights(translator):
    for translation in translator(SENTENCES, beam_size=3, max_length=7):
        assert not {"<unk>", "<bos>"} & set(translation.tokens)
        assert translation.source_tokens[-1] == "<eos>"
        assert "<eos>" not in translation.tokens[:-1] and len(translation.tokens) <= 7
        assert translation.text == SentenceTokenizer().join([t for t in translation.tokens if t != "<eos>"])
        if translator.model.attention is None:
            assert translation.weights is None
            continue
        assert translation.weights.shape == (len(translation.tokens), len(translation.source_tokens))
        np.testing.assert_allclose(translation.weights.sum(axis=1), 1, atol=1e-5)
        source, _ = pad([np.array(translator.source[translation.source_tokens], dtype=np.int32)])
        target = np.array(translator.target[["<bos>", *translation.tokens[:-1]]], dtype=np.int32)
        _, want = translator.model(mx.nd.array(source, dtype="int32"), mx.nd.array(target[:, None], dtype="int32"))
        np.testing.assert_allclose(translation.weights, want[:, 0].asnumpy(), atol=1e-5)


def test_minimum_risk_takes_one_of_the_beam(translator):
    """What is taken is the best by a BLEU of its own tokens; of a beam of 1 there is but one."""
    pytest.importorskip("sacrebleu", reason="sacrebleu is in the extra data")
    search = {"max_length": 7, "beam_size": 6}
    read, step = SourceEncoder(translator.model), DecodeStep(translator.model)
    begin, end, unknown = translator.target[["<bos>", "<eos>", "<unk>"]]
    beams = [beam_search(step, read(*arrays), mx.nd.full((1,), begin), end, alpha=1.0, exclude=[begin, unknown],
                         **search)[0] for arrays in map(arguments_of(translator), SENTENCES)]
    for beam, best, chosen in zip(beams, translator(SENTENCES, **search), translator(SENTENCES, mbr=True, **search)):
        texts = [[translator.target.idx_to_token[index] for index in one.ids] for one in beam]
        index = choose(texts, [one.score for one in beam])
        assert [t for t in best.tokens if t != "<eos>"] == texts[0]
        assert [t for t in chosen.tokens if t != "<eos>"] == texts[index]
        assert chosen.score == pytest.approx(beam[index].score, abs=1e-4)
    for one, two in zip(translator(SENTENCES, beam_size=1, mbr=True), translator(SENTENCES, beam_size=1)):
        same(one, two)


def test_weights_are_left_out_where_nobody_wants_them(translator):
    assert translator(SENTENCES[:2], weights=False)[0].weights is None


def test_the_picture(translator, tmp_path):
    translations = translator(SENTENCES[:3], max_length=5)
    if translator.model.attention is None:
        with pytest.raises(ValueError, match="no attention weights to draw; take a model with attention"):
            attention_picture(translations)
        return
    figure = attention_picture(translations, tmp_path / "attention.png")
    assert (tmp_path / "attention.png").read_bytes()[:4] == b"\x89PNG"
    drawn = [axes for axes in figure.axes if axes.get_visible()]
    assert len(drawn) == 3
    assert [label.get_text() for label in drawn[0].get_xticklabels()] == ["a", "b", "c", "d", "e", ".", "<eos>"]
    np.testing.assert_array_equal(drawn[0].images[0].get_array(), translations[0].weights)
