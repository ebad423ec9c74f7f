"""What a run of a language model leaves behind besides its scores: samples of its texts."""
from gluon_rnn.tasks.language_model.predictor import stream_text

__all__ = ["write_samples"]


def write_samples(path, task, count, length):
    """Write `count` texts of `length` tokens, by the model of a task, into the file `path`; the same for a seed."""
    texts = ["".join(stream_text(task.model, task.assets, length, seed=task.config.seed + index, ctx=task.device))
             for index in range(count)]
    path.write_text("\n".join(f"--- sample {index + 1}\n{text}" for index, text in enumerate(texts)) + "\n",
                    encoding="utf-8")
