"""Headers of MXNet's files of arrays: those that MXNet writes, and files that say what they do not hold."""
import struct

import mxnet as mx
import pytest

from gluon_rnn.params_file import ParamsFileError, load, read_header

ARRAYS = {"arg:weight": mx.nd.array([[1.5, -2], [3, 4]]), "half": mx.nd.ones((3,), dtype="float16"),
          "käse": mx.nd.array([7], dtype="int32"), "double": mx.nd.zeros((2, 1, 2), dtype="float64"),
          "long": mx.nd.array([1, 2], dtype="int64"), "small": mx.nd.array([1, 2], dtype="int8")}
#: where the parts of the first array stand: after two numbers and the count
FIRST = 24


@pytest.fixture
def path(tmp_path):
    mx.nd.save(str(tmp_path / "a.params"), ARRAYS)
    return tmp_path / "a.params"


def test_the_header_is_what_was_saved(path):
    assert read_header(path) == {name: (array.shape, array.dtype.__name__) for name, array in ARRAYS.items()}
    found = load(path)
    assert set(found) == set(ARRAYS) and found["arg:weight"].asnumpy().tolist() == [[1.5, -2], [3, 4]]


def test_a_file_of_no_arrays(tmp_path):
    mx.nd.save(str(tmp_path / "none.params"), {})
    assert load(tmp_path / "none.params") == {}


def test_every_file_that_ends_early_or_late_is_refused(path):
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ParamsFileError, match="ends within|is no file of MXNet|more than it has room for"):
            read_header(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(ParamsFileError, match="goes on for 1 bytes after its end"):
        read_header(path)


@pytest.mark.parametrize("place, form, value, message", [
    (0, "Q", 0x113, "is no file of MXNet's parameters"), (16, "Q", 2**60, "arrays, which is more than it has room"),
    (FIRST, "I", 0xF993FAC8, "of another version"), (FIRST + 4, "i", 1, "sparse"), (FIRST + 8, "i", 0, "of 0 axes"),
    (FIRST + 8, "i", 2**31 - 1, "axes, and 1 to 32"), (FIRST + 12, "q", 2**40, "ends within an array of the shape"),
    (FIRST + 12, "q", -2, "of the shape"), (FIRST + 12, "q", 0, "of the shape"),
    (FIRST + 28, "i", 9, "on the device 9:0"), (FIRST + 36, "i", 77, "of the type 77")])
def test_what_does_not_fit_is_refused_before_mxnet_reads_it(path, place, form, value, message):
    content = bytearray(path.read_bytes())
    content[place:place + struct.calcsize(form)] = struct.pack(f"<{form}", value)
    path.write_bytes(content)
    with pytest.raises(ParamsFileError, match=message):
        load(path)


def test_names(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b"small", b"sm\xffll"))
    with pytest.raises(ParamsFileError, match="no UTF-8"):
        read_header(path)
    path.write_bytes(content.replace(b"long", b"half"))
    with pytest.raises(ParamsFileError, match="has the name 'half' twice"):
        read_header(path)
    with pytest.raises(ParamsFileError, match="is no file;"):
        read_header(path.parent)
