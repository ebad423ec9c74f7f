"""The kernels of OpenBLAS on processors that are newer than the library.

MXNet 1.9.1 and NumPy 1.26 bring an OpenBLAS of their own each, of 2021 and 2023. One that does not know the processor
falls back to Prescott, SSE3 of 2004, whatever the processor can do; products then take two to three times as long.
The variable ``OPENBLAS_CORETYPE``, set before the libraries load, chooses better ones. `set_core_type` does so where
that is needed and proved: a process of its own loads the libraries, says what they take, and compares products with
exact ones, once for each processor and pair of versions; the result is kept in a file.
"""
import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys

__all__ = ["VARIABLE", "set_core_type", "core_types"]

VARIABLE = "OPENBLAS_CORETYPE"
#: What OpenBLAS takes where it does not know a processor.
FALLBACK = "Prescott"
#: Core types by the features of a processor that their kernels need, the best first.
CORE_TYPES = (("SkylakeX", {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}), ("Haswell", {"avx2", "fma"}))

_CPU_INFO = pathlib.Path("/proc/cpuinfo")
_PROBE = pathlib.Path(__file__).with_name("openblas_probe.py")
_SECONDS = 30


def set_core_type():
    """Set ``OPENBLAS_CORETYPE`` where OpenBLAS would fall back to Prescott on a processor that has AVX2 or AVX-512.

    Nothing is set where the user has set the variable, be it to nothing, where NumPy or MXNet is loaded already, on
    other systems than Linux on x86, where products of the better kernels are wrong, or where the result of the
    comparison cannot be kept.

    Returns
    -------
    str or None
        The core type that was set.
    """
    if VARIABLE in os.environ or not {"numpy", "mxnet"}.isdisjoint(sys.modules):
        return None
    candidate = best_core_type(processor_features())
    chosen = candidate and _remembered(candidate)
    if chosen:
        os.environ[VARIABLE] = chosen
    return chosen or None


def core_types():
    """Return {file: core type} of the OpenBLAS libraries that are loaded in this process."""
    from threadpoolctl import threadpool_info
    return {pathlib.Path(info["filepath"]).name: info.get("architecture", "unknown")
            for info in threadpool_info() if info["internal_api"] == "openblas"}


def processor_features():
    """Return the set of features of this processor by Linux's names ("avx2"), empty on other systems."""
    try:
        lines = _CPU_INFO.read_text().splitlines()
    except OSError:
        return set()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())


def best_core_type(features):
    """Return the best core type that a processor with these features can run, or None.

    >>> best_core_type({"avx2", "fma", "sse2"}), best_core_type({"sse2"})
    ('Haswell', None)
    """
    return next((name for name, needed in CORE_TYPES if needed <= features), None)


def _remembered(candidate):
    """Return the core type to set ("" for none) from the file of results; it is found and written the first time."""
    try:
        path = _results_folder() / f"openblas-{_machine(candidate)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))["core_type"]
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps({"core_type": ""}), encoding="utf-8")   # that it can be written is known first
        chosen = find_core_type(candidate)
        part.write_text(json.dumps({"core_type": chosen}) + "\n", encoding="utf-8")
        part.replace(path)
        return chosen
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return ""     # no home, no room, a damaged file: asking anew at each start would cost more than it gains


def find_core_type(candidate):
    """Return `candidate` if a library falls back without it and all products are right with it, else ""."""
    today = _probe({})
    if today is None or FALLBACK not in today["architectures"].values():
        return ""
    better = _probe({VARIABLE: candidate})
    return candidate if better is not None and not better["wrong"] else ""


def _probe(variables):
    """Return what `openblas_probe.py` prints under these variables, or None where its process fails."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment.update(variables, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    try:
        done = subprocess.run([sys.executable, str(_PROBE)], env=environment, capture_output=True, timeout=_SECONDS,
                              check=True, text=True)
        return json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _machine(candidate):
    """Return a name for this processor, interpreter and these libraries; it changes when one of them does."""
    versions = [_version(name) for name in ("numpy", "mxnet")]
    parts = [platform.machine(), candidate, _model(), sys.prefix, *versions]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _model():
    """Return what tells processors apart to OpenBLAS: vendor, family and model."""
    names = ("vendor_id", "cpu family", "model\t")
    lines = _CPU_INFO.read_text().partition("\n\n")[0].splitlines()
    return " ".join(line.partition(":")[2].strip() for line in lines if line.startswith(names))


def _results_folder():
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "gluon_rnn"
