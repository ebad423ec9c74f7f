"""The registry: names to classes, and errors that name the right spelling."""
import mxnet as mx
import pytest

from gluon_rnn.registry import Registry, suggest


@pytest.fixture
def shapes():
    registry = Registry("shape")

    @registry.register("square")
    class Square:
        def __init__(self, side, *args, colour="red", **kwargs):
            self.side, self.colour = side, colour

    @registry.register("circle")
    class Circle:
        def __init__(self, radius=1.0):
            self.radius = radius

    @registry.register("squircle")
    class Squircle(Circle):
        pass

    return registry


def test_register_returns_the_class_itself_and_get_finds_it():
    registry = Registry("thing")

    class Thing:
        pass

    assert registry.register("thing")(Thing) is Thing
    assert registry.get("thing") is Thing
    assert registry.name_of(Thing) == "thing"


def test_names_are_sorted_and_filtered_by_a_shell_pattern(shapes):
    assert shapes.names() == ["circle", "square", "squircle"]
    assert shapes.names("squ*") == ["square", "squircle"]
    assert shapes.names("*hexagon*") == []


def test_a_name_cannot_be_taken_twice(shapes):
    with pytest.raises(ValueError, match="shape 'circle' is registered twice"):
        shapes.register("circle")(dict)
    assert shapes.get("circle") is not dict


def test_an_unknown_name_names_the_nearest_one(shapes):
    with pytest.raises(ValueError, match="unknown shape 'sqare'; did you mean 'square'"):
        shapes.get("sqare")


def test_an_unknown_name_that_is_near_nothing_names_all(shapes):
    with pytest.raises(ValueError, match="known: circle, square, squircle"):
        shapes.get("xyz")


def test_parameters_leave_out_self_and_the_variadic_ones(shapes):
    parameters = shapes.parameters("square")
    assert list(parameters) == ["side", "colour"]
    assert parameters["colour"].default == "red"


def test_parameters_reach_through_kwargs_to_the_base_class_and_end_without_them(shapes):
    class Base:
        def __init__(self, area, name="?"):
            self.area, self.name = area, name

    class Open(Base):
        def __init__(self, sides, name="open", **kwargs):
            super().__init__(name=name, **kwargs)
            self.sides = sides

    class Closed(Base):
        def __init__(self, sides):
            super().__init__(area=sides)

    shapes.register("open")(Open)
    shapes.register("closed")(Closed)
    parameters = shapes.parameters("open")
    assert list(parameters) == ["sides", "name", "area"]
    assert parameters["name"].default == "open"  # the class's own default, not the base's
    assert list(shapes.parameters("closed")) == ["sides"]
    built = shapes.build("open", sides=3, area=2.0)
    assert (built.sides, built.area, built.name) == (3, 2.0, "open")


def test_parameters_leave_out_those_of_mxnets_own_classes(shapes):
    class Block(mx.gluon.HybridBlock):
        def __init__(self, size, **kwargs):
            super().__init__(**kwargs)

    shapes.register("block")(Block)
    assert list(shapes.parameters("block")) == ["size"]  # "prefix" and "params" are no business of a YAML file


def test_build_constructs_with_the_arguments_given(shapes):
    square = shapes.build("square", side=3, colour="blue")
    assert (square.side, square.colour) == (3, "blue")


@pytest.mark.parametrize(("name", "arguments", "message"), [
    ("square", {"side": 1, "color": "red"}, "shape 'square' has no argument 'color'; did you mean 'colour'"),
    ("squircle", {"diameter": 2}, "shape 'squircle' has no argument 'diameter'; known: radius"),
    ("squar", {}, "did you mean 'square'"),
])
def test_build_refuses_arguments_that_the_constructor_does_not_name(shapes, name, arguments, message):
    with pytest.raises(ValueError, match=message):
        shapes.build(name, **arguments)


@pytest.mark.parametrize(("wrong", "known", "hint"), [
    ("lstn", ["gru", "lstm"], "did you mean 'lstm'?"),
    ("zzz", ["lstm", "gru"], "known: gru, lstm"),
    (3, ["gru"], "known: gru"),  # a YAML file may hold a number where a name belongs
])
def test_suggest(wrong, known, hint):
    assert suggest(wrong, known) == hint
