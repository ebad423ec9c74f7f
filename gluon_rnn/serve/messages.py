"""What pydantic finds wrong with a request, as one sentence: where, what was expected, what came."""
from gluon_rnn.registry import suggest
from gluon_rnn.serve.values import shown

__all__ = ["BODY", "sentence"]

BODY = 'a JSON object with "items", a list, or "item"'
_OF_REQUEST = ["item", "items"]
#: how pydantic's messages begin, and what they then say here
_EXPECTED = {"Input should be ": "", "List should have ": "a list of ", "String should have ": "a text of "}


def sentence(errors, known=()):
    """Return the first of pydantic's `errors` in words.

    Parameters
    ----------
    errors : list of dict
        Of ``ValidationError.errors()``.
    known : sequence of str
        Keys of an item that has parts.
    """
    error = errors[0]
    place, came = _place(error["loc"]), shown(error.get("input"))
    kind, message = error["type"], error["msg"]
    if kind == "json_invalid":
        return f"expected {BODY}, got text that is no JSON ({error.get('ctx', {}).get('error', message)})"
    if not place:
        return f"expected {BODY}, got {came}; the content type must be application/json"
    if kind == "value_error":
        return f"{place}: {message[len('Value error, '):]}"
    if kind == "missing":
        return f"{place} is missing; it must be given"
    if kind == "extra_forbidden":
        taken = known if "." in place else _OF_REQUEST
        return f"{place} is no key that this model takes; {suggest(error['loc'][-1], taken)}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"{place}: expected a JSON object with {', '.join(known)}, got {came}"
    for begin, expected in _EXPECTED.items():
        if message.startswith(begin):
            message = f"expected {expected}{message[len(begin):]}".replace(" after validation", "")
    return f"{place}: {message}, got {came}"


def _place(location):
    """Return ``items[3].length`` of pydantic's ("body", "items", 3, "length")."""
    place = ""
    for part in location[1:] if location[:1] == ("body",) else location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    return place
