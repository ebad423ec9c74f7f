"""The pipeline of classifiers: probabilities by hand, batches, streams, ensembles, and the answers of a live model."""
import mxnet as mx
import numpy as np
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.classification import ClassificationPipeline, ClassifierAssets
from gluon_rnn.answers.text import TextReader
from gluon_rnn.answers.trajectories import TrajectoryReader
from gluon_rnn.answers.vocabulary import Vocabulary
from gluon_rnn.inference.live import LiveNetwork
from gluon_rnn.models import SequenceClassifier
from gluon_rnn.nn import LSTM
from gluon_rnn.tasks.classification.predictor import ClassificationPredictor
from gluon_rnn.tasks.classification.predictor import ClassifierAssets as LiveAssets
from tests.answers.networks import RunningSums

LABELS = ["bad", "fair", "good"]
WEIGHT = np.array([[0.0, 0, 0], [1, 0.5, -1], [-2, 0, 2], [0.3, 0.2, 0.1]])
VOCAB = Vocabulary(["<unk>", "dull", "fine", "film"], unknown_token="<unk>")
#: float32 sums of at most four products, then float64
ROUNDING = {"rtol": 1e-6, "atol": 1e-6}


def by_hand(*words):
    powers = np.exp(sum(WEIGHT[VOCAB[word]] for word in words) + np.zeros(3))
    return dict(zip(LABELS, powers / powers.sum()))


def open_text(*weights):
    assets = ClassifierAssets(LABELS, TextReader(VOCAB, lower=True))
    networks = [RunningSums(weight, many_to_one=True) for weight in weights or [WEIGHT]]
    return open_pipeline("classification", {"model": networks}, assets.texts().__getitem__)


def assert_close(found, expected):
    assert list(found) == sorted(found, key=lambda name: -found[name])
    np.testing.assert_allclose([found[name] for name in LABELS], [expected[name] for name in LABELS], **ROUNDING)


def test_texts_of_different_lengths_in_batches_of_two():
    pipeline = open_text()
    texts = ["Fine film", "dull", "a dull dull film", "dull", "fine"]
    found = pipeline.predict(texts, batch_size=2)
    assert [len(inputs.T) for inputs, _ in pipeline.models[0].calls] == [2, 2, 1]
    assert {(inputs.dtype.name, lengths.dtype.name) for inputs, lengths in pipeline.models[0].calls} == \
        {("int32", "float32")}
    for text, one in zip(texts, found):
        assert_close(one, by_hand(*text.lower().split()))
    assert pipeline.predict(texts[0]) == found[0] and pipeline.predict([]) == []


def test_a_text_streams_word_by_word():
    pipeline = open_text()
    steps = list(pipeline.stream(["fine", "", "dull film"]))              # a piece without a token gives no answer
    assert len(steps) == 2
    assert_close(steps[0], by_hand("fine"))
    assert_close(steps[1], by_hand("fine", "dull", "film"))
    assert [line.split("\t")[0] for line in pipeline.stream_answers("fine dull")] == ["fine", "dull"]
    assert pipeline.answer("fine") == "good 86.7% (fair 11.7%, bad 1.6%)"    # exp(2), 1, exp(-2)


def test_an_ensemble_has_the_mean_of_the_probabilities_and_does_not_stream():
    pipeline = open_text(WEIGHT, 0 * WEIGHT)
    expected = {name: (p + 1 / 3) / 2 for name, p in by_hand("fine").items()}
    assert_close(pipeline.predict("fine"), expected)
    with pytest.raises(ValueError, match="one run streams, got an ensemble of 2"):
        next(pipeline.stream(["fine"]))


def test_rows_of_numbers_as_text_tuple_and_array():
    reader = TrajectoryReader(2, [1.0, 0.0], [2.0, 1.0])
    weight = np.array([[1.0, 0, 0], [0, 1, 0]])
    pipeline = ClassificationPipeline({"model": RunningSums(weight, many_to_one=True)},
                                      ClassifierAssets(LABELS, reader))
    found = pipeline.predict(["3, 1, 5, 0", (3, 1, 5, 0), np.array([[3.0, 1], [5, 0]])])
    powers = np.exp([3.0, 1, 0])                                          # (1 + 2, 1 + 0) standardised
    for one in found:
        assert_close(one, dict(zip(LABELS, powers / powers.sum())))
    *_, last = pipeline.stream(reader("3,1,5,0"))
    assert_close(last, found[0])
    assert [line.split("\t")[0] for line in pipeline.stream_answers("3,1,5,0")] == ["1", "2"]


def test_what_cannot_be_answered():
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1, got 0"):
        open_text().predict("fine", batch_size=0)
    pipeline = open_text()
    pipeline.models[0].causal = False
    with pytest.raises(ValueError, match="train one with pooling last and an encoder that reads forwards only"):
        next(pipeline.stream(["fine"]))


def test_a_live_model_answers_as_its_own_call():
    import gluonnlp
    model = SequenceClassifier(LSTM(5), 3, vocab_size=4, embed_size=3)
    model.initialize(mx.init.Normal(1))
    vocab = gluonnlp.Vocab.from_json(VOCAB.to_json())
    assets = LiveAssets.from_texts(ClassifierAssets(LABELS, TextReader(vocab)).texts().__getitem__)
    assert isinstance(assets.reader.vocab, gluonnlp.Vocab)
    run = ClassificationPredictor(None, None, model, assets)
    texts = ["fine film", "what a dull dull film"]
    for text, found in zip(texts, run.predict(texts)):
        logits = model(mx.nd.array(vocab[text.split()], dtype="int32").reshape((-1, 1)))
        assert_close(found, dict(zip(LABELS, mx.nd.softmax(logits)[0].asnumpy())))
    bundle = open_pipeline("classification", {"model": LiveNetwork(model)}, assets.texts().__getitem__,
                           run.pipeline_options())
    assert bundle.predict(texts) == run.predict(texts) and bundle.answer(texts[0]) == run.answer(texts[0], None)
    assert list(bundle.stream(texts)) == list(run.stream(texts))
    assert "batch_size" in ClassificationPredictor.predict.__doc__


@pytest.mark.parametrize("item, message", [
    (np.array([[3.0, np.nan], [5, 0]]), r"a sequence: the number at \[0, 1\] is nan"), ((3, 1, np.inf, 0), "is inf"),
    (np.ones((2, 5)), r"expected steps \(T, 2\), got an array of the shape \(2, 5\)"), ((), "is empty")])
def test_rows_with_missing_numbers_are_refused(item, message):
    reader = TrajectoryReader(2, [1.0, 0.0], [2.0, 1.0])
    weight = np.array([[1.0, 0, 0], [0, 1, 0]])
    pipeline = ClassificationPipeline({"model": RunningSums(weight, many_to_one=True)},
                                      ClassifierAssets(LABELS, reader))
    with pytest.raises(ValueError, match=message):
        pipeline.predict(item)
    with pytest.raises(ValueError, match="features of a step: the number at"):
        list(pipeline.stream([np.array([0.0, 1]), np.array([np.nan, 1])]))


@pytest.mark.parametrize("row, size", [((1.0, 2.0, 3.0), 3), (5.0, 1), ([1] * 7, 7)])
def test_a_row_of_other_than_whole_steps_is_refused_as_its_text_is(row, size):
    reader = TrajectoryReader(2, [1.0, 0.0], [2.0, 1.0])
    for given in (row, ",".join(map(str, np.ravel(row)))):
        with pytest.raises(ValueError, match=f"the row: {size} numbers are not whole steps of 2; mend the"):
            reader(given)


@pytest.mark.parametrize("item", [5, None, ["fine"]])
def test_an_item_that_is_no_text_is_one_sentence(item):
    for unit in ("word", "character"):
        pipeline = ClassificationPipeline({"model": RunningSums(WEIGHT, many_to_one=True)},
                                          ClassifierAssets(LABELS, TextReader(VOCAB, unit)))
        with pytest.raises(ValueError, match="an item must be a text, got .*; pass a string"):
            pipeline.predict(["fine", item])


def test_an_empty_text_has_no_class():
    for empty in ("", "  ", ["fine", ""]):
        with pytest.raises(ValueError, match="is empty, so that there is nothing to answer"):
            open_text().predict(empty)
