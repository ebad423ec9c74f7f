"""Damages of a file: cut off, a changed bit, edited, removed, replaced, swapped."""
import json
import os
import shutil

__all__ = ["damage"]


def damage(run, other, random):
    """Damage one file of the folder `run`, `other` being a run of the recipe by another seed; return what was done."""
    kind = _KINDS[int(random.integers(len(_KINDS)))]
    files = sorted(path for path in run.rglob("*") if path.is_file() and not path.is_symlink())
    path = files[int(random.integers(len(files)))]
    return f"{kind.__name__[1:]} {path.relative_to(run)}: {kind(path, run, other, random)}"


def _truncate(path, run, other, random):
    size = int(random.integers(path.stat().st_size or 1))
    os.truncate(path, size)
    return f"at byte {size}"


def _empty(path, run, other, random):
    path.write_bytes(b"")
    return "nothing left"


def _flip(path, run, other, random):
    content = bytearray(path.read_bytes() or b"\0")
    place, bit = int(random.integers(len(content))), int(random.integers(8))
    content[place] ^= 1 << bit
    path.write_bytes(content)
    return f"bit {bit} of byte {place}"


def _remove(path, run, other, random):
    path.unlink()
    return "gone"


def _zeros(path, run, other, random):
    path.write_bytes(bytes(path.stat().st_size))
    return "all zeros, as after a power cut"


def _garbage(path, run, other, random):
    path.write_bytes(random.bytes(int(random.integers(1, 4096))))
    return "random bytes"


def _replace(path, run, other, random):
    theirs = [found for found in sorted(other.rglob(path.name)) if found.is_file() and not found.is_symlink()]
    if not theirs:
        return "nothing to replace it by"
    shutil.copyfile(theirs[0], path)
    return "that of another run"


def _swap(path, run, other, random):
    kinds = {"parameters.params": "training.params", "training.params": "parameters.params"}
    beside = path.with_name(kinds.get(path.name, "config.yaml"))
    if not beside.is_file() or beside == path:
        return "nothing to swap it with"
    content = path.read_bytes()
    path.write_bytes(beside.read_bytes())
    beside.write_bytes(content)
    return f"with {beside.name}"


def _edit(path, run, other, random):
    """Change a word or a number of a text, or a name in a file of parameters, the length staying the same."""
    content = path.read_bytes()
    words = [b"weight", b"epoch", b"adam", b"0.01", b"token", b"name", b"loss"]
    found = [word for word in words if word in content]
    if not found:
        return "no word to change"
    word = found[int(random.integers(len(found)))]
    path.write_bytes(content.replace(word, word[:-1] + bytes([word[-1] ^ 1]), 1))
    return f"{word.decode()} changed by a letter"


def _json(path, run, other, random):
    """Put something of another kind in the place of a value of JSON."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        key = sorted(values)[int(random.integers(len(values)))]
        values[key] = [None, "text", [], -1, 1e308, {}][int(random.integers(6))]
    except (ValueError, TypeError, AttributeError, IndexError):
        return "no JSON"
    path.write_text(json.dumps(values), encoding="utf-8")
    return f"{key} is {values[key]!r}"


def _odd_names(path, run, other, random):
    """Put entries with odd names beside the checkpoints."""
    folder = run / "checkpoints"
    for name in ("\u00b2", "notes.txt", "-1", "partial-000009", "000777"):
        (folder / name).mkdir() if random.integers(2) else (folder / name).write_text("x")
    return "odd names in checkpoints/"


def _links(path, run, other, random):
    """Make a folder of a link, as a copy without links has it, or a link to nowhere."""
    link = run / ("last", "best")[int(random.integers(2))]
    target = link.resolve()
    link.unlink()
    if random.integers(2):
        shutil.copytree(target, link)
        return f"{link.name} is a folder"
    link.symlink_to("checkpoints/000099")
    return f"{link.name} leads nowhere"


_KINDS = (_truncate, _empty, _flip, _remove, _zeros, _garbage, _replace, _swap, _edit, _json, _odd_names, _links)
