"""Bundles that were altered: each is opened in a child with a limit of time and memory, and asked.

Half of them are damaged, and their hashes are left: what is opened must answer as before. The others are a stranger's
own, with right hashes: they are refused in a sentence, or answer something, and never end the process.
"""
import hashlib
import json
import os
import resource
import shutil
import struct
import warnings

from scripts.rough import Outcome
from scripts.rough.forked import verdict_of

TITLE, COUNT = "altered bundles", 300
_SECONDS, _BYTES = 60, 12 * 2**30
_MODELS = {"elman_grammar": ("", {"length": 12, "seed": 3}), "tdnn_names": (["O'Neil", "Yamamoto"], {}),
           "gru_luong_eng_fra": (["tom is here ."], {}), "peephole_lstm_pendigits": ("47,100,27,81,57,37,26,0", {})}
_IN_ONNX = ("tdnn_names", "peephole_lstm_pendigits")
_ODD = (None, True, 0, -1, 1, 2**31, -(2**63), 10**30, 1.5, 1e300, "", "N", "x", "../../etc/passwd", "/dev/zero", [],
        {}, [0], [-1, 10**9], ["T", "N"], {"name": "x"}, "nan", "(1,)", "[0]", "-1000000", "1000000", "float64",
        "\u0000")
_OPERATORS = ("_NDArray", "Custom", "_Native", "null", "SequenceMask", "SequenceLast", "softmax", "take", "gather_nd",
              "tile", "repeat", "_foreach", "RNN", "reshape_like", "slice", "_arange", "_eye", "pick",
              "BilinearSampler")


def prepare(folder):
    """Return the bundles, {path: (what is asked, answer)}; each is exported once."""
    import gluon_rnn
    from gluon_rnn.export import export_run, load
    found = {}
    for name, question in _MODELS.items():
        for kind in ("symbol", "onnx") if name in _IN_ONNX else ("symbol",):
            path = folder / f"{name}-{kind}"
            export_run(gluon_rnn.load(name), path, format=kind)
            found[path] = question, load(path).predict(question[0], **question[1])
    return found


def attempt(shared, folder, random, number):
    """Alter a bundle in one way or two, open it in a child, and say what came."""
    source = list(shared)[int(random.integers(len(shared)))]
    path = folder / "bundle"
    shutil.copytree(source, path)
    honest = number % 2 == 0
    done = [_altered(path, random, honest) for _ in range(random.integers(1, 3))]
    if not honest:
        _hashed(path)
    question, answer = shared[source]
    verdict, note = _in_a_child(path, question, answer if honest else None)
    return Outcome(verdict, f"{source.name}, {'damaged' if honest else 'hostile'}: {'; '.join(done)}: {note}")


# ---- alterations ---------------------------------------------------------------------------------------------------


def _altered(path, random, honest):
    """Change one thing in the folder of a bundle; return what, in words."""
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    file = files[int(random.integers(len(files)))]
    kinds = [_bytes, _bytes, _strange_file]
    if file.suffix == ".json":
        kinds = [_bytes, *[_symbol if file.name.endswith("-symbol.json") else _json] * 6]
    elif file.suffix == ".params" and not honest:
        kinds = [_bytes, _header, _header, _header]
    kind = kinds[int(random.integers(len(kinds)))]
    return f"{file.relative_to(path)} {kind(file, random)}"


def _bytes(file, random):
    """Change, take away or add bytes."""
    content = bytearray(file.read_bytes())
    place, way = int(random.integers(len(content) + 1)), int(random.integers(4))
    if way == 0:
        file.write_bytes(content[:place])
        return f"cut at {place}"
    if way == 1:
        file.write_bytes(content + bytes(random.integers(0, 256, 40, dtype="uint8")))
        return "longer"
    places = [place - 1] if way == 2 else random.integers(0, max(1, len(content)), 20)
    for one in places:
        if content:
            content[int(one)] = int(random.integers(256))
    file.write_bytes(content)
    return f"{len(places)} bytes changed"


def _strange_file(file, random):
    """Put a link, a folder, a pipe or nothing in the place of a file."""
    file.unlink()
    way = int(random.integers(4))
    if way == 0:
        file.symlink_to("/etc/passwd")
    elif way == 1:
        file.mkdir()
    elif way == 2:
        os.mkfifo(file)
    return "is now " + ("a link", "a folder", "a pipe", "gone")[way]


def _json(file, random):
    """Change one value somewhere in a JSON file."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return "is no JSON any more"
    holders = [part for part in _parts(content) if part]
    if not holders:
        return "has nothing to change"
    holder = holders[int(random.integers(len(holders)))]
    place = int(random.integers(len(holder)))
    key = list(holder)[place] if isinstance(holder, dict) else place
    if random.integers(5) == 0:
        del holder[key]
    else:
        holder[key] = _ODD[int(random.integers(len(_ODD)))]
    file.write_text(json.dumps(content), encoding="utf-8")
    return f"{key!r} changed"


def _parts(content):
    """Yield all mappings and lists of a JSON value."""
    if isinstance(content, (dict, list)):
        yield content
        for part in content.values() if isinstance(content, dict) else content:
            yield from _parts(part)


def _symbol(file, random):
    """Change an operator, an attribute, an edge or a shape in a symbol."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        nodes = [node for part in _parts(content) if isinstance(part, dict) for node in part.get("nodes") or ()]
        node = nodes[int(random.integers(len(nodes)))]
        way = int(random.integers(4))
        if way == 0:
            node["op"] = _OPERATORS[int(random.integers(len(_OPERATORS)))]
        elif way == 1:
            attributes = node.setdefault("attrs", {})
            key = list(attributes)[int(random.integers(len(attributes)))] if attributes else "axis"
            attributes[key] = str(_ODD[int(random.integers(len(_ODD)))])
        elif way == 2 and node["inputs"]:
            node["inputs"][int(random.integers(len(node["inputs"])))] = [int(random.integers(-2, len(nodes))), 0, 0]
        else:
            return _json(file, random)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        return "is no symbol any more"
    file.write_text(json.dumps(content), encoding="utf-8")
    return f"node {node.get('name')!r} changed"


def _header(file, random):
    """Change a number in the first header of a file of arrays, or a length of a name near its end."""
    content = bytearray(file.read_bytes())
    places = (0, 8, 16, 24, 28, 32, 36, 44, 52, 56, 60, max(0, len(content) - 40))
    place = places[int(random.integers(len(places)))]
    if place + 8 > len(content):
        return "is too short"
    value = (0, 1, -1, 2**31 - 1, 2**62, 7, 255)[int(random.integers(7))]
    content[place:place + 8] = struct.pack("<q", value)
    file.write_bytes(content)
    return f"the number at {place} is {value}"


def _hashed(path):
    """Write the hashes of the files as they are now into the manifest, as far as it is one."""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        for name in manifest["sha256"]:
            if (path / name).is_file() and not (path / name).is_symlink():
                manifest["sha256"][name] = hashlib.sha256((path / name).read_bytes()).hexdigest()
        (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    except (ValueError, TypeError, KeyError, AttributeError, OSError):
        return


# ---- the child -----------------------------------------------------------------------------------------------------


def _in_a_child(path, question, answer):
    """Return the verdict on a bundle and a note, from a process that opens it and asks."""
    return verdict_of(lambda: _asked(path, question, answer), _SECONDS, {resource.RLIMIT_AS: _BYTES})


def _asked(path, question, answer):
    from gluon_rnn.export import load
    warnings.simplefilter("ignore")
    try:
        found = load(path).predict(question[0], **question[1])
    except (ValueError, OSError) as error:
        return ("passed" if "\n" not in str(error) else "traceback"), f"{type(error).__name__}: {str(error)[:300]}"
    except BaseException as error:  # whatever kind it is: it is what is counted
        trace, last = error.__traceback__, None
        while trace is not None:
            last, trace = trace, trace.tb_next
        place = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else ""
        return "traceback", f"{type(error).__name__}: {str(error)[-300:]} ({place})"
    wrong = answer is not None and _rounded(found) != _rounded(answer)
    return ("wrong", f"answered {str(found)[:100]}") if wrong else ("passed", "answered")


def _rounded(answer):
    """Return an answer with its numbers rounded, which another order of sums may change in the last places."""
    if isinstance(answer, dict):
        return {key: _rounded(value) for key, value in answer.items()}
    if isinstance(answer, (list, tuple)):
        return [_rounded(value) for value in answer]
    return round(float(answer), 4) if isinstance(answer, float) else answer
