"""Using trained models."""
from .ctc import best_path, prefix_beam_search
from .sampling import filter_logits, sample
from .simulate import predict

__all__ = ["best_path", "filter_logits", "predict", "prefix_beam_search", "sample"]
