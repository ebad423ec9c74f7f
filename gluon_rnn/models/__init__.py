"""Models, one file per family; importing this package registers them all."""
from .language_model import LanguageModel, bits, perplexity

__all__ = ["LanguageModel", "bits", "perplexity"]
