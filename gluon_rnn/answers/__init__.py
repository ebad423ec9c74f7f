"""From raw input to arrays, and from the outputs of a network to answers: one pipeline a task, in NumPy.

Nothing here needs MXNet, and no module imports anything but NumPy and the standard library; what reads recordings,
``.mat`` files or draws pictures imports its library when it does so. A pipeline knows a network by the protocol of
`gluon_rnn.answers.network.Network` only, so that a trained model and the graphs that were exported from it answer by
the same code.
"""
import importlib

from gluon_rnn.registry import suggest

__all__ = ["PIPELINES", "open_pipeline"]

#: the class of each task's pipeline: module in this package, and name
PIPELINES = {
    "classification": ("classification", "ClassificationPipeline"),
    "conditional_language_model": ("conditional_language_model", "ConditionalLanguageModelPipeline"),
    "ctc": ("ctc", "CTCPipeline"),
    "forecasting": ("forecasting", "ForecastingPipeline"),
    "frames": ("frames", "FramesPipeline"),
    "language_model": ("language_model", "LanguageModelPipeline"),
    "regression": ("regression", "RegressionPipeline"),
    "tagging": ("tagging", "TaggingPipeline"),
    "translation": ("translation", "TranslationPipeline"),
    "word_vectors": ("word_vectors", "WordVectorPipeline"),
}


def open_pipeline(task, networks, read, options=None):
    """Return the `gluon_rnn.answers.pipeline.Pipeline` of a task.

    Parameters
    ----------
    task : str
        A key of `PIPELINES`.
    networks : dict of str to Network, or to a list of them
        The graphs that the task needs, most have one, "model"; a list is an ensemble.
    read : callable
        From the name of one of the task's asset files to its text.
    options : dict, optional
        What else the task's pipeline takes; see its class.

    Raises
    ------
    ValueError
        For an unknown task, or where networks or options do not fit the task.
    """
    if task not in PIPELINES:
        raise ValueError(f"unknown task {task!r}; {suggest(task, list(PIPELINES))}")
    module, name = PIPELINES[task]
    pipeline = getattr(importlib.import_module(f"gluon_rnn.answers.{module}"), name)
    return pipeline.open(networks, read, dict(options or {}))
