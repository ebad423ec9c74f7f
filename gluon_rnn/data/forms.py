"""What users have in memory, checked and put into the form that a reader of files gives: texts, labels, sequences.

Each function takes the data and what messages call them; each mistake is a ValueError of one sentence.
"""
import numpy as np

__all__ = ["labelled_sequences", "labelled_texts", "labels_of_parts", "running_text", "sentence_pairs",
           "sequences_with_values", "tagged_sentences"]


def labels_of_parts(parts):
    """Return {key: what messages call the data of that key} for the keys of a recipe that name files."""
    return {key: "the data given" if key == "path" else f"the {key} data given" for key in parts}


def running_text(data, where):
    """Return a text, or a list of texts one after the other, each ended by a line end; ``\\r\\n`` becomes ``\\n``."""
    if not isinstance(data, str):
        texts = _listed(data, where, "a text or a list of texts")
        data = "".join(_text(text, f"{where}: text {number}").rstrip("\r\n") + "\n"
                       for number, text in enumerate(texts))
    if not data:
        raise ValueError(f"{where}: the text is empty; pass one with something in it")
    return data.replace("\r\n", "\n").replace("\r", "\n")


def labelled_texts(data, where):
    """Return (texts, labels), two lists of str of one length, from a pair of sequences; blank texts are refused."""
    texts, labels = _two(data, where, "texts", "labels")
    texts = [_filled(text, f"{where}: text {number}") for number, text in enumerate(texts)]
    return texts, _labels(labels, where)


def labelled_sequences(data, where):
    """Return (sequences, labels), lists of (T_i, C) float64 arrays and of str, from a pair of sequences."""
    sequences, labels = _two(data, where, "sequences", "labels")
    return _sequences(sequences, where), _labels(labels, where)


def sequences_with_values(data, where):
    """Return a list of (T_i, C) float64 arrays and their targets (n, K) float64, from a pair of sequences."""
    sequences, values = _two(data, where, "sequences", "values")
    values = _numbers(values, f"{where}: the values")
    if values.ndim > 2:
        raise ValueError(f"{where}: the values must be (n,) or (n, K), one or more numbers a sequence, got the shape "
                         f"{values.shape}")
    return _sequences(sequences, where), values.reshape(len(values), -1)


def sentence_pairs(data, where):
    """Return a list of (source, target), blanks at their ends left out, from (sources, targets) or a list of pairs."""
    if isinstance(data, tuple):
        data = list(zip(*_two(data, where, "source sentences", "target sentences")))
    pairs = _listed(data, where, "(source sentences, target sentences), or a list of pairs (source, target)")
    for number, pair in enumerate(pairs):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not all(isinstance(side, str) for side in pair):
            raise ValueError(f"{where}: pair {number} must be two texts (source, target), got {_shown(pair)}")
    return [(source.strip(), target.strip()) for source, target in pairs]


def tagged_sentences(data, where):
    """Return a list of (words, tags), tuples of str of one length, from (lists of words, lists of tags).

    Sentences without words are refused, and so are words that are empty or have white space.
    """
    found = []
    for number, (words, tags) in enumerate(zip(*_two(data, where, "lists of words", "lists of tags"))):
        here = f"{where}: sentence {number}"
        words, tags = (_listed(part, here, "a list of texts") for part in (words, tags))
        if len(words) != len(tags) or not words:
            raise ValueError(f"{here} has {len(words)} words and {len(tags)} tags; every word needs a tag, and every "
                             "sentence a word")
        for text in (*words, *tags):
            if not isinstance(text, str) or not text or text.split() != [text]:
                raise ValueError(f"{here}: words and tags are texts without white space, got {text!r}; mend it")
        found.append((tuple(map(str, words)), tuple(map(str, tags))))
    return found


# ---- parts of them -------------------------------------------------------------------------------------------------


def _two(data, where, first, second):
    """Return the two parts of a pair as lists of one length."""
    if not isinstance(data, tuple) or len(data) != 2:
        raise ValueError(f"{where}: expected a pair ({first}, {second}), got {_shown(data)}")
    parts = [_listed(part, f"{where}: the {name}", "a list") for part, name in zip(data, (first, second))]
    if len(parts[0]) != len(parts[1]):
        raise ValueError(f"{where}: {len(parts[0])} {first} and {len(parts[1])} {second}; pass one for each")
    if not parts[0]:
        raise ValueError(f"{where}: there are no {first}; pass at least one")
    return parts


def _listed(data, where, expected):
    """Return a list, tuple, array or pandas series as a list; a single text is none."""
    if isinstance(data, (str, bytes, dict)) or not hasattr(data, "__len__") or not hasattr(data, "__iter__"):
        raise ValueError(f"{where}: expected {expected}, got {_shown(data)}")
    return list(data)


def _text(value, where):
    if not isinstance(value, str):
        raise ValueError(f"{where} must be a text, got {_shown(value)}")
    return str(value)


def _filled(value, where):
    text = _text(value, where).strip()
    if not text:
        raise ValueError(f"{where} is blank; fill it in, or leave it and its label out")
    return text


def _labels(labels, where):
    """Return labels as texts: those of a file are texts too."""
    for number, label in enumerate(labels):
        if not isinstance(label, (str, bool, int, np.bool_, np.integer)) or not str(label).strip():
            raise ValueError(f"{where}: label {number} must be a text or a whole number, got {_shown(label)}")
    return [str(label).strip() for label in labels]


def _sequences(sequences, where):
    """Return (T_i, C) float64 arrays of finite numbers with one C; (T_i,) is taken as C = 1."""
    found = []
    for number, sequence in enumerate(sequences):
        here = f"{where}: sequence {number}"
        array = _numbers(sequence, here)
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or not array.size:
            raise ValueError(f"{here} must have the shape (T,) or (T, C) with at least one step, got "
                             f"{np.shape(sequence)}")
        if array.shape[1] != (found or [array])[0].shape[1]:
            raise ValueError(f"{here} has {array.shape[1]} features and sequence 0 has {found[0].shape[1]}; all steps "
                             "need the same")
        found.append(array)
    return found


def _numbers(values, where):
    try:
        array = np.array(values, dtype=np.float64)                        # a copy: the user may change theirs later
    except (TypeError, ValueError):
        raise ValueError(f"{where}: expected numbers, got {_shown(values)}") from None
    if not np.isfinite(array).all():
        place = tuple(int(index[0]) for index in np.nonzero(~np.isfinite(array)))
        raise ValueError(f"{where}: a number is missing or infinite, at {list(place)}; fill it in, or leave it out")
    return array


def _shown(value, limit=60):
    text = " ".join(repr(value).split())
    return f"{type(value).__name__} {text if len(text) <= limit else text[:limit] + '...'}"
