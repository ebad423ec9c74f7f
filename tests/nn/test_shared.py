"""Arguments that a constructor has from its base class, and properties of a child."""
import inspect

import mxnet as mx
import pytest

from gluon_rnn.nn import GRU
from gluon_rnn.nn.shared import extends, of_child


class Base:
    def __init__(self, size, depth=1, *, rate=0.0, bias="zeros", dtype="float32"):
        self.given = size, depth, rate, bias, dtype


class Wider(Base):
    @extends(Base, bias="ones")
    def __init__(self, *args, width=2, **options):
        super().__init__(*args, **options)
        self.width = width


class Fixed(Base):
    @extends(Base, without=("rate",))
    def __init__(self, size, **options):
        super().__init__(size, **options)


class Widest(Wider):
    @extends(Wider)
    def __init__(self, *args, height=3, **options):
        super().__init__(*args, **options)
        self.height = height


def test_signatures_are_written_out():
    assert str(inspect.signature(Wider)) == "(size, depth=1, *, width=2, rate=0.0, bias='ones', dtype='float32')"
    assert str(inspect.signature(Fixed)) == "(size, *, bias='zeros', dtype='float32')"
    assert list(inspect.signature(Widest).parameters) == ["size", "depth", "height", "width", "rate", "bias", "dtype"]


def test_defaults_and_values_arrive():
    assert Wider(4).given == (4, 1, 0.0, "ones", "float32")
    assert Wider(4, 2, bias="zeros", width=5, rate=0.5).given == (4, 2, 0.5, "zeros", "float32")
    assert Widest(4, width=7).width == 7 and Widest(4).given[3] == "ones"


@pytest.mark.parametrize("cls,name", [(Wider, "widht"), (Fixed, "rate"), (Widest, "hieght")])
def test_an_unknown_keyword_is_named(cls, name):
    with pytest.raises(TypeError, match=rf"{cls.__name__}\(\) got an unexpected keyword argument '{name}'"):
        cls(4, **{name: 1})


def test_a_property_of_a_child_follows_the_child():
    class Parent(mx.gluon.Block):
        input_size = of_child("child", "input_size", "Number of input features C.")

        def __init__(self):
            super().__init__()
            self.child = GRU(3)

    parent = Parent()
    assert parent.input_size == 0 and Parent.input_size.__doc__ == "Number of input features C."
    parent.child.set_input_size(5)
    assert parent.input_size == 5
