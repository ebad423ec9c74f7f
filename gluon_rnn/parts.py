"""From the named parts of a recipe to objects: ``encoder: {name: lstm, hidden_size: 64}`` becomes an LSTM."""
from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError, Part, check_arguments
from gluon_rnn.registry import encoders, models

__all__ = ["build_model", "build_part", "check_part"]

#: Arguments of a model that are encoders themselves.
NESTED = ("encoder", "decoder", "char_encoder")


def check_part(where, registry, section, given=()):
    """Check a part's name and the names and types of its arguments, less those `given` by the code.

    Raises
    ------
    ConfigError
        With the YAML path, which begins with `where`.
    """
    try:
        parameters = registry.parameters(section.name)
    except ValueError as error:
        raise ConfigError(f"{where}.name: {error}") from error
    check_arguments(where, section.arguments, {key: parameters[key] for key in parameters if key not in given},
                    neighbours=type(section).model_fields)


def build_part(where, registry, section, fixed=(), **given):
    """Return the object that a section describes.

    Parameters
    ----------
    where : str
        YAML path of the section.
    registry : Registry
    section : Part
    fixed : sequence of str
        Arguments that have one right value here, so that a recipe may not set them.
    given
        Arguments that the code fills in.

    Raises
    ------
    ConfigError
        If the name, an argument or the value of one is wrong; it names the YAML path.
    """
    check_part(where, registry, section, (*fixed, *given))
    return _construct(where, registry.get(section.name), {**section.arguments, **given})


def build_model(section, fixed=("layout",), **given):
    """Return the model of a recipe's ``model`` section, its encoders built first; not initialised.

    Parameters and errors are those of `build_part`.
    """
    check_part("model", models, section, (*fixed, *given))
    arguments = section.arguments
    for key in NESTED:
        if arguments.get(key) is not None:
            path = f"model.{key}"
            part = configuration.section(Part, arguments[key], path)
            arguments[key] = build_part(path, encoders, part, fixed=("layout",))
    return _construct("model", models.get(section.name), {**arguments, **given})


def _construct(where, cls, arguments):
    try:
        return cls(**arguments)
    except ConfigError:
        raise
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {error}") from error
