"""Analysis of trained models: residuals, plots of predictions."""
from gluon_rnn.diagnostics.plots import forecast_figure, residual_figure
from gluon_rnn.diagnostics.residuals import (
           ResidualCorrelations,
           autocorrelation,
           correlate_residuals,
           cross_correlation,
)

__all__ = ["ResidualCorrelations", "autocorrelation", "correlate_residuals", "cross_correlation", "forecast_figure",
           "residual_figure"]
