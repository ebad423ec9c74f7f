"""Models, one file per family; importing this package registers them all."""
from gluon_rnn.models.classifier import SequenceClassifier, SequenceRegressor
from gluon_rnn.models.conditional import ConditionalLanguageModel
from gluon_rnn.models.ctc import CTCModel
from gluon_rnn.models.decoding import DecodeStep, ScheduledSampling, SourceEncoder
from gluon_rnn.models.forecaster import Forecaster, ForecasterClosedLoop
from gluon_rnn.models.frame_predictor import FramePredictor, frame_loss
from gluon_rnn.models.language_model import LanguageModel
from gluon_rnn.models.narx import AR, NARX, ClosedLoop
from gluon_rnn.models.seq2seq import Seq2Seq
from gluon_rnn.models.structures import GraphClassifier, TreeClassifier
from gluon_rnn.models.tagger import SequenceTagger
from gluon_rnn.models.word_vectors import WordVectors

__all__ = ["AR", "ClosedLoop", "Forecaster", "ForecasterClosedLoop", "FramePredictor", "LanguageModel", "NARX",
           "SequenceTagger", "frame_loss", "CTCModel", "SequenceClassifier", "SequenceRegressor",
           "ConditionalLanguageModel", "DecodeStep", "ScheduledSampling", "Seq2Seq", "SourceEncoder", "WordVectors",
           "GraphClassifier", "TreeClassifier"]
