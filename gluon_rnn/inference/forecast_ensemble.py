"""Several forecasting models as one: of each number the median of what they predict.

Models that differ in their seed alone differ most where the data say least, and a free run that leaves the data behind
may go anywhere, or grow without bounds. The mean of predictions follows one that does so; the median does not, as long
as fewer than half of them do. Each model of an ensemble runs on its own outputs.

References
----------
Bates and Granger (1969), The combination of forecasts.
Stock and Watson (2004), Combination forecasts of output growth in a seven-country data set: the median among others.
"""
import numpy as np

from gluon_rnn.inference.forecasts import ModelPredictor

__all__ = ["MedianPredictor", "predictor_of"]


def predictor_of(models, scaler, washout):
    """Return one model, or the median of several of them, as a predictor; see `gluon_rnn.inference.forecasts`.

    Parameters
    ----------
    models : list of NARX, AR or Forecaster
    scaler : SeriesScaler
        With which all of them were trained.
    washout : int

    Raises
    ------
    ValueError
        If they do not predict the same number of steps at once.
    """
    horizons = sorted({model.horizon for model in models})
    if len(horizons) > 1:
        raise ValueError(f"an ensemble needs models of one horizon, got horizons {', '.join(map(str, horizons))}; "
                         "take runs of one recipe")
    members = [ModelPredictor(model, scaler, washout) for model in models]
    return members[0] if len(members) == 1 else MedianPredictor(members)


class MedianPredictor:
    """What `ModelPredictor` is for one model; a quantile is the median of the members' quantiles of that level.

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
        """Return quantiles (T - start, Ky, L) of what a call predicts; L levels."""
        return self._median(lambda member: member.quantiles(recording, steps_ahead, levels))

    def horizon_quantiles(self, recording, levels):
        """Return quantiles (rows, H, Ky, L) of what `horizons` forecasts; L levels."""
        return self._median(lambda member: member.horizon_quantiles(recording, levels))

    def _median(self, predict):
        return np.median([predict(member) for member in self._members], axis=0)
