"""Names and shapes of a file of parameters, beside MXNet's own reader; every file that was cut off is refused."""
import mxnet as mx
import pytest

from gluon_rnn.training.params_file import shapes


@pytest.fixture
def path(tmp_path):
    arrays = {"weight:x.y": mx.nd.ones((3, 4)), "z": mx.nd.ones((2,), dtype="float64"),
              "q": mx.nd.ones((1, 2, 3), dtype="int32"), "h": mx.nd.ones((5,), dtype="float16")}
    mx.nd.save(str(tmp_path / "a.params"), arrays)
    return tmp_path / "a.params"


def test_names_and_shapes_are_those_of_mxnet(path):
    assert shapes(path) == {name: array.shape for name, array in mx.nd.load(str(path)).items()}
    mx.nd.save(str(path), {})
    assert shapes(path) == {}


def test_a_file_that_was_cut_off_anywhere_or_goes_on_is_refused(path):
    content = path.read_bytes()
    for wrong in (*(content[:size] for size in (*range(0, len(content), 9), len(content) - 1)), content + b"\0"):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match="a.params is no whole file of parameters"):
            shapes(path)


@pytest.mark.parametrize("place, number", [(16, 2**60), (28, 3000), (32, 2**50), (0, 0x113)])
def test_sizes_that_no_file_holds_are_refused_before_anything_is_allocated(path, place, number):
    """The number of arrays, of axes, a size of an axis, and what the file begins with."""
    content = bytearray(path.read_bytes())
    content[place:place + 8] = number.to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no whole file of parameters"):
        shapes(path)
