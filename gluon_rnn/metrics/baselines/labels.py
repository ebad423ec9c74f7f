"""What a recogniser of label strings has to beat: answers that know frequencies and durations, and no sounds."""
import numpy as np

from gluon_rnn.metrics.label_errors import string_scores

__all__ = ["baselines"]


def baselines(data, split):
    """Return {method: scores} on a split of a `gluon_rnn.data.label_strings.LabelStrings`.

    "most frequent label" of the training split, as often as is best there on the same strings; "the same, by
    duration", as often as a straight line through lengths and numbers of labels says; "frequencies", the loss in nats
    of a string whose length and labels are drawn by their frequencies in the training split, each counted once more.
    """
    train, targets = data.targets("train"), [tuple(labels.tolist()) for labels in data.targets(split)]
    counts = np.bincount(np.concatenate(train), minlength=len(data.labels))
    label, lengths = int(counts.argmax()), np.array([len(labels) for labels in train])
    references = [tuple(labels.tolist()) for labels in train]
    rates = [string_scores(references, [(label,) * times] * len(train))["label_error_rate"]
             for times in range(lengths.max() + 1)]
    by_duration = [(label,) * times for times in _numbers_of_labels(data, split, lengths)]
    return {"most frequent label": string_scores(targets, [(label,) * int(np.argmin(rates))] * len(targets)),
            "the same, by duration": string_scores(targets, by_duration),
            "frequencies": {"loss": _frequencies(targets, lengths, counts)}}


def _numbers_of_labels(data, split, lengths):
    """Return how many labels each sequence of a split has by its duration, by least squares on "train"."""
    slope, offset = np.polyfit([len(frames) for frames in data.inputs("train")], lengths, 1)
    return [max(0, round(slope * len(frames) + offset)) for frames in data.inputs(split)]


def _frequencies(targets, lengths, counts):
    """Return the mean of -log p(length) - sum log p(label) over `targets`."""
    of_length = np.bincount(lengths, minlength=max(map(len, targets)) + 1) + 1.0
    of_label = counts + 1.0
    of_length, of_label = -np.log(of_length / of_length.sum()), -np.log(of_label / of_label.sum())
    return float(np.mean([of_length[len(labels)] + of_label[list(labels)].sum() for labels in targets]))
