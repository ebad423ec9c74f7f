"""Models, one file per family; importing this package registers them all."""
from .classifier import SequenceClassifier, SequenceRegressor
from .conditional import ConditionalLanguageModel
from .ctc import CTCModel
from .decoding import DecodeStep, ScheduledSampling, SourceEncoder
from .forecaster import Forecaster, ForecasterClosedLoop
from .frame_predictor import FramePredictor, frame_loss
from .language_model import LanguageModel, bits, perplexity
from .narx import AR, NARX, ClosedLoop
from .seq2seq import Seq2Seq
from .tagger import SequenceTagger

__all__ = ["AR", "ClosedLoop", "Forecaster", "ForecasterClosedLoop", "FramePredictor", "LanguageModel", "NARX",
           "SequenceTagger", "bits", "frame_loss", "perplexity", "CTCModel", "SequenceClassifier", "SequenceRegressor",
           "ConditionalLanguageModel", "DecodeStep", "ScheduledSampling", "Seq2Seq", "SourceEncoder"]
