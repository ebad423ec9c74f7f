"""From the named parts of a recipe to objects: ``encoder: {name: lstm, hidden_size: 64}`` becomes an LSTM."""
import gluon_rnn.data
import gluon_rnn.models  # importing the packages registers their members
import gluon_rnn.nn  # noqa: F401
from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError, Part, check_arguments
from gluon_rnn.data import placement
from gluon_rnn.registry import datasets, encoders, models, outputs

__all__ = ["ModelPlan", "build_data", "build_part", "check_model", "check_part"]

#: Arguments of a model that are parts themselves, and the registry that each is in.
NESTED = {"encoder": encoders, "decoder": encoders, "char_encoder": encoders, "output": outputs}
# Arguments of a model that tell its encoder what its input is like.
_INPUT_SIZES = ("input_size", "output_size", "num_keys", "max_children", "edge_kinds")


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


def check_model(section, given=()):
    """Check names, and names and types of arguments, of a model and of the encoders in it; see `check_part`."""
    check_part("model", models, section, ("layout", *given))
    parameters = models.parameters(section.name)
    for key in NESTED:
        needed = key in parameters and parameters[key].default is parameters[key].empty
        if needed and section.arguments.get(key) is None:
            raise ConfigError(f"model.{key}: expected a mapping such as {{name: lstm, hidden_size: 64}}, got null")
    for where, part in _nested(section).items():
        check_part(where, _registry(where, section), part, ("layout",))


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


def build_data(section):
    """Return the data set of a recipe's section `data`; ConfigError where a value, or its data, are wrong."""
    try:
        placement.check_readable(section.arguments)
    except ValueError as error:
        raise ConfigError(f"data.{error}") from error
    return build_part("data", datasets, section)


class ModelPlan:
    """The model of a recipe: its encoders are built now, the rest when the sizes are known that only data tell.

    So a wrong recipe is refused before data are read, and the encoders of the check are those of the model.

    Parameters
    ----------
    section : gluon_rnn.config.Model
        Of a recipe.
    given : sequence of str
        Arguments of the model that are sizes of the data, which a recipe may not set.

    Attributes
    ----------
    name : str
        Of the model.

    Raises
    ------
    ConfigError
        If a name, an argument or a value of one is wrong; it names the YAML path.
    """

    def __init__(self, section, given):
        check_model(section, given)
        self.name = section.name
        self._section, self._told = section, {}
        self._encoders = self._build_encoders()

    def check(self, **sizes):
        """Raise ConfigError where the model refuses its arguments; `sizes` are some that data might have."""
        self._construct(self._encoders, sizes)
        self._told = sizes

    def build(self, **sizes):
        """Return the model for data of these `sizes`, not initialised; it takes the plan's encoders with it."""
        handed_on, self._encoders = self._encoders, None
        guessed_wrong = any(key in self._told and self._told[key] != sizes.get(key) for key in _INPUT_SIZES)
        if handed_on is None or guessed_wrong:              # another model has them, or their input has another size
            handed_on = self._build_encoders()
        return self._construct(handed_on, sizes)

    def _build_encoders(self):
        return {where.removeprefix("model."): build_part(where, _registry(where, self._section), part, ("layout",))
                for where, part in _nested(self._section).items()}

    def _construct(self, built, sizes):
        return _construct("model", models.get(self._section.name), {**self._section.arguments, **built, **sizes})


def _nested(section):
    """Return {YAML path: section} of the encoders, and of the output layer, in a model's section."""
    given = {f"model.{key}": section.arguments[key] for key in NESTED if section.arguments.get(key) is not None}
    return {where: configuration.section(Part, values, where) for where, values in given.items()}


def _registry(where, section):
    """Return the registry of a part in a model; one that takes no sequences names its own."""
    key = where.removeprefix("model.")
    return getattr(models.get(section.name), "registries", {}).get(key, NESTED[key])


def _construct(where, cls, arguments):
    try:
        return cls(**arguments)
    except ConfigError:
        raise
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {error}") from error
