"""What a trained model says to something a user types: one printable answer for each item, pictures beside it."""
import importlib.util

from gluon_rnn.registry import suggest

__all__ = ["answers", "stream_answers"]

_SHOWN = 3      # classes of a classifier that an answer names


def answers(run, items, folder):
    """Yield a text for each of `items`, as soon as it is known.

    Parameters
    ----------
    run : gluon_rnn.runs.Run
    items : iterable of str
        Lines of text, or paths of .wav or .mat files: what the model of the run takes.
    folder : Path
        Where pictures, tunes and the like are written; made when there is something to write.

    Raises
    ------
    ValueError
        If the task of the run does not answer items one by one.
    """
    name = run.config.task.name
    if name not in _ANSWERS:
        hints = {"forecasting": "use python -m scripts.forecast"}
        raise ValueError(f"a model of the task {name!r} does not answer line by line; "
                         + hints.get(name, suggest(name, list(_ANSWERS))))
    for number, item in enumerate(items, start=1):
        yield _ANSWERS[name](run, item, folder, number)


def stream_answers(run, items):
    """Yield a text for each step of each of `items`, before the next step is read.

    A step is a token of a text, a step of a recording or of a row of numbers, a frame of a piano roll.

    Raises
    ------
    ValueError
        If the model does not answer step by step: it sees whole sequences, or its task has no such answers.
    """
    name = run.config.task.name
    if name not in _STREAMS:
        raise ValueError(f"a model of the task {name!r} does not answer step by step; leave --stream out")
    for item in items:
        yield from _STREAMS[name](run, item)


def _continued(run, prefix, folder, number):
    return run.predict(prefix)


def _classified(run, item, folder, number):
    return _ranked(run.predict(item))


def _ranked(probabilities):
    found = list(probabilities.items())
    first, *others = (f"{label} {probability:.1%}" for label, probability in found[:_SHOWN])
    return f"{first} ({', '.join(others)})" if others else first


def _classified_steps(run, item):
    reader = run.assets.reader
    steps = reader.tokens(item) if hasattr(reader, "tokens") else reader(item)
    shown = steps if hasattr(reader, "tokens") else range(1, len(steps) + 1)
    return (f"{step}\t{_ranked(found)}" for step, found in zip(shown, run.stream(steps)))


def _tagged_steps(run, sentence):
    words = sentence.split()
    return (f"{word}\t{tag}" for word, tag in zip(words, run.stream(words)))


def _tagged(run, sentence, folder, number):
    return str(run.predict(sentence))


def _translated(run, sentence, folder, number):
    if run.model.attention is None:
        return run.predict(sentence).text
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"attention-{number}.png"
    return f"{run.predict(sentence, picture=picture).text}    ({picture})"


def _played(run, path, folder, number):
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"continuation-{number}.png"
    roll = run.predict(path or None, picture=picture)
    return f"{len(roll)} frames: {picture}"


def _composed(run, label, folder, number):
    if not run.assets.abc:
        return run.predict(label)[0]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"tune-{number}.abc"
    midi = path.with_suffix(".mid") if importlib.util.find_spec("music21") else None
    tune, = run.predict(label, path=path, midi=midi)
    return f"{tune}\n({path}{'' if midi is None else f', {midi}'})"


_ANSWERS = {"language_model": _continued, "classification": _classified, "tagging": _tagged, "frames": _played,
            "translation": _translated, "conditional_language_model": _composed}

_STREAMS = {"classification": _classified_steps, "tagging": _tagged_steps}
