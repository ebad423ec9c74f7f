"""Ensembles of forecasting models: the prediction is the median of the predictions of all members.

A free run of one member may diverge. The mean of the predictions then diverges too; the median does not, as long as
fewer than half of the members diverge, to NaN too. In a free run each member is fed with its own outputs.

References
----------
Bates and Granger (1969), The combination of forecasts.
Stock and Watson (2004), Combination forecasts of output growth in a seven-country data set: the median among others.
"""
from gluon_rnn.answers.arithmetic import median
from gluon_rnn.inference.forecasts import ModelPredictor

__all__ = ["MedianPredictor", "predictor_of"]


def predictor_of(models, scaler, washout):
    """Return a predictor of one model, or of an ensemble of several; see `gluon_rnn.inference.forecasts`.

    Parameters
    ----------
    models : list of NARX, AR or Forecaster
    scaler : SeriesScaler
        The scaler that all of them were trained with.
    washout : int

    Raises
    ------
    ValueError
        If their horizons differ.
    """
    horizons = sorted({model.horizon for model in models})
    if len(horizons) > 1:
        raise ValueError(f"an ensemble needs models of one horizon, got horizons {', '.join(map(str, horizons))}; "
                         "take runs of one recipe")
    members = [ModelPredictor(model, scaler, washout) for model in models]
    return members[0] if len(members) == 1 else MedianPredictor(members)


class MedianPredictor:
    """Predictor of an ensemble, with the methods of `ModelPredictor`; quantiles are medians of the members' quantiles.

    Parameters
    ----------
    members : list of ModelPredictor
    """

    def __init__(self, members):
        self._members = members

    def __call__(self, recording, steps_ahead):
        return self._median(lambda member: member(recording, steps_ahead))

    def horizons(self, recording, horizon):
        """Return the direct forecasts (rows, horizon, Ky) as `ModelPredictor.horizons` does."""
        return self._median(lambda member: member.horizons(recording, horizon))

    def quantiles(self, recording, steps_ahead, levels):
        """Return quantiles (T - start, Ky, L) at L levels of the predictions of a call."""
        return self._median(lambda member: member.quantiles(recording, steps_ahead, levels))

    def horizon_quantiles(self, recording, levels):
        """Return quantiles (rows, H, Ky, L) at L levels of the forecasts of `horizons`."""
        return self._median(lambda member: member.horizon_quantiles(recording, levels))

    def _median(self, predict):
        return median([predict(member) for member in self._members])
