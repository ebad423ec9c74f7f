"""Models, one file per family; importing this package registers them all."""
from .classifier import SequenceClassifier, SequenceRegressor
from .conditional import ConditionalLanguageModel
from .forecaster import Forecaster, ForecasterClosedLoop
from .language_model import LanguageModel, bits, perplexity
from .narx import AR, NARX, ClosedLoop
from .seq2seq import DecodeStep, ScheduledSampling, Seq2Seq, SourceEncoder

__all__ = ["AR", "ClosedLoop", "ConditionalLanguageModel", "DecodeStep", "Forecaster", "ForecasterClosedLoop",
           "LanguageModel", "NARX", "ScheduledSampling", "Seq2Seq", "SequenceClassifier", "SequenceRegressor",
           "SourceEncoder", "bits", "perplexity"]
