"""Tasks, a folder each: what is learnt from data. Importing this package registers them all."""
from gluon_rnn.tasks.classification.task import ClassificationTask
from gluon_rnn.tasks.conditional_language_model.task import ConditionalLanguageModelTask
from gluon_rnn.tasks.ctc.task import CTCTask
from gluon_rnn.tasks.forecasting.task import ForecastingTask
from gluon_rnn.tasks.frames.task import FramesTask
from gluon_rnn.tasks.language_model.task import LanguageModelTask
from gluon_rnn.tasks.regression.task import RegressionTask
from gluon_rnn.tasks.tagging.task import TaggingTask
from gluon_rnn.tasks.translation.task import TranslationTask
from gluon_rnn.tasks.word_vectors.task import WordVectorTask

__all__ = ["ClassificationTask", "CTCTask", "ConditionalLanguageModelTask", "ForecastingTask", "FramesTask",
           "LanguageModelTask", "RegressionTask", "TaggingTask", "TranslationTask", "WordVectorTask"]
