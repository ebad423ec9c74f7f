"""Analysis of trained models: residuals, pictures; gradients through time; what states, units and inputs say."""
from gluon_rnn.diagnostics.coloured_text import ColouredText, coloured_figure, coloured_page
from gluon_rnn.diagnostics.embeddings import Embeddings, embeddings
from gluon_rnn.diagnostics.gates import GateSaturation, gate_saturation
from gluon_rnn.diagnostics.gradient_flow import GradientThroughTime, gradient_through_time
from gluon_rnn.diagnostics.hidden_states import MeanStates, mean_states
from gluon_rnn.diagnostics.instrument_plots import gate_figure, gradient_figure, jacobian_figure, truncation_figure
from gluon_rnn.diagnostics.plots import forecast_figure, residual_figure
from gluon_rnn.diagnostics.projection import NothingToShowError, principal_components
from gluon_rnn.diagnostics.residuals import (
           ResidualCorrelations,
           autocorrelation,
           correlate_residuals,
           cross_correlation,
)
from gluon_rnn.diagnostics.saliency import InputSaliency, input_saliency
from gluon_rnn.diagnostics.saliency_plots import channel_figure, lag_figure
from gluon_rnn.diagnostics.state_jacobian import StateJacobian, state_jacobian
from gluon_rnn.diagnostics.state_plots import dendrogram_figure, embedding_figure, state_figure
from gluon_rnn.diagnostics.truncation import Truncation, truncation
from gluon_rnn.diagnostics.unit_activations import Unit, UnitActivations, text_signals
from gluon_rnn.diagnostics.unrolled import NotRecurrentError
from gluon_rnn.diagnostics.watched import outputs_of, states_of

__all__ = ["ResidualCorrelations", "autocorrelation", "correlate_residuals", "cross_correlation", "forecast_figure",
           "residual_figure", "GradientThroughTime", "gradient_through_time", "StateJacobian", "state_jacobian",
           "GateSaturation", "gate_saturation", "Truncation", "truncation", "NotRecurrentError", "gradient_figure",
           "jacobian_figure", "gate_figure", "truncation_figure", "MeanStates", "mean_states", "Embeddings",
           "embeddings", "Unit", "UnitActivations", "text_signals", "InputSaliency", "input_saliency", "outputs_of",
           "states_of", "principal_components", "NothingToShowError", "state_figure", "dendrogram_figure",
           "embedding_figure", "ColouredText", "coloured_figure", "coloured_page", "channel_figure", "lag_figure"]
