"""Whether a training has a reason to stop before its last epoch."""
from gluon_rnn.config import ConfigError
from gluon_rnn.registry import suggest

__all__ = ["has_reason_to_stop"]

#: scores that are the better the lower they are have one of these words in their names, as in label_error_rate
_LOW = {"loss", "perplexity", "bits", "error", "mse", "rmse", "nmse", "nrmse", "mae", "mase"}


def has_reason_to_stop(settings, waited, rows):
    """Return whether patience is at an end, or the last evaluation has all scores that ``stop_at`` asks for.

    A loss, a perplexity or an error has to be as low as is asked for, any other score as high.

    Parameters
    ----------
    settings : gluon_rnn.config.Training
    waited : int
        Epochs since the best one.
    rows : list of dict
        Of ``metrics.csv``.

    Raises
    ------
    ConfigError
        If ``stop_at`` names a score that the task does not have.
    """
    if settings.patience is not None and waited >= settings.patience:
        return True
    if not settings.stop_at or not rows:
        return False
    known = {key[len("valid_"):]: value for key, value in rows[-1].items() if key.startswith("valid_")}
    for name in settings.stop_at:
        if name not in known:
            raise ConfigError(f"training.stop_at: there is no score {name!r}; {suggest(name, list(known))}")
    return all(_reaches(name, float(known[name]), value) for name, value in settings.stop_at.items())


def _reaches(name, score, wanted):
    return score <= wanted if _LOW & set(name.split("_")) else score >= wanted
