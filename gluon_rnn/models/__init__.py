"""Models, one file per family; importing this package registers them all."""
from .classifier import SequenceClassifier, SequenceRegressor
from .ctc import CTCModel
from .forecaster import Forecaster, ForecasterClosedLoop
from .language_model import LanguageModel, bits, perplexity
from .narx import AR, NARX, ClosedLoop

__all__ = ["AR", "CTCModel", "ClosedLoop", "Forecaster", "ForecasterClosedLoop", "LanguageModel", "NARX",
           "SequenceClassifier", "SequenceRegressor", "bits", "perplexity"]
