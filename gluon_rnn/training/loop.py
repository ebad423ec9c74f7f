"""The training loop: epochs of updates, each with an evaluation and a checkpoint; what is learnt is the task's affair.

Two runs of one recipe are equal bit for bit on a CPU, and so is a run that was killed at any moment and resumed: it
goes back to the last checkpoint, and MXNet's random numbers, whose state cannot be saved, are seeded anew from (seed,
epoch, step) at each point where a run can begin. A run that was *asked* to stop (SIGINT, SIGTERM, SIGHUP) saves in the
middle of an epoch, with its carried states, and a resume goes on with the very next chunk. Its random numbers begin
anew there: dropout draws other masks than in an uninterrupted run, and without dropout both are equal bit for bit.
"""
import contextlib
import dataclasses
import itertools
import logging
import math
import time
from pathlib import Path

import mxnet as mx

from gluon_rnn import config as configuration
from gluon_rnn import runtime
from gluon_rnn.distributed.alone import checked_cluster
from gluon_rnn.files import naming, write_text
from gluon_rnn.nn import backend
from gluon_rnn.optim import optimizers, schedules
from gluon_rnn.optim.averaging import WeightAverage
from gluon_rnn.report import record
from gluon_rnn.training import carried, checkpoints, folder, outcome, restoring, tensorboard
from gluon_rnn.training.algorithms.settings import algorithm_of
from gluon_rnn.training.history import History
from gluon_rnn.training.outcome import TrainingError
from gluon_rnn.training.parameter_groups import ParameterGroups
from gluon_rnn.training.position import Position, Totals, seed_from
from gluon_rnn.training.progress import Progress, closing_lines, epoch_line
from gluon_rnn.training.signals import StopSignals
from gluon_rnn.training.start import checked_source, take_over
from gluon_rnn.training.step import DivergedError
from gluon_rnn.training.stopping import has_reason_to_stop
from gluon_rnn.training.word_embedding import WordEmbedding

__all__ = ["Interrupted", "Loop", "TrainingError", "train"]

_log = logging.getLogger("gluon_rnn")


class Interrupted(Exception):
    """A signal ended the run, after an evaluation and a checkpoint; `exit_status` is 129, 130 or 143."""

    def __init__(self, path, exit_status):
        super().__init__(f"stopped by a signal; --resume {path} goes on")
        self.path, self.exit_status = path, exit_status


def train(task, name, *, resume=None, steps=None, start=None, cluster=None):
    """Train a task as its recipe says, from the start or from the `last` checkpoint of a run.

    Parameters
    ----------
    task : gluon_rnn.tasks.task.Task
        As `gluon_rnn.recipes.build_task` makes it; not initialised.
    name : str
        First part of the name of a new run's folder.
    resume : Path, optional
        Folder of the run to go on with.
    steps : int, optional
        Only so many steps and evaluation batches in one single epoch: a dry run.
    start : gluon_rnn.training.start.Source, optional
        The model that ``training.start_from`` names, as `gluon_rnn.runs.starting_point` reads it; a run that is
        resumed needs none.
    cluster : gluon_rnn.distributed.cluster.Cluster, optional
        The workers that share this training; worker 0 writes the run and evaluates.

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    ConfigError
        If nothing of `start` fits, a pattern in the recipe matches no parameter, or the vectors of `embedding` do not
        fit.
    TrainingError
        If loss or gradient stop being finite, or the losses of all epochs are huge beside the first step's.
    Interrupted
        If SIGINT, SIGTERM or SIGHUP came; everything is saved.
    """
    start = None if resume else checked_source(start, task.config.training.start_from)
    loop = Loop(task, steps, start, resumes=resume is not None, cluster=cluster)
    if resume is None:
        path = Path(loop.cluster.from_leader(lambda: str(folder.create(task.config.output_dir, name))))
        with naming(path), folder.emptied(path):
            loop.start(path)
    else:
        loop.resume(resume)
    try:
        with naming(loop.path), backend.cpu_graphs(all(device.device_type == "cpu" for device in loop.devices)):
            _run_to_its_end(loop)
    finally:
        if loop.settings.report and loop.cluster.leads:
            folder.write_page(loop.path)
    loop.cluster.close()
    return loop.path


def _run_to_its_end(loop):
    with StopSignals() as signals, contextlib.closing(loop):
        loop.run(signals)
    if loop.cluster.stops(signals):
        loop.cluster.close()
        raise Interrupted(loop.path, signals.exit_status or 143)         # another worker may have had the signal
    loop.finish()


class Loop:
    """One run: the parts of a recipe, put together, and where it stands.

    Parameters
    ----------
    task : gluon_rnn.tasks.task.Task
    limit : int, optional
        See `steps` of `train`.
    start, cluster : Source and Cluster, optional
        See there.
    resumes : bool
        Whether parameters come from a checkpoint, so that no vectors are read.
    """

    def __init__(self, task, limit=None, start=None, *, resumes=False, cluster=None):
        self.cluster = checked_cluster(cluster, task.config.training)
        self.task, self.config, self.settings, self.limit = task, task.config, task.config.training, limit
        task.cluster = self.cluster
        if self.settings.tensorboard:
            tensorboard.check_installed()
        self.devices = runtime.devices(self.config.device)
        runtime.seed_all(self.config.seed)
        self.task.initialize(self.devices)
        self.task.graph.hybridize(static_alloc=True)   # same bits, less work for the host at each step
        self.parameters = self.task.model._collect_params_with_prefix()   # names by structure
        embedding = WordEmbedding(self.config.embedding, self.parameters, task.named_axes)
        self.groups = ParameterGroups(self.parameters, embedding.frozen(self.settings))
        if start is not None:
            taken = take_over(self.parameters, task.named_axes, start, self.settings.start_names)
            _log.info("%s", taken)
        if self.config.embedding is not None and not resumes:
            _log.info("%s", embedding.load())
        self.step = algorithm_of(self.config).make_step(self.task.graph, self.devices, self.settings, self.groups,
                                                        self.cluster)
        self.average = WeightAverage(self.parameters, self.settings.average)
        self.schedule = self._build_schedule()
        self.position = Position()
        self.epochs = 1 if limit else self.settings.epochs
        self.carried = self.path = self.history = None
        self._recipe = configuration.to_yaml(self.config)

    def _build_schedule(self):
        steps = len(self.task.train_batches(0))
        try:
            return schedules.build(self.settings.schedule.name, self.step.trainer.learning_rate,
                                   steps * self.settings.epochs, steps, **self.settings.schedule.arguments)
        except ValueError as error:
            raise configuration.ConfigError(f"training.schedule: {error}") from error

    # ---- beginning -----------------------------------------------------------------------------------------------

    def start(self, path):
        """Begin a new run in the empty folder `path`."""
        self.path = Path(path)
        if self.cluster.leads:
            for name, text in self._texts().items():
                write_text(self.path / name, text)
            self.history = History(self.path, self.task)
            self._note_beginning()
        self.cluster.begin(self.step.parameters)
        _log.info("%s", self._describe())

    def resume(self, path):
        """Go back to the `last` checkpoint of the run in `path`; all is compared before anything is written."""
        checkpoint = restoring.checked(Path(path), self.config, self.task.assets)
        self._restore(checkpoint)
        self.path = Path(path)
        self.cluster.begin(self.step.parameters)                          # all have read the checkpoint
        if self.cluster.leads:
            self.history = History(self.path, self.task, self.position.step, checkpoint.own("metrics.csv"))
            self.history.keep(self.position.epoch)
            write_text(self.path / "config.yaml", self._recipe)
            if self.position.epoch < self.epochs:
                self._note_beginning()
        _log.info("%s; resumed after epoch %d, step %d", self._describe(), self.position.epoch, self.position.step)

    def _note_beginning(self):
        """Write down what the page of the run says of its beginning, and on what it runs."""
        task = self.task
        record.begin(self.path, {"data": task.describe(), "unit": task.unit, "loss_label": task.loss_label,
                                 "best_loss": task.best_loss, "selection": task.selection, "parameters": self._size(),
                                 "epochs": self.epochs}, self.devices, (self.position.epoch, self.position.step))

    def close(self):
        """Write to disk what is still on its way there."""
        if self.history is not None:
            self.history.close()

    def _restore(self, checkpoint):
        self.position = restoring.position_of(checkpoint)
        restoring.check_selection(self.position, self.task.selection)
        restoring.set_weights(checkpoint, self.task.model, self.parameters, self.average)
        restoring.set_optimizer(checkpoint, self.step.trainer)
        if checkpoint.position["schedule"] and hasattr(self.schedule, "set_state"):
            self.schedule.set_state(checkpoint.position["schedule"])
        self.carried = carried.restored(restoring.states_of(checkpoint), self.task, self.devices, self.cluster)

    def _describe(self):
        return (f"{self.task.describe()}; {self._size():,} parameters; {self.epochs} epochs of "
                f"{len(self.task.train_batches(0))} steps on {', '.join(map(str, self.devices))}{self.cluster.words}")

    def _size(self):
        return sum(math.prod(parameter.shape) for parameter in self.parameters.values())

    # ---- epochs --------------------------------------------------------------------------------------------------

    def run(self, signals):
        """Train until the last epoch, until patience is at an end, scores are good enough, or until a signal.

        Evaluations at the end of epochs decide all this. One that a signal causes in between is only shown: a resume
        knows nothing of it, and goes on as a run without the signal does.
        """
        while self.position.epoch < self.epochs and not self._has_reason_to_stop():
            totals, finished = self.run_epoch(signals)
            stopped = self.cluster.stops(signals)
            if finished and self._evaluates():
                self._end_epoch(totals)
            else:
                self._note(totals, finished)
                if stopped:
                    self._break_off(totals)
            if stopped:
                return

    def _end_epoch(self, totals):
        """Go on to the next epoch, with an evaluation, a row of metrics and a checkpoint."""
        position, (name, direction) = self.position, self.task.selection
        scores = self._scores()
        self._note(None, finished=True)
        if hasattr(self.schedule, "observe"):
            self.schedule.observe(scores[name] if direction == "min" else -scores[name])
        improved = outcome.improves(scores, self.task.selection, position.best)
        if improved:
            position.selection, position.best, position.best_epoch = name, scores[name], position.epoch
        row = self.log_row(totals, scores)
        self.save_checkpoint(("best", "last") if improved else ("last",))
        self._say(row, scores)                                            # at the end: nobody may listen

    def _break_off(self, totals):
        """Save where a signal stops the run, before its row is written, and as the best where there is no other."""
        scores = self._scores()
        self.save_checkpoint(("last",) if self.position.best_epoch else ("best", "last"))
        self._say(self.log_row(totals, scores), scores)

    def _say(self, row, scores):
        if row is not None:
            _log.info("%s", epoch_line(self.task, self.epochs, row, scores))

    def _evaluates(self):
        """Whether the epoch that has just come to its end is followed by an evaluation and a checkpoint."""
        number = self.position.epoch + 1
        return number % self.settings.eval_interval == 0 or number == self.epochs

    def run_epoch(self, signals):
        """Make the updates of one epoch, or of what is left of one; return `Totals`, and whether it came to its end.

        The totals go on from those that were not written into a row yet.
        """
        position, task = self.position, self.task
        self._freeze()
        self.cluster.begin_epoch()
        seed_from(self.config.seed, position.epoch, position.step_in_epoch, self.cluster.rank)
        batches = task.train_batches(position.epoch)
        steps = min(len(batches), self.limit or len(batches))
        states = self.carried or task.begin_states(self.config.data.batch_size // self.cluster.workers, self.devices)
        totals, begun = Totals(**position.totals), time.monotonic()
        before = totals.seconds
        label = f"epoch {position.epoch + 1}/{self.epochs}"
        with Progress(label, steps, position.step_in_epoch, self.settings.log_interval) as progress:
            for batch in itertools.islice(batches, position.step_in_epoch, steps):
                states = self._one_step(self.cluster.share(batch), states, totals, progress)
                if self.cluster.stops(signals):
                    break
        totals.seconds = before + time.monotonic() - begun
        self.carried = states
        return totals, position.step_in_epoch >= steps

    def _freeze(self):
        """Have those parameters learn that do in the epoch that begins or goes on."""
        epoch = self.position.epoch
        self.step.begin_epoch(epoch)
        self.average.frozen = self.groups.frozen(epoch)
        if self.groups.thawed(epoch):
            _log.info("epoch %d: thawed %s", epoch + 1, ", ".join(self.groups.thawed(epoch)))

    def _one_step(self, batch, states, totals, progress):
        position = self.position
        rate = self.schedule(position.step + 1)
        try:
            loss, norm, states = self.step(batch, states, rate)
        except DivergedError as error:
            raise TrainingError(f"training diverged at epoch {position.epoch + 1} step {position.step + 1}: {error}; "
                                + outcome.where_checkpoints_are(self.path)) from error
        self.average.update()
        if position.step == 0:
            position.first_loss = float(loss)
        position.step, position.step_in_epoch = position.step + 1, position.step_in_epoch + 1
        totals.loss += loss * batch.size
        totals.size += batch.size
        totals.norm += norm
        totals.clipped += bool(self.settings.clip_norm and norm > self.settings.clip_norm)
        totals.steps += 1
        progress(loss, norm, rate)
        return states

    def _note(self, totals, finished):
        """Note how far the run came: sums since the last row of metrics, None behind one, and an epoch that is over."""
        self.position.totals = vars(totals) if totals else {}
        if finished:
            self.position.epoch, self.position.step_in_epoch, self.carried = self.position.epoch + 1, 0, None

    def _has_reason_to_stop(self):
        if self.position.totals:                                          # updates that no evaluation has seen
            return False
        waited = self.position.epoch - self.position.best_epoch
        return self.cluster.from_leader(lambda: has_reason_to_stop(self.settings, waited, self.history.rows))

    def _scores(self):
        """Return the scores on the validation split, by all workers where they have one set of parameters."""
        if self.task.shares_evaluation and not self.cluster.keeps_apart:
            scores = self.evaluate("valid", cluster=self.cluster)
        else:
            scores = self.cluster.from_leader(lambda: self.evaluate("valid"))
        outcome.check_finite(scores, f"after step {self.position.step}", self.path)
        return scores

    def evaluate(self, split, **options):
        """Return the task's scores of the averaged weights on `split`, the loss first."""
        with self.average.applied():
            return self.task.evaluate(split, self.limit, **options)

    # ---- what an epoch leaves behind -----------------------------------------------------------------------------

    def log_row(self, totals, scores):
        """Write one row of metrics, and return it; None in a worker that does not lead."""
        if not self.cluster.leads:
            return None
        return self.history.note(self.position, totals, scores, learning_rate=self.step.trainer.learning_rate,
                                 param_norm=self._parameter_norm())

    def _parameter_norm(self):
        arrays = [parameter.list_data()[0] for parameter in self.parameters.values()]
        return math.sqrt(float(mx.nd.multi_sum_sq(*arrays, num_arrays=len(arrays)).sum().asscalar()))

    def save_checkpoint(self, names):
        """Save everything that a resume needs, and point `names` at it."""
        states = carried.all_of(self.carried, self.cluster)
        if not self.cluster.leads:
            return
        arrays = {f"average:{name}": array for name, array in self.average.arrays.items()}
        arrays.update({f"weight:{name}": parameter.list_data()[0].copy()   # applied() below writes into the originals
                       for name, parameter in self.parameters.items()})
        arrays.update({f"optimizer:{key}": array for key, array in optimizers.arrays(self.step.trainer).items()})
        arrays.update({f"state:{name}": state for name, state in states.items()})
        position = {"format": checkpoints.FORMAT, "position": vars(self.position), "average": self.average.state(),
                    "optimizer": optimizers.numbers(self.step.trainer),
                    "schedule": self.schedule.state() if hasattr(self.schedule, "state") else None}
        with self.average.applied():
            checkpoints.save(self.path, self.task.model.save_parameters, arrays, position,
                             {**self._texts(), "metrics.csv": self.history.text()}, names)

    def _texts(self):
        return {"config.yaml": self._recipe, **self.task.assets.texts()}

    def finish(self):
        """Let the task report on the best checkpoint, say what came out, and write ``results.json``."""
        if not self.cluster.leads:
            return
        task = self.task
        checkpoints.load(self.path, "best").load_parameters(task.model, self.devices)
        if not self.limit:                                                # two steps of a dry run learn nothing
            outcome.check_selected(task.selection[0], self.position.best, self.path)
            outcome.check_learnt(self.position.first_loss, self.history.rows, self.path)
        report = task.closing(self.path, self.limit)
        outcome.check_finite(report.scores, f"at the end, on the {report.split} split", self.path)
        for line in closing_lines(task, self.position, report):
            _log.info("%s", line)
        folder.write_results(self.path, {
            **dataclasses.asdict(report), "seed": self.config.seed, "parameters": self._size(),
            "epochs": self.position.epoch, "best_epoch": self.position.best_epoch,
            "seconds": sum(row["seconds"] for row in self.history.rows)})
