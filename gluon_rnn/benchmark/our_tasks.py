"""The models of the benchmark `tasks`, ours: one function a model, `case` to a call that trains on each batch once."""
import mxnet as mx
import numpy as np

from gluon_rnn import nn
from gluon_rnn.config import Training
from gluon_rnn.data import pad
from gluon_rnn.data.batching import Batch
from gluon_rnn.data.spellings import grouped_spellings
from gluon_rnn.models import Seq2Seq, SequenceClassifier, SequenceTagger
from gluon_rnn.tasks.classification.loss import ClassificationLoss
from gluon_rnn.tasks.tagging.loss import TaggingLoss
from gluon_rnn.tasks.translation.batches import valid_places
from gluon_rnn.tasks.translation.loss import TranslationLoss
from gluon_rnn.training.step import TrainStep

__all__ = ["classifier", "tagger", "seq2seq"]


def classifier(case):
    """Return a call that trains a bidirectional LSTM with maximum pooling."""
    encoder = nn.LSTM(case["H"], case["layers"], bidirectional=True, dropout=case["between"])
    model = SequenceClassifier(encoder, case["K"], vocab_size=case["V"], embed_size=case["E"], pooling="max",
                               drop_e=case["drop_e"], drop_i=case["drop_i"], dropout=case["dropout"])
    ids = _Ids()

    def batch(rows):
        tokens, lengths = ids(case["V"], rows["lengths"])
        count = len(lengths)
        arrays = (tokens, lengths, mx.nd.array(ids.random.integers(case["K"], size=count)), mx.nd.ones((count,)))
        return Batch(arrays, (1, 0, 0, 0), count)

    return _training(case, ClassificationLoss(model), [batch(rows) for rows in case["batches"]])


def tagger(case):
    """Return a call that trains a bidirectional LSTM over words, and one over their letters where they are spelled.

    With a CRF in the place of the cross-entropy where the case has one.
    """
    options = {"crf": case["crf"]}
    if case["spelled"]:
        options.update(char_encoder=nn.LSTM(case["H_chars"], bidirectional=True), char_vocab_size=case["V_chars"],
                       char_embed_size=case["E_chars"])
    model = SequenceTagger(nn.LSTM(case["H"], bidirectional=True), case["K"], vocab_size=case["V"],
                           embed_size=case["E"], drop_e=case["drop_e"], drop_i=case["drop_i"], dropout=case["dropout"],
                           **options)
    ids = _Ids()

    def batch(rows):
        words, lengths = ids(case["V"], rows["lengths"])
        arrays, axes = [words, lengths, ids(case["K"], rows["lengths"])[0]], (1, 0, 1)
        if case["spelled"]:
            spellings = [[ids.draw(case["V_chars"], letters) for letters in row] for row in rows["words"]]
            spelled = grouped_spellings(spellings, len(words))
            arrays += [mx.nd.array(array, dtype=array.dtype) for array in spelled]
            axes += tuple(min(1, array.ndim - 1) for array in spelled)
        return Batch(tuple(arrays), axes, sum(rows["lengths"]))

    return _training(case, TaggingLoss(model), [batch(rows) for rows in case["batches"]])


def seq2seq(case):
    """Return a call that trains a translation model: bidirectional GRU, GRU, attention, tied output weights."""
    H = case["H"]
    model = Seq2Seq(case["V_source"], case["V"], nn.GRU(H, bidirectional=True), nn.GRU(H), embed_size=case["E"],
                    attention=case["attention"], tie_weights=True, drop_i=case["drop_i"], dropout=case["dropout"])
    ids = _Ids()

    def batch(rows):
        source, target = ids(case["V_source"], rows["source"]), ids(case["V"], rows["lengths"])
        places = mx.nd.array(valid_places(np.array(rows["lengths"])), dtype="int32")
        return Batch((*source, target[0], *target, places), (1, 0, 1, 1, 0, 1), sum(rows["lengths"]))

    return _training(case, TranslationLoss(model, case["smoothing"]), [batch(rows) for rows in case["batches"]])


class _Ids:
    """Token ids drawn at random: a vocabulary's size and N lengths to an int32 array (T, N) and lengths (N,)."""

    def __init__(self):
        self.random = np.random.default_rng(0)

    def draw(self, size, length):
        return self.random.integers(size, size=length, dtype=np.int32)

    def __call__(self, size, lengths):
        padded, lengths = pad([self.draw(size, length) for length in lengths])
        return mx.nd.array(padded, dtype="int32"), mx.nd.array(lengths)


def _training(case, graph, batches):
    """Return a call that makes one update on each batch, as the training loop makes it."""
    graph.initialize()
    graph.hybridize(static_alloc=True)                                    # as the training loop does
    train = TrainStep(graph, [mx.cpu()], Training(optimizer=dict(name="adam", learning_rate=1e-6),
                                                  clip_norm=case["clip_norm"]))

    def steps():
        for batch in batches:
            train(batch, [[]], 1e-6)
        mx.nd.waitall()

    return steps
