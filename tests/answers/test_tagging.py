"""The pipeline of taggers: labels by hand with and without a CRF, arrays of characters, streams, live models."""
import mxnet as mx
import numpy as np
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.spellings import dense_spellings, grouped_spellings
from gluon_rnn.answers.tagging import Tagging, TaggingAssets
from gluon_rnn.answers.tags import TagEncoder
from gluon_rnn.answers.vocabulary import Vocabulary
from gluon_rnn.inference.live import LiveNetwork, TaggerNetwork
from gluon_rnn.models import SequenceTagger
from gluon_rnn.nn import GRU, LSTM
from gluon_rnn.tasks.tagging.predictor import TaggingPredictor
from tests.answers.networks import RunningSums

TAGS = ["DET", "NOUN", "VERB"]
WORDS = Vocabulary(["<unk>", "the", "cat", "sleeps"], unknown_token="<unk>")
LETTERS = Vocabulary(["<unk>", *"acehlpst"], unknown_token="<unk>")
ASSETS = TaggingAssets(TagEncoder(WORDS, LETTERS, TAGS))
#: o_t is a sum over the words so far: the tag of the largest one after "the", "the cat", "the cat sleeps"
WEIGHT = np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 4]])
SENTENCES = ["the cat sleeps", "", "the", "cat unheard-of"]


def open_tags(network, **options):
    return open_pipeline("tagging", {"model": network}, ASSETS.texts().__getitem__, options)


def test_the_largest_score_of_each_word():
    network = RunningSums(WEIGHT)
    pipeline = open_tags(network)
    found = pipeline.predict(SENTENCES)
    assert [one.tags for one in found] == [["DET", "NOUN", "VERB"], [], ["DET"], ["NOUN", "NOUN"]]
    assert [one.words for one in found] == [sentence.split() for sentence in SENTENCES]
    ((inputs, lengths),) = network.calls                                  # one call, none for the empty sentence
    assert inputs.T.tolist() == [[1, 2, 3], [1, 0, 0], [2, 0, 0]] and lengths.tolist() == [3, 1, 2]
    assert inputs.dtype == np.int32 and lengths.dtype == np.float32
    pipeline.predict(SENTENCES, batch_size=2)
    assert [len(inputs.T) for inputs, *_ in network.calls[1:]] == [2, 1]
    assert pipeline.answer("the cat") == "the cat\nDET NOUN" and pipeline.predict("") == Tagging([], [])


def test_spellings_are_kept_of_the_words_of_the_vocabulary_alone():
    encoder = TagEncoder(WORDS, LETTERS, TAGS)
    assert encoder.spell("cat") is encoder.spell("cat") and encoder.spell("cat").tolist() == [2, 1, 8]
    assert encoder.spell("tac") is not encoder.spell("tac") and encoder.spell("tac").tolist() == [8, 1, 2]


@pytest.mark.parametrize("text, message", [(5, "sentence 0 must be a text, got 5; pass a string"),
                                           (["the", ["cat"]], r"sentence 1 must be a text, got \['cat'\]"),
                                           (None, "sentence 0 must be a text, got None")])
def test_what_is_no_text_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        open_tags(RunningSums(WEIGHT)).predict(text)


def test_words_stream_unless_the_network_has_labels_of_its_own():
    pipeline = open_tags(RunningSums(WEIGHT))
    assert list(pipeline.stream(["the", "cat", "sleeps"])) == TAGS
    assert list(pipeline.stream_answers("the cat")) == ["the\tDET", "cat\tNOUN"]
    with pytest.raises(ValueError, match="a CRF tags a sentence as a whole"):
        next(open_tags(RunningSums(WEIGHT, labels=True)).stream(["the"]))
    with pytest.raises(ValueError, match="train one with model.encoder.bidirectional=false"):
        next(open_tags(RunningSums(WEIGHT, causal=False)).stream(["the"]))


def test_labels_of_the_network_come_before_its_scores():
    pipeline = open_tags(RunningSums(WEIGHT, labels=True))                # the smallest score of each word
    assert pipeline.predict("the cat sleeps").tags == ["NOUN", "VERB", "DET"]


@pytest.mark.parametrize("kind, arrays", [("grouped", grouped_spellings), ("dense", dense_spellings)])
def test_characters_go_to_a_network_that_spells(kind, arrays):
    network = RunningSums(WEIGHT)
    open_tags(network, spelling=kind).predict(["the cat", "sleeps"])
    (_, _, *found), encoder = network.calls[0], ASSETS.encoder
    expected = arrays([[encoder.spell("the"), encoder.spell("cat")], [encoder.spell("sleeps")]], 2)
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="spelling must be null, 'grouped' or 'dense', got 'groupd'; did you mean"):
        open_tags(network, spelling="groupd")


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("spelled", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_live_models_answer_as_their_own_calls(crf, spelled, bidirectional):
    letters = {"char_encoder": GRU(3, bidirectional=True), "char_vocab_size": len(LETTERS)} if spelled else {}
    model = SequenceTagger(LSTM(4, bidirectional=bidirectional), 3, vocab_size=4, embed_size=3, crf=crf, **letters)
    model.initialize(mx.init.Normal(1))
    if crf:
        model.crf.transition_weight.set_data(mx.nd.random.normal(scale=3, shape=(3, 3)))
    assets = TaggingPredictor.assets_class.from_texts(ASSETS.texts().__getitem__)
    run = TaggingPredictor(None, None, model, assets)
    found = run.predict(SENTENCES)
    for sentence, one in zip(SENTENCES, found):
        words = sentence.split()
        assert len(one.tags) == len(words)
        if words:
            assert one.tags == own_call(model, words, spelled)
    kind = TaggerNetwork if crf else LiveNetwork
    bundle = open_tags(kind(model), **run.pipeline_options())
    assert bundle.predict(SENTENCES) == found
    if spelled:
        assert open_tags(kind(model), spelling="dense").predict(SENTENCES) == found
    if not crf and not bidirectional:
        assert list(run.stream(SENTENCES[0].split())) == list(bundle.stream(SENTENCES[0].split())) == found[0].tags


def own_call(model, words, spelled):
    """Return the tags of one sentence by the model's call and `decode`."""
    ids, spelling = mx.nd.array(WORDS[words], dtype="int32").reshape((-1, 1)), []
    if spelled:
        chars, lengths = dense_spellings([[ASSETS.encoder.spell(word) for word in words]], len(words))
        spelling = [mx.nd.array(chars, dtype="int32"), mx.nd.array(lengths)]
    best = model.decode(model(ids, None, None, *spelling))
    return [TAGS[int(label)] for label in best[:, 0].asnumpy()]
