"""Kernels of OpenBLAS: which ones a processor can run, when they are set, and that wrong products are noticed.

Tests `openblas.py` and `openblas_probe.py`.
"""
import json

import numpy as np
import pytest

from gluon_rnn import openblas, openblas_probe

AVX512 = "fma avx2 avx512f avx512cd avx512bw avx512dq avx512vl"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the folder where results are kept, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "gluon_rnn"


@pytest.fixture
def probes(monkeypatch):
    """Return a function that sets what a probe finds, by core type; it gives the list of the probes made."""
    def pretend(**found):
        made = []

        def probe(variables):
            made.append(variables.get(openblas.VARIABLE, "unset"))
            return found.get(made[-1])
        monkeypatch.setattr(openblas, "_probe", probe)
        return made
    return pretend


def answer(kernel, wrong=()):
    return {"architectures": {"libopenblas.so.0": kernel}, "wrong": list(wrong)}


@pytest.mark.parametrize("features, core_type", [("sse2 sse4_1", None), ("sse2 avx2", None), ("avx2 fma", "Haswell"),
                                                 (AVX512, "SkylakeX"), ("avx512f avx2 fma", "Haswell")])
def test_a_core_type_needs_all_of_its_features(tmp_path, monkeypatch, features, core_type):
    text = f"processor\t: 0\nmodel\t\t: 207\nflags\t\t: fpu {features}\n\nprocessor\t: 1\nflags\t\t: other\n"
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(openblas, "_CPU_INFO", tmp_path / "cpuinfo")
    assert openblas.processor_features() == {"fpu", *features.split()}
    assert openblas.best_core_type(openblas.processor_features()) == core_type


@pytest.mark.parametrize("found, chosen", [
    (dict(unset=answer("Prescott"), Haswell=answer("Haswell")), "Haswell"),
    (dict(unset=answer("Zen"), Haswell=answer("Haswell")), ""),                     # it knows the processor
    (dict(unset=answer("Prescott"), Haswell=answer("Haswell", ["numpy float32 (3, 7, 5)"])), ""),
    (dict(unset=answer("Prescott")), ""),                                           # the process died
    ({}, ""),
])
def test_kernels_are_chosen_where_openblas_falls_back_and_their_products_are_right(probes, found, chosen):
    probes(**found)
    assert openblas.find_core_type("Haswell") == chosen


def test_the_result_is_found_once_and_kept(folder, probes):
    made = probes(unset=answer("Prescott"), Haswell=answer("Haswell"))
    assert [openblas._remembered("Haswell") for _ in range(2)] == ["Haswell", "Haswell"]
    assert made == ["unset", "Haswell"]
    assert [json.loads(path.read_text()) for path in folder.iterdir()] == [{"core_type": "Haswell"}]


def test_another_version_of_a_library_is_asked_anew(folder, probes, monkeypatch):
    made = probes(unset=answer("Zen"))
    for version in ("1.26.3", "1.26.4"):
        monkeypatch.setattr(openblas, "_version", lambda package, version=version: version)
        assert openblas._remembered("Haswell") == ""
    assert made == ["unset", "unset"]


def test_a_damaged_result_and_a_folder_that_cannot_be_made_change_nothing(folder, probes, monkeypatch, tmp_path):
    probes(unset=answer("Zen"))
    openblas._remembered("Haswell")
    made = probes(unset=answer("Prescott"), Haswell=answer("Haswell"))
    next(folder.iterdir()).write_text("{")
    assert openblas._remembered("Haswell") == ""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert openblas._remembered("Haswell") == ""
    assert made == []


@pytest.mark.parametrize("choice", ["Haswell", ""])
def test_the_users_choice_stays(monkeypatch, choice):
    monkeypatch.setenv(openblas.VARIABLE, choice)
    monkeypatch.setattr(openblas, "sys", type("sys", (), {"modules": {}}))
    assert openblas.set_core_type() is None


def test_nothing_is_set_once_numpy_is_loaded(monkeypatch):
    monkeypatch.delenv(openblas.VARIABLE, raising=False)
    monkeypatch.setattr(openblas, "best_core_type", lambda features: pytest.fail("it is too late"))
    assert openblas.set_core_type() is None


def test_the_variable_is_set_before_the_libraries_load(folder, probes, monkeypatch):
    monkeypatch.setenv(openblas.VARIABLE, "any")          # so that what is set is taken back
    monkeypatch.delenv(openblas.VARIABLE)
    monkeypatch.setattr(openblas, "sys", type("sys", (), {"modules": {}, "prefix": "here"}))
    monkeypatch.setattr(openblas, "processor_features", lambda: {"avx2", "fma"})
    probes(unset=answer("Prescott"), Haswell=answer("Haswell"))
    assert openblas.set_core_type() == "Haswell" == openblas.os.environ[openblas.VARIABLE]


def test_the_best_kernels_of_this_processor_are_right():
    """In a process of its own, with NumPy's library and, where MXNet's wheel brings one, MXNet's."""
    best = openblas.best_core_type(openblas.processor_features())
    found = openblas._probe({openblas.VARIABLE: best} if best else {})
    assert found["wrong"] == [] and found["architectures"]


def test_a_wrong_product_is_noticed():
    a, b = openblas_probe._matrices((3, 7, 5), "float32")
    assert openblas_probe._is_right(a, b, np.matmul)
    assert not openblas_probe._is_right(a, b, lambda a, b: a @ b + np.float32(1e-5) * np.eye(3, 5, dtype="float32"))
