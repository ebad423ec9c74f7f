"""Using trained models."""
from .sampling import filter_logits, sample
from .simulate import predict

__all__ = ["filter_logits", "predict", "sample"]
