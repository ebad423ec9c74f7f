"""On what a run was trained: processor, memory, accelerators, system and versions of libraries, as text."""
import functools
import os
import platform
from importlib import metadata
from pathlib import Path

__all__ = ["environment"]

_LIBRARIES = ("mxnet", "gluonnlp", "numpy", "scipy", "pandas")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_UNKNOWN = "not known"


def environment(devices=()):
    """Return what the machine and the process are, a dict of str to str, in the order in which it is shown.

    Parameters
    ----------
    devices : sequence of mxnet.Context
        Where the model is.
    """
    import gluon_rnn
    found = {"devices": ", ".join(map(str, devices)) or _UNKNOWN, "processor": _processor(), "cores": _cores(),
             "memory": _memory(), "accelerators": ", ".join(_accelerators()) or "none found",
             "threads": ", ".join(f"{name}={os.environ[name]}" for name in _THREADS if name in os.environ)
             or "not limited", "system": platform.platform(), "Python": platform.python_version(),
             "gluon_rnn": gluon_rnn.__version__}
    return {**found, **{name: _version(name) for name in _LIBRARIES}}


@functools.cache
def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:        # a library that lies on the path without having been installed
        return _UNKNOWN


def _processor():
    """Return the name of the processor, from Linux where it has one, else from Python."""
    names = _lines("/proc/cpuinfo", "model name")
    return names[0] if names else platform.processor() or platform.machine() or _UNKNOWN


def _cores():
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} usable of {os.cpu_count()}"


def _memory():
    """Return the size of the machine's memory; only systems in the manner of POSIX tell."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN
    return f"{size / 2**30:.0f} GiB"


def _accelerators():
    """Return the names of NVIDIA's cards that the driver tells of, used or not."""
    files = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    return [name for file in files for name in _lines(file, "Model")]


def _lines(path, key):
    """Return what stands behind ``key:`` in each line of a file that has it; nothing where there is no such file."""
    path = Path(path)
    if not path.is_file():
        return []
    pairs = (line.partition(":") for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return [value.strip() for name, _, value in pairs if name.strip() == key]
