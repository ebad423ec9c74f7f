"""Where arrays come from: files without code in them, and everything else refused in a sentence."""
import json
import pickle
import zipfile

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.answers import unpacking
from gluon_rnn.convert import from_gluon, from_keras, from_onnx, from_torch
from gluon_rnn.convert.sources import read_arrays, read_params


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("ending", [".pt", ".pth", ".bin", ".pkl", ".PT", ".ckpt", ".safetensors"])
def test_no_pickle_is_opened(tmp_path, ending):
    path, trace = tmp_path / f"model{ending}", tmp_path / "opened"
    path.write_bytes(pickle.dumps(Trap(trace)))
    for read in (from_torch, from_keras, from_onnx, from_gluon):
        if read is from_onnx:
            pytest.importorskip("onnx")
        with pytest.raises(ValueError, match=r"is a pickle, which runs code .*safetensors.torch.save_file\("):
            read(path)
    assert not trace.exists()


def test_a_pickle_in_an_npz_file_is_not_opened(tmp_path):
    path, trace = tmp_path / "model.npz", tmp_path / "opened"
    np.savez(path, weight_ih_l0=np.array([Trap(trace)], dtype=object))
    with pytest.raises(ValueError, match=r"cannot be read as .npz without pickle"):
        read_arrays(path)
    assert not trace.exists()


def test_a_torch_file_by_another_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.safetensors", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    with pytest.raises(ValueError, match="is a pickle"):
        read_arrays(tmp_path / "model.safetensors")


@pytest.mark.parametrize("content", [b"", b"\x00" * 20, b"\xff" * 8, b"\x10\x00\x00\x00\x00\x00\x00\x00{\"a\": 1}"])
def test_damaged_files(tmp_path, content):
    pytest.importorskip("safetensors")
    for name, read in (("m.safetensors", read_arrays), ("m.npz", read_arrays), ("m.params", read_params)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}' (is no|cannot)"):
            read(tmp_path / name)


def damaged(content, place):
    """Return the content of a zip with other bytes in the middle of an entry."""
    return content[:place] + b"\xff" * 8 + content[place + 8:]


@pytest.mark.parametrize("pack", [np.savez, np.savez_compressed])
def test_a_damaged_npz_and_an_npy_of_that_name(tmp_path, pack):
    path = tmp_path / "m.npz"
    pack(path, weight=np.random.rand(40, 5))
    content = path.read_bytes()
    np.testing.assert_array_equal(read_arrays(path)[0]["weight"].shape, (40, 5))
    for wrong in (damaged(content, 400), damaged(content, 60), content[:-30], content[:200]):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match="m.npz' cannot be read as .npz without pickle: "):
            read_arrays(path)
    with open(path, "wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(ValueError, match="m.npz' cannot be read as .npz without pickle: File is not a zip file"):
        read_arrays(path)


def test_an_npz_that_unpacks_to_far_more_than_it_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "_ALWAYS", 2**20)
    np.savez_compressed(tmp_path / "m.npz", weight=np.zeros(2**18))
    with pytest.raises(ValueError, match="m.npz' cannot be read .* packed bytes unpack to 2,097,.* or more"):
        read_arrays(tmp_path / "m.npz")


def test_a_damaged_file_of_keras(tmp_path):
    pytest.importorskip("h5py")
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(np.random.rand(40).tolist()))
    (tmp_path / "m.keras").write_bytes(damaged((tmp_path / "m.keras").read_bytes(), 60))
    with pytest.raises(ValueError, match="m.keras' is no file of Keras's, or is damaged: "):
        from_keras(tmp_path / "m.keras")


def test_a_truncated_file(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file({"weight_ih_l0": np.ones((20, 3))}, tmp_path / "m.safetensors")
    (tmp_path / "m.safetensors").write_bytes((tmp_path / "m.safetensors").read_bytes()[:-8])
    with pytest.raises(ValueError, match="is no .safetensors file, or is damaged"):
        read_arrays(tmp_path / "m.safetensors")


def test_what_is_no_source(tmp_path):
    with pytest.raises(FileNotFoundError, match="No such file.*m.safetensors"):
        read_arrays(tmp_path / "m.safetensors")
    (tmp_path / "m.csv").write_text("1")
    with pytest.raises(ValueError, match="expected a mapping .* read the file with its own library and pass the"):
        read_arrays(tmp_path / "m.csv")
    for read in (read_arrays, read_params):
        with pytest.raises(TypeError, match="expected a mapping of names to arrays.* got int"):
            read(3)


def test_arrays_of_any_library():
    arrays, name = read_arrays({"a": mx.nd.ones((2,)), "b": np.ones(2), "c": [1.0, 1.0]})
    assert name == "the mapping"
    assert all(isinstance(value, np.ndarray) and value.sum() == 2 for value in arrays.values())


def test_arrays_without_names(tmp_path):
    mx.nd.save(str(tmp_path / "m.params"), [mx.nd.ones(1)])
    with pytest.raises(ValueError, match="holds arrays without names; save them with save_parameters"):
        read_params(tmp_path / "m.params")
