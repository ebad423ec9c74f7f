"""Analysis of trained models: residuals, pictures; how far gradients reach, Jacobians, gates, truncation."""
from gluon_rnn.diagnostics.gates import GateSaturation, gate_saturation
from gluon_rnn.diagnostics.gradient_flow import GradientThroughTime, gradient_through_time
from gluon_rnn.diagnostics.instrument_plots import gate_figure, gradient_figure, jacobian_figure, truncation_figure
from gluon_rnn.diagnostics.plots import forecast_figure, residual_figure
from gluon_rnn.diagnostics.residuals import (
           ResidualCorrelations,
           autocorrelation,
           correlate_residuals,
           cross_correlation,
)
from gluon_rnn.diagnostics.state_jacobian import StateJacobian, state_jacobian
from gluon_rnn.diagnostics.truncation import Truncation, truncation
from gluon_rnn.diagnostics.unrolled import NotRecurrentError

__all__ = ["ResidualCorrelations", "autocorrelation", "correlate_residuals", "cross_correlation", "forecast_figure",
           "residual_figure", "GradientThroughTime", "gradient_through_time", "StateJacobian", "state_jacobian",
           "GateSaturation", "gate_saturation", "Truncation", "truncation", "NotRecurrentError", "gradient_figure",
           "jacobian_figure", "gate_figure", "truncation_figure"]
