"""What happens before MXNet loads, on every Python the machine has; seeds, and what a report says.

`test_devices.py` tests the choice of devices.

What `prepare` does needs no MXNet, so a stub of NumPy (and of MXNet) lets even a bare interpreter run it. The real
libraries are loaded by each Python that has them; ``make test-pythons`` sets ``GLUON_RNN_TEST_ALL_PYTHONS`` and so has
an environment made for each that has not.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import threading

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn, runtime
from tests.reference import rounding

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSIONS = ("3.9", "3.11", "3.12")
HERE = "{}.{}".format(*sys.version_info[:2])


def run(python, code, path=(), **environment):
    """Run `code` in another process and return the JSON it prints; `environment` is set, or removed where None."""
    result = start(python, code, path, **environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def start(python, code, path=(), **environment):
    """Run `code` by `python` with the folders of `path` and the repository importable; return the finished process."""
    changed = {"OMP_NUM_THREADS": None, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT))), **environment}
    kept = {key: value for key, value in os.environ.items() if key not in changed}
    set_here = {key: value for key, value in changed.items() if value is not None}
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=300,
                          env={**kept, **set_here}, cwd=ROOT)


def find_python(version):
    """Return the path of a Python `version` of this machine, or skip the test and say which is missing."""
    if version == HERE:
        return sys.executable
    found = subprocess.run(["bash", "scripts/find_python.sh", version], capture_output=True, text=True, cwd=ROOT)
    if found.returncode:
        pytest.skip(found.stderr.strip())
    return found.stdout.strip()


@pytest.fixture(params=VERSIONS)
def bare_python(request):
    """A Python of each version that may have nothing installed."""
    return find_python(request.param)


@pytest.fixture(scope="module", params=VERSIONS)
def full_python(request):
    """A Python of each version with MXNet and the other dependencies."""
    version = request.param
    if version == HERE:
        return sys.executable
    own = ROOT / f".venv-{version}"
    ready = own / ".installed"
    if os.environ.get("GLUON_RNN_TEST_ALL_PYTHONS"):
        made = subprocess.run(["make", f"VENV={own.name}", f"PYTHON={find_python(version)}", f"{own.name}/.installed"],
                              capture_output=True, text=True, cwd=ROOT)
        assert made.returncode == 0, made.stdout + made.stderr
    if not ready.exists():
        pytest.skip(f"no environment with MXNet for Python {version}; make test-pythons builds it")
    return own / "bin" / "python"


#: All that is asked of the real libraries, in one process: loading them takes seconds.
LOADED = """
import json, os, random, sys, warnings
import numpy as np
def state():
    return [random.getstate(), np.random.get_state()[1].tolist(), os.getcwd(), list(warnings.filters), list(sys.path),
            {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}]
before = state()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    filters = list(warnings.filters)
    import gluon_rnn
    found = {"warnings": [str(warning.message) for warning in caught], "filters": filters == list(warnings.filters)}
found["untouched"] = before == state()
found["loaded"] = sorted({"mxnet", "matplotlib", "pandas", "gluonnlp"} & set(sys.modules))
import mxnet as mx, gluonnlp, pandas, scipy.signal, matplotlib.figure
import gluon_rnn.nn
layer = mx.gluon.rnn.LSTM(3)
layer.initialize()
outputs = layer(mx.nd.ones((4, 2, 5)))
frame = pandas.DataFrame({"a": np.arange(3)})
vocab = gluonnlp.Vocab(gluonnlp.data.count_tokens(["a", "b", "a"]))
finite = np.isfinite(outputs.asnumpy()).all().item()
found["together"] = [outputs.shape, finite, int(frame.a.sum()), vocab["a"] < vocab["b"]]
gluon_rnn.runtime.seed_all(1)
layer = gluon_rnn.nn.LSTM(3, num_layers=2)
layer.initialize()
found["outputs"] = layer(mx.nd.random.normal(shape=(4, 2, 5))).asnumpy().ravel().tolist()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def loaded(full_python):
    """What the real libraries answered under a Python."""
    return run(full_python, LOADED)


@pytest.fixture
def stubs(tmp_path):
    """Return a function that writes stub packages called numpy and mxnet, and returns their folder."""
    def write(numpy_version="1.26.4", numpy_has=""):
        (tmp_path / "numpy.py").write_text(f"__version__ = {numpy_version!r}\n{numpy_has}")
        (tmp_path / "mxnet.py").write_text("")
        return [tmp_path]
    return write


class TestNumPy:
    def test_missing_aliases_are_restored_and_present_ones_left_alone(self, bare_python, stubs):
        code = """
import gluon_rnn, json, numpy as np
names = ["int", "float", "complex", "object", "str"]
print(json.dumps([np.bool, [getattr(np, name).__name__ for name in names]]))
"""
        seen = run(bare_python, code, stubs(numpy_has="bool = 'its own'"))
        assert seen == ["its own", ["int", "float", "complex", "object", "str"]]

    def test_numpy_2_is_an_import_error_of_one_sentence(self, bare_python, stubs):
        failed = start(bare_python, "import gluon_rnn", stubs(numpy_version="2.1.3"))
        assert failed.returncode == 1
        last = failed.stderr.splitlines()[-1]
        assert last.startswith("ImportError: gluon_rnn needs NumPy 1.24 to 1.26")
        assert "found NumPy 2.1.3" in last
        assert last.endswith("pip install 'numpy<2'")

    def test_numpy_2_will_do_where_there_is_no_mxnet(self, bare_python, stubs):
        """As where bundles run in ONNX Runtime: MXNet may be absent, or kept away by a finder."""
        absent = "import importlib.util; importlib.util.find_spec = lambda name: None"
        refusing = """
import sys
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name == "mxnet":
            raise ImportError(name)
sys.meta_path.insert(0, Refusing())
"""
        for first in (absent, refusing):
            code = f"{first}\nimport gluon_rnn, json; print(json.dumps('answers' in dir(gluon_rnn)))"
            assert run(bare_python, code, stubs(numpy_version="2.1.3"))

    def test_the_real_numpy_gives_no_warning(self, loaded):
        assert loaded["warnings"] == []


class TestThreads:
    CODE = "import gluon_rnn, json, os; print(json.dumps(os.environ.get('OMP_NUM_THREADS')))"
    MXNET_FIRST = """
import json, os, warnings, mxnet
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import gluon_rnn
    gluon_rnn.runtime.prepare()
print(json.dumps([[str(warning.message) for warning in caught], os.environ.get("OMP_NUM_THREADS")]))
"""

    def test_they_are_the_physical_cores(self, bare_python, stubs):
        assert run(bare_python, self.CODE, stubs()) == str(runtime.physical_cores())

    def test_an_empty_setting_is_none(self, bare_python, stubs):
        assert run(bare_python, self.CODE, stubs(), OMP_NUM_THREADS="") == str(runtime.physical_cores())

    def test_the_users_setting_stays(self, bare_python, stubs):
        assert run(bare_python, self.CODE, stubs(), OMP_NUM_THREADS="17") == "17"

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity masks")
    def test_a_process_bound_to_one_processor_gets_one(self, bare_python, stubs):
        bind = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
        assert run(bare_python, bind + self.CODE, stubs()) == "1"

    def test_mxnet_imported_first_is_one_warning_that_says_what_to_do(self, bare_python, stubs):
        messages, variable = run(bare_python, self.MXNET_FIRST, stubs())
        assert len(messages) == 1
        assert "import gluon_rnn first, or set OMP_NUM_THREADS" in messages[0]
        assert variable is None  # too late to have an effect, so it must not look as if it had one

    def test_mxnet_imported_first_is_right_where_the_user_chose_the_threads(self, bare_python, stubs):
        assert run(bare_python, self.MXNET_FIRST, stubs(), OMP_NUM_THREADS="2") == [[], "2"]

    def test_the_real_mxnet_imported_first_warns_too(self):
        code = "import numpy; numpy.bool = bool\n" + self.MXNET_FIRST
        messages, variable = run(sys.executable, code)
        assert (len(messages), variable) == (1, None)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc")
@pytest.mark.parametrize("users_choice,more", [(None, False), ("200000", True)])
def test_a_large_copy_makes_no_second_openmp_team(users_choice, more):
    """With MXNet's own default of 200,000 elements the copy leaves another team of threads behind."""
    code = """
import gluon_rnn, mxnet as mx, numpy as np, os, json
mx.nd.dot(mx.nd.ones((400, 400)), mx.nd.ones((400, 400))).asnumpy()      # below the size; the engine's team is there
before = len(os.listdir("/proc/self/task"))
mx.nd.array(np.ones(1000000, "float32")).asnumpy()
print(json.dumps(len(os.listdir("/proc/self/task")) - before))
"""
    threads = run(sys.executable, code, OMP_NUM_THREADS="2", MXNET_CPU_PARALLEL_SIZE=users_choice)
    assert (threads > 0) is more


@pytest.mark.skipif(runtime.platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
@pytest.mark.parametrize("users_choice, kept", [({}, True), ({"MALLOC_MMAP_THRESHOLD_": "1000000"}, False)])
def test_freed_memory_is_used_again_without_page_faults(users_choice, kept):
    """Four pieces of 8 MB, five times over: their pages come once, or, under the user's own choice, each time."""
    code = """
import gluon_rnn, json, numpy as np, resource
counts = []
for _ in range(6):
    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
    pieces = [np.ones(2**20) for _ in range(4)]
    del pieces
print(json.dumps([counts[1] - counts[0], counts[-1] - counts[1]]))
"""
    first, others = run(sys.executable, code, **{**dict.fromkeys(runtime._MALLOC_CHOICES), **users_choice})
    assert (others < first / 2) is kept and first > 32


def test_import_has_no_other_side_effect(loaded):
    assert loaded["untouched"] and loaded["filters"] and loaded["loaded"] == []


def test_mxnet_and_its_company_load_together(loaded):
    assert loaded["together"] == [[4, 2, 3], True, 3, True]


def test_a_layer_computes_the_same_on_every_python(loaded):
    runtime.seed_all(1)
    layer = nn.LSTM(3, num_layers=2)
    layer.initialize()
    outputs = layer(mx.nd.random.normal(shape=(4, 2, 5))).asnumpy().ravel()
    # One MXNet, seed and machine; but builds of NumPy and SciPy may differ in the last digits of an initial matrix:
    # eight roundings of the factorisation, and four steps of two layers of up to eight inputs and units.
    np.testing.assert_allclose(loaded["outputs"], outputs, rtol=0, atol=rounding("float32", 8 * 4 * 2 * 8))


class TestPhysicalCores:
    V1 = "3:cpu,cpuacct:/\n2:memory:/x\n0::/"  # the control groups of a process, as version 1 lists them

    @pytest.fixture
    def machine(self, tmp_path, monkeypatch):
        """Return a function that pretends a machine: its processors' siblings, and files of control groups."""
        def pretend(siblings, name="core_cpus_list", membership="", **quotas):
            for cpu, text in enumerate(siblings):
                folder = tmp_path / "cpus" / f"cpu{cpu}" / "topology"
                folder.mkdir(parents=True)
                (folder / name).write_text(text + "\n")
            for path, text in quotas.items():
                file = tmp_path / "groups" / path.replace("__", "/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text + "\n")
            (tmp_path / "self").write_text(membership)
            monkeypatch.setattr(runtime, "_CPUS", tmp_path / "cpus")
            monkeypatch.setattr(runtime, "_CGROUPS", tmp_path / "groups")
            monkeypatch.setattr(runtime, "_SELF_CGROUP", tmp_path / "self")
            monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
        return pretend

    @pytest.mark.parametrize("name", ["core_cpus_list", "thread_siblings_list"])
    @pytest.mark.parametrize(("siblings", "cores"), [
        (["0", "1", "2", "3"], 4),
        (["0,2", "1,3", "0,2", "1,3"], 2),
        (["0-1", "0-1", "2-3", "2-3", "4-5", "4-5"], 2),  # the last core is not in the affinity mask
        ([], 4),  # no topology is told: each processor counts
    ])
    def test_hyper_threads_of_one_core_count_once(self, machine, name, siblings, cores):
        machine(siblings, name)
        assert runtime.physical_cores() == cores

    @pytest.mark.parametrize(("membership", "quotas", "cores"), [
        ("0::/", {"cpu.max": "max 100000"}, 4),
        ("0::/", {"cpu.max": "200000 100000"}, 2),
        ("0::/", {"cpu.max": "50000 100000"}, 1),
        ("0::/", {"cpu.max": "900000 100000"}, 4),
        ("0::/a/b", {"a__cpu.max": "300000 100000", "a__b__cpu.max": "max 100000"}, 3),  # the parent's limit holds
        ("0::/only/the/host/sees/this", {"cpu.max": "200000 100000"}, 2),
        (V1, {"cpu__cpu.cfs_quota_us": "100000", "cpu__cpu.cfs_period_us": "100000"}, 1),
        (V1, {"cpu__cpu.cfs_quota_us": "-1", "cpu__cpu.cfs_period_us": "100000"}, 4),
    ])
    def test_a_control_groups_quota_is_kept(self, machine, membership, quotas, cores):
        machine(["0", "1", "2", "3"], membership=membership, **quotas)
        assert runtime.physical_cores() == cores

    def test_without_affinity_masks_all_processors_count(self, machine, monkeypatch):
        machine([])
        monkeypatch.delattr(os, "sched_getaffinity")
        monkeypatch.setattr(os, "cpu_count", lambda: 3)
        assert runtime.physical_cores() == 3


class TestSeed:
    @staticmethod
    def draw():
        return [random.random(), np.random.rand(3).tolist(), mx.nd.random.normal(shape=(3,)).asnumpy().tolist()]

    @pytest.mark.parametrize("value", [0, 7, 2**31 - 1, np.int64(7)])
    def test_it_makes_all_three_sources_repeat(self, value):
        runtime.seed_all(value)
        first = self.draw()
        moved_on = self.draw()
        runtime.seed_all(value)
        assert self.draw() == first
        assert all(a != b for a, b in zip(first, moved_on))

    @pytest.mark.parametrize("value", [-1, 2**31, 1.0, "1", None, True])
    def test_what_is_no_seed_is_refused(self, value):
        with pytest.raises(ValueError, match="seed: expected a whole number from 0 to 2147483647, got"):
            runtime.seed_all(value)


class TestReport:
    def test_ten_lines_name_what_decides_the_speed(self):
        lines = {line[:17].strip(): line[18:] for line in runtime.report().splitlines()}
        assert len(lines) == 10
        assert lines["libraries"].startswith(f"MXNet {mx.__version__}, NumPy {np.__version__}")
        assert lines["OpenMP threads"] == os.environ["OMP_NUM_THREADS"]

    @pytest.mark.parametrize("kernels, engine, threads, expected", [
        ({"a": "Prescott"}, None, None, "OPENBLAS_CORETYPE=Haswell"),
        ({"a": "Zen"}, None, None, "nothing that is known"),
        ({"a": "Zen"}, "NaiveEngine", None, "no MXNET_ENGINE_TYPE=NaiveEngine"),
        ({"a": "Zen"}, None, "1", "OMP_NUM_THREADS=4"), ({"a": "Zen"}, None, "4", "nothing that is known")])
    def test_advice(self, monkeypatch, kernels, engine, threads, expected):
        monkeypatch.setattr(runtime, "physical_cores", lambda: 4)
        monkeypatch.setattr(runtime.openblas, "processor_features", lambda: {"avx2", "fma"})
        for name, value in (("MXNET_ENGINE_TYPE", engine), ("OMP_NUM_THREADS", threads)):
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
        assert runtime.advice(kernels).startswith(expected)


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64",
                    reason="registers of x86-64")
def test_denormals_are_0_in_the_thread_that_asks_and_in_those_it_starts():
    def tiny():
        return float(np.float32(1e-38) * np.array([0.5], dtype=np.float32)[0])

    found = {}

    def asking():
        found["before"] = tiny()
        found["done"] = runtime.flush_denormals()
        found["after"], found["input"] = tiny(), float(np.array([1e-40], dtype=np.float32)[0] * np.float32(1e10))
        child = threading.Thread(target=lambda: found.update(child=tiny()))
        child.start()
        child.join()

    thread = threading.Thread(target=asking)
    thread.start()
    thread.join()
    # half of 1e-38 is denormal in float32: below 1.18e-38
    assert found == {"before": pytest.approx(5e-39, rel=1e-5), "done": True, "after": 0.0, "input": 0.0, "child": 0.0}
    assert tiny() > 0, "other threads are as they were"
