"""Models, one file per family; importing this package registers them all."""
from .language_model import LanguageModel, bits, perplexity
from .narx import AR, NARX, ClosedLoop

__all__ = ["AR", "ClosedLoop", "LanguageModel", "NARX", "bits", "perplexity"]
