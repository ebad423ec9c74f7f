"""Recordings on disk: the .wav files of a folder or .zip, what their names say, and which of them a rule selects."""
import hashlib
import re
import zipfile
import zlib
from pathlib import Path

from gluon_rnn.answers.unpacking import check_unpacked
from gluon_rnn.public_data import missing
from gluon_rnn.registry import suggest

__all__ = ["digest_of", "match_names", "read_files", "select"]


def read_files(path):
    """Return {name: bytes} of all .wav files in a folder or zip, sorted by name; ValueError where there are none."""
    folder = Path(path).expanduser()
    if folder.is_dir():
        found = {str(file.relative_to(folder).as_posix()): file for file in sorted(folder.rglob("*"))}
        files = {name: file.read_bytes() for name, file in found.items() if name.lower().endswith(".wav")}
    elif folder.is_file():
        try:
            with zipfile.ZipFile(folder) as archive:
                names = sorted(name for name in archive.namelist() if name.lower().endswith(".wav"))
                check_unpacked(path, folder.stat().st_size, sum(archive.getinfo(name).file_size for name in names))
                files = {name: archive.read(name) for name in names}
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:    # the last: a password
            raise ValueError(f"{path}: not a whole .zip ({error}); fetch it again, or give a folder") from None
    else:
        raise missing(path, "folder or .zip")
    if not files:
        raise ValueError(f"{path}: no .wav file in it; check the path")
    return files


def digest_of(files):
    """Return the SHA-256 of all names and bytes, as text."""
    digest = hashlib.sha256()
    for name, raw in files.items():
        digest.update(f"{name}\0{len(raw)}\0".encode())
        digest.update(raw)
    return digest.hexdigest()


def match_names(files, pattern, path):
    """Return {name: groups of the pattern}, a dict each.

    The end of every name must match, from a folder or the name on, and `pattern` has a group ``label``; else it is a
    ValueError that names `path` and the file.
    """
    try:
        compiled = re.compile(rf"(?:^|.*/){pattern}$")
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is not a regular expression: {error}") from None
    if "label" not in compiled.groupindex:
        raise ValueError(f"pattern {pattern!r} must have a group (?P<label>...)")
    matches = {name: compiled.match(name) for name in files}
    for name, match in matches.items():
        if match is None:
            raise ValueError(f"{path}: {name} does not match the pattern {pattern!r}; mend the pattern, or take the "
                             "file out")
    return {name: match.groupdict() for name, match in matches.items()}


def select(names, groups, rule, split):
    """Return the names whose groups have one of the values that `rule` gives for each group.

    ValueError, beginning with the name of the `split`, where a group or value is unknown, or nothing is left out.
    """
    for group, values in rule.items():
        known = sorted({str(groups[name].get(group)) for name in names})
        if group not in groups[names[0]]:
            raise ValueError(f"{split}: the pattern has no group {group!r}; {suggest(group, list(groups[names[0]]))}")
        for value in _values(values):
            if value not in known:
                raise ValueError(f"{split}: no recording has {group} {value!r}; {suggest(value, known)}")
    chosen = [name for name in names if all(groups[name][group] in _values(values) for group, values in rule.items())]
    if len(chosen) in (0, len(names)):
        raise ValueError(f"{split}: {rule} selects {len(chosen)} of {len(names)} recordings; leave some for both sides")
    return chosen


def _values(values):
    return [str(value) for value in (values if isinstance(values, (list, tuple)) else [values])]
