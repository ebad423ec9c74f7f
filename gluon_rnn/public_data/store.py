"""Fetching, finding and checking data sets below the data root.

A set is made ready in ``.fetch/<name>`` below the data root: downloads, which go on where they broke off, and what is
made from them. Each file is checked there and then renamed to its place; what stands there already is never replaced.
"""
import contextlib
import os
import shutil
from pathlib import Path, PurePosixPath

from gluon_rnn.fetch import FetchError, address_in, disk_error, fetch, locked
from gluon_rnn.public_data.content import DAMAGED, content_of
from gluon_rnn.public_data.manifest import data_root, get
from gluon_rnn.public_data.prepare import STEPS

__all__ = ["fetch_set", "repository", "state_of", "verify_set"]

_PACKED = (".gz", ".zip")


def repository():
    """Return the mirror to fetch from, ``GLUON_RNN_DATA_REPO`` (a folder or an http(s) address), or None."""
    return os.environ.get("GLUON_RNN_DATA_REPO") or None


def state_of(name, root=None):
    """Tell by the files that are there, unread, whether a set is "here", "incomplete" or "missing"."""
    there = [file.below(root or data_root()).exists() for file in get(name).files]
    return "here" if all(there) else "incomplete" if any(there) else "missing"


def verify_set(name, root=None):
    """Return {path: what is wrong with it} for the files of a set; an empty dict where all are there and right."""
    found = {file.path: _what_is_wrong(file, file.below(root or data_root())) for file in get(name).files}
    return {path: wrong for path, wrong in found.items() if wrong}


def fetch_set(name, root=None, source=None, progress=True):
    """Bring all files of a data set to their places; do nothing for those that are there.

    Parameters
    ----------
    name : str
        Of the manifest.
    root : str or Path, optional
        Default `data_root`.
    source : str or Path, optional
        A mirror, with the files in the same folders as below the data root. Default `repository`, and without one the
        public addresses.
    progress : bool, default True
        See `gluon_rnn.fetch.fetch`.

    Returns
    -------
    Path
        The folder of the set.

    Raises
    ------
    FetchError
        As `gluon_rnn.fetch.fetch`; if a file that is there is another one; or if what was made from the download is not
        what the manifest has: the download is then kept beside, as ``<name>.wrong``.
    ValueError
        If there is no such set.
    """
    entry, root = get(name), Path(root or data_root()).expanduser()
    work = root / ".fetch" / name
    try:
        work.mkdir(parents=True, exist_ok=True)
        with locked(work):
            work.mkdir(exist_ok=True)                # a process that this one waited for has removed it
            for file in entry.files:
                if not _stands(file, root):
                    _bring(file, root, work, source or repository(), progress)
            with contextlib.suppress(OSError):       # left as it is where somebody looks at it
                _clear(work)
    except OSError as error:
        raise FetchError(disk_error(root / entry.folder, error)) from error
    return root / entry.folder


def _stands(file, root):
    """Tell whether a file is in place; another one that stands there is the user's."""
    target = file.below(root)
    if not target.exists():
        return False
    wrong = _what_is_wrong(file, target)
    if wrong:
        raise FetchError(f"{target}: {wrong}; it is left as it is, move it away or delete it, then fetch again")
    return True


def _bring(file, root, work, source, progress):
    address = address_in(source, file.path) if source else file.address
    if source:
        known = PurePosixPath(file.path).suffix not in _PACKED
    else:
        known = file.prepare.get("step", "gzip") == "gzip"                      # the download is the content
    try:
        download = fetch(address, work / PurePosixPath(address).name, sha256=file.sha256 if known else None,
                         size=file.size if known else None, progress=progress)
    except FetchError as error:
        raise FetchError(f"{error} (GLUON_RNN_DATA_REPO names a mirror)") from error
    made = download if source else _prepare(file, download, work)
    wrong = _what_is_wrong(file, made)
    if wrong:
        kept = download.with_name(f"{download.name}.wrong")
        os.replace(download, kept)
        raise FetchError(f"{address}: {wrong}; the download is kept as {kept} and nothing else was changed; the file "
                         "has changed there, use a mirror (GLUON_RNN_DATA_REPO)")
    file.below(root).parent.mkdir(parents=True, exist_ok=True)
    os.replace(made, file.below(root))


def _prepare(file, download, work):
    """Return the path of what the file's step makes of a download; the download itself where there is no step."""
    if not file.prepare:
        return download
    arguments = {key: value for key, value in file.prepare.items() if key != "step"}
    made = work / f"made-{PurePosixPath(file.path).name}"
    try:
        STEPS[file.prepare["step"]](download, made, **arguments)
    except (*DAMAGED, KeyError, UnicodeDecodeError) as error:
        kept = download.with_name(f"{download.name}.wrong")
        os.replace(download, kept)
        raise FetchError(f"{file.address}: {file.path} cannot be made from what came ({error}); it is kept as {kept}, "
                         "look into it, then fetch again or use a mirror (GLUON_RNN_DATA_REPO)") from error
    return made


def _what_is_wrong(file, path):
    """Return "" for the right content, else what is wrong with the file at `path`, with both sums."""
    if not path.is_file():
        return "a file was expected, but this is a folder" if path.exists() else "missing"
    try:
        found, size = content_of(path)
    except DAMAGED as error:
        return f"damaged ({error})"
    if found == file.sha256:
        return ""
    return f"its content ({size} bytes) has the SHA-256 {found}, expected was {file.sha256} ({file.size} bytes)"


def _clear(work):
    """Remove downloads that are used up, but nothing that was put aside."""
    if not any(path.suffix == ".wrong" for path in work.iterdir()):
        shutil.rmtree(work)
