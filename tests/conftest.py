"""What all tests share: seeds that can be replayed, the folder of real data, and the reasons to skip."""
import gc
import importlib.util
import os
import pathlib
import shutil
import zlib

import pytest

# One thread a process: the tests' arrays are tiny, threads that wait for each other make them several times slower, and
# pytest-xdist already gives each core a process. Set before NumPy and MXNet load; a value that the user has set stays.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Temporary files in memory, where there is plenty: to remove thousands of them from a disk takes half a minute.
MEMORY = "/dev/shm"
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4e9:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)

from gluon_rnn import runtime  # noqa: E402  first of all: it prepares the process for MXNet

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEED_VARIABLE = "GLUON_RNN_TEST_SEED"
DATA_VARIABLE = "GLUON_RNN_DATA"
# Folders and files whose tests train and look at more than pictures; see `tests.pictures`.
TRAINING = {"cli", "convert", "estimators", "export", "inference", "model_zoo", "serve", "tasks", "training",
            "test_examples.py", "test_guides.py", "test_python_api.py", "test_recipe_files.py"}


def _find_data():
    """Return the folder of real data and "", or None and the reason why there is none."""
    named = os.environ.get(DATA_VARIABLE)
    folder = pathlib.Path(named) if named else ROOT.parent / "shared" / "data"
    if folder.is_dir():
        return folder.resolve(), ""
    where = f"{DATA_VARIABLE}={named} is not a folder" if named else f"{DATA_VARIABLE} is not set"
    return None, f"real data is missing: {where}"


def _reasons_to_skip():
    """Return {mark: reason} for each kind of test that this machine cannot run."""
    reasons = {}
    if _find_data()[0] is None:
        reasons["real_data"] = _find_data()[1]
    if importlib.util.find_spec("torch") is None:
        reasons["torch"] = "PyTorch is not installed"
    try:
        runtime.devices("gpu")
    except ValueError as error:
        reasons["gpu"] = str(error)
    return reasons


@pytest.hookimpl(hookwrapper=True)
def pytest_collection():
    """Leave thousands of collected tests out of each later search for garbage, which would go through all of them."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items):
    reasons = _reasons_to_skip()
    for item in items:
        for mark in {mark.name for mark in item.iter_markers()} & set(reasons):
            item.add_marker(pytest.mark.skip(reason=reasons[mark]))


def _seed_of(nodeid):
    """Return the seed of one test: the one asked for, else a number that depends on the test's name only."""
    return int(os.environ.get(SEED_VARIABLE) or zlib.crc32(nodeid.encode()) % 2**31)


@pytest.fixture(autouse=True)
def seed(request):
    """Seed Python, NumPy and MXNet before each test, and return the seed."""
    value = _seed_of(request.node.nodeid)
    runtime.seed_all(value)
    return value


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Say with each failure how to run it with the same random numbers."""
    report = (yield).get_result()
    if report.failed:
        report.sections.append(("seed", f"replay with {SEED_VARIABLE}={_seed_of(item.nodeid)}"))


@pytest.fixture(scope="module", autouse=True)
def pictures(request):
    """Render each kind of picture once where tests train."""
    path = request.path.relative_to(ROOT / "tests")
    if path.parts[0] not in TRAINING or "picture" in path.name:
        yield
        return
    from matplotlib.figure import Figure

    from tests.pictures import drawn_once
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", drawn_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_disks():
    """Have `os.fsync` look at its descriptor and return: no test cuts the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: os.fstat(descriptor) and None)
        yield


@pytest.fixture
def data_root(monkeypatch):
    """Return the folder of real data, and name it in the environment so that subprocesses find it as well."""
    folder, reason = _find_data()
    if folder is None:
        pytest.skip(reason)
    monkeypatch.setenv(DATA_VARIABLE, str(folder))
    return folder
