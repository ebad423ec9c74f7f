"""Constructors say what they take: for `help`, for a recipe's keys, and for whoever mistypes one."""
import inspect
import pydoc

import mxnet as mx
import pytest

from gluon_rnn import models, nn
from gluon_rnn.registry import encoders
from gluon_rnn.registry import models as registered

BLOCKS = sorted({cls for package in (nn, models) for cls in map(package.__dict__.get, package.__all__)
                 if inspect.isclass(cls) and issubclass(cls, mx.gluon.Block)}, key=lambda cls: cls.__name__)
MEMBERS = [(registry, name) for registry in (encoders, registered) for name in registry.names()]
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# what a constructor cannot do without
REQUIRED = {"encoder": nn.GRU, "decoder": nn.GRU, "cell": nn.GRUCell, "forward_block": nn.GRU, "backward_block": nn.GRU}


@pytest.mark.parametrize("cls", BLOCKS, ids=lambda cls: cls.__name__)
def test_every_argument_is_written_out(cls):
    parameters = inspect.signature(cls).parameters
    assert [name for name, parameter in parameters.items() if parameter.kind in VARIADIC] == []
    head = pydoc.plain(pydoc.render_doc(cls)).split("\n\n")[1]
    assert all(name in head for name in parameters)


@pytest.mark.parametrize("registry,name", MEMBERS,
                         ids=lambda value: value if isinstance(value, str) else value.kind)
def test_a_recipe_may_say_what_the_constructor_takes(registry, name):
    parameters = inspect.signature(registry.get(name)).parameters
    assert list(registry.parameters(name)) == [key for key in parameters if key not in ("prefix", "params")]


@pytest.mark.parametrize("registry,name", MEMBERS, ids=lambda value: value if isinstance(value, str) else value.kind)
def test_an_unknown_keyword_is_named(registry, name):
    needed = {key: REQUIRED[key](3) if key in REQUIRED else 3 for key, parameter in registry.parameters(name).items()
              if parameter.default is inspect.Parameter.empty}
    with pytest.raises(TypeError, match="hiden_size"):
        registry.get(name)(**needed, hiden_size=3)
    with pytest.raises(ValueError, match="has no argument 'hiden_size'"):
        registry.build(name, **needed, hiden_size=3)


def test_an_autoregression_asks_for_what_it_has():
    assert list(registered.parameters("ar"))[:2] == ["output_lag", "output_size"]
    assert registered.build("ar", output_lag=2, dtype="float64").lags.output_lag == 2
    with pytest.raises(ValueError, match="has no argument 'input_lag'"):
        registered.build("ar", output_lag=2, input_lag=1)


def test_prefix_and_shared_parameters_as_every_block_of_gluon_takes_them():
    first = nn.PeepholeLSTM(4, input_size=3, prefix="mine_")
    second = nn.PeepholeLSTM(4, input_size=3, prefix="other_")
    assert first.prefix == "mine_" and first.l0.i2h_weight.name == "mine_l0_i2h_weight"
    cell = nn.GRUCell(4, 3)
    shared = nn.GRUCell(4, 3, prefix=cell.prefix, params=cell.params)
    assert shared.i2h_weight is cell.i2h_weight and second.prefix == "other_"
