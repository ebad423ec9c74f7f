"""Using trained models."""
from .bands import predict_quantiles, predict_recordings_quantiles
from .sampling import filter_logits, sample
from .simulate import closed_loop, predict, predict_horizons, predict_recordings

__all__ = ["closed_loop", "filter_logits", "predict", "predict_horizons", "predict_quantiles", "predict_recordings",
           "predict_recordings_quantiles", "sample"]
