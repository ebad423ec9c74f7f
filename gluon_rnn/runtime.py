"""What must happen before MXNet loads, and the process-wide choices after it: seeds and devices.

MXNet 1.9.1 was built for a NumPy that still had ``numpy.bool``, and takes half of the processors for OpenMP because it
expects hyper-threads. Both can be put right only before ``import mxnet``, so this module imports MXNet nowhere at its
top, and `prepare` runs when `gluon_rnn` is imported.
"""
import builtins
import importlib.util
import os
import pathlib
import platform
import random
import re
import sys
import warnings

from gluon_rnn import lean_import, openblas

__all__ = ["prepare", "physical_cores", "flush_denormals", "seed_all", "devices", "pieces", "report", "workers"]

# The aliases NumPy 1.24 took away, each with what it stood for.
_ALIASES = {name: getattr(builtins, name) for name in ("bool", "int", "float", "complex", "object", "str")}

_CPUS = pathlib.Path("/sys/devices/system/cpu")
_CGROUPS = pathlib.Path("/sys/fs/cgroup")
_SELF_CGROUP = pathlib.Path("/proc/self/cgroup")
# How users choose for themselves, and glibc's M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD (at its largest).
_MALLOC_CHOICES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
_MALLOC_OPTIONS = {-1: 2**31 - 1, -2: 2**26, -3: 2**25}
# Features of processors that kernels ask for, by Linux's names.
_FEATURES = ("sse4_1", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile")
_DEVICE = re.compile(r"(cpu|gpu)(?:\((\d+)\))?")


def prepare():
    """Make this process fit for MXNet: OpenBLAS's kernels, NumPy's version and aliases, OpenMP threads, freed memory.

    Safe to call again. Nothing that the user has set is changed.

    Raises
    ------
    ImportError
        Under NumPy 2, with which MXNet 1.9.1 does not load, where MXNet is installed.
    """
    openblas.set_core_type()           # before NumPy is imported
    if os.environ.get("GLUON_RNN_FLUSH_DENORMALS") == "1":
        flush_denormals()
    _restore_numpy_aliases()
    lean_import.lighten_mxnet()
    _set_openmp_threads()
    _keep_one_openmp_team()
    _keep_freed_memory()


def _restore_numpy_aliases():
    """Give NumPy back the aliases that MXNet 1.9.1 and gluonnlp 0.10 use, where they are missing."""
    import numpy as np

    if int(np.__version__.split(".")[0]) >= 2:
        if not _mxnet_is_installed():                                     # as where bundles run in ONNX Runtime
            return
        raise ImportError(f"gluon_rnn needs NumPy 1.24 to 1.26 because MXNet 1.9.1 does not load with NumPy 2, "
                          f"but found NumPy {np.__version__}; run: pip install 'numpy<2'")
    for name, meaning in _ALIASES.items():
        with warnings.catch_warnings():  # only asking for an old alias makes some releases of NumPy warn
            warnings.simplefilter("ignore")
            missing = not hasattr(np, name)
        if missing:
            setattr(np, name, meaning)


def _mxnet_is_installed():
    try:
        return importlib.util.find_spec("mxnet") is not None
    except (ImportError, ValueError):                                     # a finder refuses it, or it has no spec
        return "mxnet" in sys.modules


def _set_openmp_threads():
    """Set ``OMP_NUM_THREADS`` to the physical cores unless the user has chosen, or MXNet has read it already."""
    if os.environ.get("OMP_NUM_THREADS"):
        return
    if "mxnet" not in sys.modules:
        os.environ["OMP_NUM_THREADS"] = str(physical_cores())
    elif not getattr(_set_openmp_threads, "warned", False):
        _set_openmp_threads.warned = True
        # MXNet's engine reads the variable once, on load: setting it now would only look right.
        warnings.warn("mxnet was imported before gluon_rnn and has chosen its number of threads, which may be half of "
                      "the right one; import gluon_rnn first, or set OMP_NUM_THREADS before Python starts",
                      RuntimeWarning, stacklevel=2)


def _keep_one_openmp_team():
    """Have MXNet copy arrays on one thread, whatever their size, unless the user has chosen otherwise.

    From 200,000 elements on, `asnumpy`, `nd.array` and the like copy in parallel *on the calling thread*, which so gets
    a team of OpenMP threads beside the engine's. From then on the process has more OpenMP threads than processors, and
    libgomp puts threads to sleep at every barrier, where it otherwise lets them wait actively: small recurrent layers
    were up to five times slower for the rest of the process (docs/performance.md). MXNet reads this at its first copy.
    """
    if not os.environ.get("MXNET_CPU_PARALLEL_SIZE"):
        os.environ["MXNET_CPU_PARALLEL_SIZE"] = str(2**31 - 1)


def _keep_freed_memory():
    """Have the C library keep the memory that operators free for the next ones, unless the user has chosen otherwise.

    MXNet's operators take their workspace anew at each call. By default glibc gives megabytes back to the system as
    soon as they are free, and the next call faults them in again, page by page: half as long again for a step of some
    layers (docs/performance.md). Memory once used stays with the process, up to its peak; pieces above 32 MB do not.
    """
    if any(name in os.environ for name in _MALLOC_CHOICES) or platform.libc_ver()[0] != "glibc":
        return
    import ctypes
    mallopt = ctypes.CDLL(None).mallopt
    for option, value in _MALLOC_OPTIONS.items():
        mallopt(option, value)


def physical_cores():
    """Return the number of physical cores this process may use (at least 1).

    The processors of its affinity mask, hyper-threads of one core counted once, and no more than its control group's
    CPU quota allows.
    """
    try:
        allowed = os.sched_getaffinity(0)
    except AttributeError:  # macOS and Windows have no affinity mask to ask for
        allowed = range(os.cpu_count() or 1)
    cores = {_siblings(cpu) for cpu in allowed}
    quota = _cpu_quota()
    return max(1, len(cores) if quota is None else min(len(cores), int(quota)))


def _siblings(cpu):
    """Return what is the same for all hyper-threads of one core; without a topology each processor is a core."""
    for name in ("core_cpus_list", "thread_siblings_list"):  # the second is the older kernels' name
        text = _read(_CPUS / f"cpu{cpu}" / "topology" / name)
        if text:
            return text
    return f"processor {cpu}"


def _cpu_quota():
    """Return the smallest CPU quota of this process's control groups in processors, or None without a limit."""
    quotas = []
    for line in _read(_SELF_CGROUP).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = _CGROUPS / "cpu" if controllers else _CGROUPS
        group = root / path.lstrip("/")
        # A limit anywhere above holds too; inside a container the path may name a group that only the host sees.
        quotas += [_quota_of(folder) for folder in (group, *group.parents) if folder.is_relative_to(root)]
    return min((quota for quota in quotas if quota), default=None)


def _quota_of(folder):
    """Return the quota that one control group's files state (version 2, then version 1), or None."""
    period = _read(folder / "cpu.cfs_period_us")
    words = _read(folder / "cpu.max").split() or [_read(folder / "cpu.cfs_quota_us"), period]
    if len(words) != 2 or not all(word.isdigit() for word in words) or int(words[1]) == 0:
        return None  # "max" and -1 both mean no limit
    return int(words[0]) / int(words[1])


def _read(path):
    """Return the stripped text of a small system file, or an empty string where it cannot be read."""
    try:
        return path.read_text().strip()
    except (OSError, ValueError):
        return ""


def flush_denormals():
    """Have this thread, and threads that it starts from now on, take numbers too small to be normal as 0.

    Below 1.2e-38 float32 numbers are denormal, and arithmetic with them takes a processor some hundred cycles.
    Gradients that vanish go through that range: forward and backward of a GRU of 32 units over 400 steps take 41 ms
    without this, and 6 ms with it. Numbers change by less than 1.2e-38. To be called before MXNet's first
    operation, whose threads keep the choice; ``GLUON_RNN_FLUSH_DENORMALS=1`` has `prepare` do it.

    Returns
    -------
    bool
        False where nothing was done: outside Linux on x86-64 with glibc, whose registers these are.
    """
    if platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc":
        return False
    import ctypes
    import struct
    libm, environment = ctypes.CDLL("libm.so.6"), ctypes.create_string_buffer(32)
    libm.fegetenv(environment)
    # The last four of its bytes are MXCSR; bit 15 flushes results to 0, bit 6 takes inputs as 0.
    control, = struct.unpack_from("<I", environment, 28)
    struct.pack_into("<I", environment, 28, control | 0x8040)
    return libm.fesetenv(environment) == 0


def seed_all(seed):
    """Seed Python's, NumPy's and MXNet's random numbers (the last on every device).

    Parameters
    ----------
    seed : int
        From 0 to 2**31 - 1, the range that all three accept.
    """
    import mxnet as mx
    import numpy as np

    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**31:
        raise ValueError(f"seed: expected a whole number from 0 to {2**31 - 1}, got {seed!r}; choose one in that range")
    random.seed(int(seed))
    np.random.seed(int(seed))
    mx.random.seed(int(seed))


def devices(text):
    """Return the devices that `text` names.

    Parameters
    ----------
    text : str
        ``"auto"`` (the first GPU, or the CPU if there is none), ``"cpu"``, ``"gpu"``, or a list such as
        ``"gpu(0),gpu(1)"``. A list of ``cpu(0),cpu(1)`` is allowed: it splits batches as GPUs would.

    Returns
    -------
    list of mxnet.Context

    Raises
    ------
    ValueError
        For text of another form, a device named twice, CPUs and GPUs mixed, or a GPU that is not there.
    """
    import mxnet as mx

    if text == "auto":
        return [mx.gpu(0) if _gpus() else mx.cpu(0)]
    chosen = [_device(part.strip(), text) for part in str(text).split(",")]
    for device in chosen:
        if chosen.count(device) > 1:
            raise ValueError(f"device {text!r} names {device} twice; name each device once")
    if len({device.device_type for device in chosen}) > 1:
        raise ValueError(f"device {text!r} mixes CPU and GPU; name devices of one kind")
    return chosen


def workers():
    """Return how many processes share the batches of this one's training, by ps-lite's variables; 1 without them."""
    count = os.environ.get("DMLC_NUM_WORKER", "")
    return int(count) if os.environ.get("DMLC_ROLE") == "worker" and count.isdigit() else 1


def pieces(text):
    """Return how many pieces a batch of training is cut into: one for each device that `text` names, of each worker."""
    return len(devices(text)) * workers()


def _device(part, text):
    """Return the one device that `part` of the user's `text` names."""
    import mxnet as mx

    match = _DEVICE.fullmatch(part)
    if not match:
        raise ValueError(f"device: expected 'auto', 'cpu', 'gpu' or a list like 'gpu(0),gpu(1)', got {text!r}")
    kind, index = match[1], int(match[2] or 0)
    if kind == "gpu" and index >= _gpus():
        raise ValueError(f"device {text!r} needs gpu({index}), but MXNet sees {_gpus()} GPU(s) here; use 'auto' or "
                         f"'cpu', or install a CUDA build of MXNet and check the driver")
    return mx.Context(kind, index)


def _gpus():
    """Return how many GPUs MXNet can use; a build without CUDA has none."""
    import mxnet as mx

    try:
        return mx.context.num_gpus()
    except mx.base.MXNetError:  # a CUDA build on a machine without a driver
        return 0


def report():
    """Return ten lines on what decides the speed of this process; `gluon-rnn benchmark` prints them first.

    Examples
    --------
    >>> print(gluon_rnn.runtime.report())                                                   # doctest: +SKIP
    processor         Intel(R) Xeon(R) Processor, 2 cores
    instructions      sse4_1 avx2 fma avx512f avx512_bf16
    OpenMP threads    2
    ...
    """
    import mxnet as mx
    import numpy as np
    kernels = openblas.core_types()
    lines = {
        "processor": f"{_processor()}, {physical_cores()} cores",
        "instructions": " ".join(_instructions()) or platform.machine(),
        "libraries": f"MXNet {mx.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
        "OpenMP threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        "OpenBLAS kernels": ", ".join(f"{kernel} ({name.partition('.so')[0]})" for name, kernel in kernels.items()),
        "oneDNN kernels": os.environ.get("DNNL_MAX_CPU_ISA", "all that the processor has"),
        "engine": os.environ.get("MXNET_ENGINE_TYPE", "ThreadedEnginePerDevice"),
        "memory": _memory(),
        "devices": ", ".join(map(str, devices("auto"))),
        "faster": advice(kernels),
    }
    return "\n".join(f"{name:17} {text}" for name, text in lines.items())


def advice(kernels):
    """Return what would make this process faster, or "nothing that is known".

    Parameters
    ----------
    kernels : dict of str
        As `openblas.core_types` returns.
    """
    found = []
    best = openblas.best_core_type(openblas.processor_features())
    if best and openblas.FALLBACK in kernels.values():
        found.append(f"{openblas.VARIABLE}={best}, set before Python starts (OpenBLAS does not know this processor)")
    if os.environ.get("MXNET_ENGINE_TYPE") == "NaiveEngine":
        found.append("no MXNET_ENGINE_TYPE=NaiveEngine, which is for debugging")
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdigit() and int(threads) != physical_cores():
        found.append(f"OMP_NUM_THREADS={physical_cores()}, as many as there are cores, if nothing else runs here")
    return "; ".join(found) or "nothing that is known"


def _processor():
    """Return the processor's name as Linux has it, else what Python knows."""
    names = [line.partition(":")[2].strip() for line in _read(pathlib.Path("/proc/cpuinfo")).splitlines()
             if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _instructions():
    features = openblas.processor_features()
    return [name for name in _FEATURES if name in features]


def _memory():
    """Say whether freed memory stays with the process, which `runtime.prepare` asks glibc for."""
    chosen = [name for name in _MALLOC_CHOICES if name in os.environ]
    if chosen:
        return f"as {', '.join(sorted(chosen))} says"
    return "freed memory is kept" if platform.libc_ver()[0] == "glibc" else "as the system does"
