"""Using trained models."""
from gluon_rnn.inference.bands import Band, predict_horizons_quantiles, predict_quantiles, predict_recordings_quantiles
from gluon_rnn.inference.ctc import best_path, prefix_beam_search
from gluon_rnn.inference.sampling import filter_logits, sample
from gluon_rnn.inference.simulate import closed_loop, predict, predict_horizons, predict_recordings

__all__ = ["Band", "closed_loop", "filter_logits", "predict", "predict_horizons", "predict_horizons_quantiles",
           "predict_quantiles", "predict_recordings", "predict_recordings_quantiles", "sample", "best_path",
           "prefix_beam_search"]
