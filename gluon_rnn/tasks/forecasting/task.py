"""The forecasting task: one-step, n-step and free-running prediction of time series, and system identification."""
from typing import Optional

from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError
from gluon_rnn.data import SeriesSet
from gluon_rnn.data.batching import Batches
from gluon_rnn.data.scaling import KINDS, SeriesScaler
from gluon_rnn.data.windows import Windows
from gluon_rnn.inference import forecasts
from gluon_rnn.inference.forecast_ensemble import predictor_of
from gluon_rnn.metrics.baselines.series import ARX
from gluon_rnn.registry import datasets, suggest, tasks
from gluon_rnn.tasks.forecasting import report as forecast_report
from gluon_rnn.tasks.forecasting.batches import collate
from gluon_rnn.tasks.forecasting.loss import FEEDBACK, SeriesLoss
from gluon_rnn.tasks.forecasting.predictor import ForecastingPredictor, SeriesAssets
from gluon_rnn.tasks.task import Task
from gluon_rnn.training.evaluation import mean_loss

__all__ = ["ForecastingTask"]

STARTS = ("random", "least_squares")


class SeriesData(configuration.Data):
    """How recordings are cut into windows."""

    bptt: int = Field(50, ge=1)                          # scored rows of a window; what backpropagation is truncated to
    stride: Optional[int] = Field(None, ge=1)            # rows from window to window; default bptt


@tasks.register("forecasting")
class ForecastingTask(Task):
    """Prediction of target columns from their past and from exogenous inputs.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    feedback : {"open_loop", "scheduled", "closed_loop"}, default "open_loop"
        What training feeds back: measured values, more and more of the model's own (all of them from the middle of the
        epochs on), or nothing but the model's own behind the washout: the simulation error.
    washout : int, optional
        Rows before the first prediction, in training windows and in evaluation; default the model's memory.
    steps_ahead : list of int, default []
        Further horizons that are scored besides open loop and free run, each exactly that many steps ahead.
    scaler : {"standard", "minmax", "none"}, default "standard"
        Fitted on the training recordings.
    select : str, optional
        The validation score that selects the checkpoint. By default what training is about: "open_loop_rmse" where it
        reads measured values (`feedback` open_loop), else "free_run_rmse"; for a model of several horizons
        "horizon_mse".
    start : {"random", "least_squares"}, default "random"
        Where training begins; "least_squares" puts the linear ARX fit on the linear path of a NARX, which a free run
        then follows from the first step on.
    """

    default_model = "narx"
    other_models = ("ar", "forecaster")
    predictor_class = ForecastingPredictor
    data_section = SeriesData
    default_data = "time_series"
    unit = "sample"
    valid_keys = "valid, valid_fraction or split"

    def __init__(self, config, *, feedback: str = "open_loop", washout: Optional[int] = None,
                 steps_ahead: list[int] = (), scaler: str = "standard", select: Optional[str] = None,
                 start: str = "random"):
        super().__init__(config)
        self.data = self.read_data()
        self.assets = SeriesAssets(self._fitted(scaler), 0, self.data.season, getattr(self.data, "formats", {}))
        self.model = self.build_model()
        self.assets.washout = self._checked(washout)
        self._check_horizon(feedback, steps_ahead)
        self.ways = (1, *steps_ahead, None) if self.model.horizon == 1 else ()
        self._feedback, self._start = feedback, start
        self.selection = (self._checked_score(select), "min")
        self._length = config.data.bptt
        self._windows = self._cut("train", self._length)
        self.baselines = self._baselines()
        self.graph = self._loss(feedback, self._length)
        self._evaluations = {}

    def _fitted(self, kind):
        return SeriesScaler.fit(self.data.recordings("train"), self.data.input_names, self.data.target_names, kind)

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        if not issubclass(datasets.get(config.data.name), SeriesSet):
            known = [name for name in datasets.names() if issubclass(datasets.get(name), SeriesSet)]
            raise ConfigError(f"data.name: forecasting needs recordings of series, and {config.data.name!r} has none; "
                              f"known: {', '.join(known)}")
        options = config.task.arguments
        for key, choices in (("feedback", FEEDBACK), ("scaler", KINDS), ("start", STARTS)):
            if key in options and options[key] not in choices:
                raise ConfigError(f"task.{key}: must be one of {', '.join(choices)}, got {options[key]!r}; "
                                  + suggest(options[key], choices))
        if any(step < 2 for step in options.get("steps_ahead", ())):
            raise ConfigError("task.steps_ahead: each must be at least 2 (1 is the open loop, which is always scored), "
                              f"got {options['steps_ahead']!r}")

    @classmethod
    def example_sizes(cls, config):
        """Return the numbers of columns that the recipe names, 1 where it leaves them to the data."""
        sizes = {size: _count(config.data.arguments.get(key))
                 for size, key in (("input_size", "inputs"), ("output_size", "targets"))}
        return {"output_size": sizes["output_size"]} if config.model.name == "ar" else sizes

    def _checked(self, washout):
        if washout is None:
            return self.model.memory
        if washout < self.model.memory:
            raise ConfigError(f"task.washout: must cover the model's memory of {self.model.memory} steps, got "
                              f"{washout}")
        return washout

    def _check_horizon(self, feedback, steps_ahead):
        """Refuse what a model of several horizons cannot do, and steps ahead that no recording has room for."""
        if self.model.horizon > 1 and feedback != "open_loop":
            raise ConfigError(f"task.feedback: {feedback} feeds back one step at a time, and model.horizon is "
                              f"{self.model.horizon}; choose open_loop, or model.horizon 1")
        if self.model.horizon > 1 and steps_ahead:
            raise ConfigError(f"task.steps_ahead: a model with horizon {self.model.horizon} is scored on all steps of "
                              "it; leave steps_ahead out, or choose model.horizon 1")
        where, most = ("model.horizon", self.model.horizon) if self.model.horizon > 1 else (
            "task.steps_ahead", max(steps_ahead, default=1))
        splits = ("valid", self.final_split)
        for recording in (recording for split in splits for recording in self._begun(split)):
            rows = len(recording) - recording.start
            if rows < most:
                raise ConfigError(f"{where}: recording {recording.name} has {rows} rows to predict, and {most} steps "
                                  "ahead were asked for; ask for fewer, or give it more rows")

    def _checked_score(self, name):
        """Return the score that selects a checkpoint."""
        known = [f"{forecasts.kind_of(way)}_{metric}" for way in self.ways for metric in forecasts.METRICS]
        known = ["loss", *(known or ("horizon_mse", "horizon_mae"))]
        if name is not None and name not in known:
            raise ConfigError(f"task.select: no score {name!r}; {suggest(name, known)}")
        one_step = self._feedback == "open_loop" and getattr(self.model, "feedback", True)
        return name or (("open_loop_rmse" if one_step else "free_run_rmse") if self.ways else "horizon_mse")

    def _baselines(self):
        try:
            return forecast_report.baselines_of(self)
        except ValueError as error:
            raise ConfigError(f"task.washout: {error}") from error

    def _cut(self, split, length):
        """Return the windows of a split with `length` scored rows each."""
        scaler = self.assets.scaler
        recordings = [scaler.transform(recording) for recording in self.data.recordings(split)]
        stride = self.config.data.stride if split == "train" else None
        try:
            return Windows(recordings, length + self.model.horizon - 1, self.assets.washout, stride or length)
        except ValueError as error:
            raise ConfigError(f"data.bptt: {split} split: {error}") from error

    def initialize(self, devices):
        """Give the parameters their first values on all `devices`."""
        super().initialize(devices)
        if self._start == "least_squares":
            if not hasattr(self.model, "start_linear"):
                raise ConfigError("task.start: least_squares needs a model with a linear path (ar, or narx with skip: "
                                  f"true), got {self.config.model.name}")
            scaler = self.assets.scaler
            fit = ARX.like(self.model).fit([scaler.transform(part) for part in self.data.recordings("train")])
            try:
                self.model.start_linear(fit.x_weight, fit.y_weight, fit.bias)
            except ValueError as error:
                raise ConfigError(f"task.start: {error}") from error

    def _loss(self, feedback, length):
        graph = SeriesLoss(self.model, self.assets.washout, length, feedback)
        graph.hybridize(static_alloc=True)
        return graph

    # ---- training ------------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the shuffled windows of `epoch`; with a coin for each value where feedback is scheduled."""
        section, seed, share = self.config.data, self.config.seed, None
        if self._feedback == "scheduled":
            share = min(1.0, (epoch + 1) / max(1, self.config.training.epochs // 2))
        windows = self._windows.batches(section.batch_size, seed, epoch)
        return Batches(windows, collate(self._length, self.assets.washout, share), [seed, epoch, 1])

    def evaluate(self, split, limit=None):
        """Return the open-loop loss in scaled units, then the scores of each way to predict."""
        return {"loss": self._mean_loss(split, limit), **self.scores(self.predictor(), self._begun(split))}

    def _mean_loss(self, split, limit):
        """Return the mean loss over windows as long as in training, or as the shortest recording allows.

        It is that of the open loop, which stays finite where a free run diverges; a simulation model has none.
        """
        if split not in self._evaluations:
            rows = min(len(recording) - recording.start for recording in self._begun(split))
            length = min(self._length, rows - self.model.horizon + 1)
            graph = self._loss("open_loop" if getattr(self.model, "feedback", True) else "closed_loop", length)
            self._evaluations[split] = graph, self._cut(split, length), length
        graph, windows, length = self._evaluations[split]
        batches = Batches(windows.batches(self.config.data.eval_batch_size), collate(length, self.assets.washout))
        return mean_loss(graph, batches, self.device, limit=limit)

    def _begun(self, split):
        """Return the recordings of a split, the washout taken off what is predicted."""
        try:
            return [forecasts.beginning(recording, self.assets.washout) for recording in self.data.recordings(split)]
        except ValueError as error:
            raise ConfigError(f"task.washout: {split} split, washout {self.assets.washout}: {error}; choose smaller "
                              "lags or a shorter washout") from error

    def predictor(self):
        """Return the model as a predictor of recordings; see `gluon_rnn.inference.forecasts`."""
        return predictor_of([self.model], self.assets.scaler, self.assets.washout)

    def scores(self, predictor, recordings, metrics=forecasts.METRICS):
        """Return the scores of any predictor on recordings."""
        if self.ways:
            return forecasts.compare(predictor, recordings, self.ways, metrics)
        return forecasts.horizon_scores(predictor, recordings, self.model.horizon, self.assets.scaler)

    # ---- what a run leaves behind --------------------------------------------------------------------------------

    def report(self, path, limit=None):
        """Score model and baselines on the final split, and write forecasts and pictures into the run's folder."""
        return forecast_report.report(self, path, self.final_split, limit)

    def evaluate_ensemble(self, split, models):
        """Return the scores of the median of what `models` predict, as ``free_run_rmse_of_3``."""
        predictor = predictor_of(models, self.assets.scaler, self.assets.washout)
        found = self.scores(predictor, self._begun(split), forecast_report.ALL_METRICS)
        return {f"{name}_of_{len(models)}": value for name, value in found.items()}

    def recordings(self, split):
        """Return the recordings of a split as they are scored."""
        return self._begun(split)

    def describe(self):
        """Return what the data are, in words and numbers."""
        return repr(self.data)


def _count(names):
    """Return how many columns there are; 1 where nobody has said it yet."""
    return len(names) if isinstance(names, (list, tuple)) and names else 1
