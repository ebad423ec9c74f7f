"""Using trained models."""
from .bands import Band, predict_horizons_quantiles, predict_quantiles, predict_recordings_quantiles
from .ctc import best_path, prefix_beam_search
from .sampling import filter_logits, sample
from .simulate import closed_loop, predict, predict_horizons, predict_recordings

__all__ = ["Band", "closed_loop", "filter_logits", "predict", "predict_horizons", "predict_horizons_quantiles",
           "predict_quantiles", "predict_recordings", "predict_recordings_quantiles", "sample", "best_path",
           "prefix_beam_search"]
