"""From sections of a recipe to objects: a model's encoders are built once, before data are read, and handed on."""
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.config import ConfigError, Model
from gluon_rnn.nn import LSTM
from gluon_rnn.parts import ModelPlan
from gluon_rnn.recipes import build_task
from tests.recipes import RECIPE, changed

SECTION = Model(name="language_model", embed_size=4, encoder={"name": "lstm", "hidden_size": 6})
FRAMES = Model(name="frame_predictor", encoder={"name": "lstm", "hidden_size": 6})


@pytest.fixture
def built(monkeypatch):
    """Return a list of all LSTMs that are built from now on."""
    found, init = [], LSTM.__init__

    def noted(self, *arguments, **options):
        init(self, *arguments, **options)
        found.append(self)

    noted.__wrapped__ = init                             # the signature is the schema
    monkeypatch.setattr(LSTM, "__init__", noted)
    return found


def test_the_encoder_of_the_check_is_that_of_the_model(built):
    plan = ModelPlan(SECTION, ("vocab_size",))
    plan.check(vocab_size=2)
    model = plan.build(vocab_size=9)
    assert built == [model.encoder] and model.vocab_size == 9


def test_a_second_model_of_a_plan_has_an_encoder_of_its_own(built):
    plan = ModelPlan(SECTION, ("vocab_size",))
    first, second = plan.build(vocab_size=9), plan.build(vocab_size=9)
    assert first.encoder is not second.encoder and len(built) == 2


def test_an_input_size_that_the_check_guessed_wrong_is_no_obstacle(built):
    for keys, count in ((88, 1), (12, 2)):
        built.clear()
        plan = ModelPlan(FRAMES, ("num_keys",))
        plan.check(num_keys=88)
        assert plan.build(num_keys=keys).encoder.input_size == keys and len(built) == count


def test_a_task_builds_its_encoder_once(built):
    task = build_task(changed(RECIPE))
    assert built == [task.model.encoder]


def test_messages_name_the_yaml_path():
    with pytest.raises(ConfigError, match="^model.encoder: hidden_size"):
        ModelPlan(Model(name="language_model", encoder={"name": "lstm", "hidden_size": 0}), ("vocab_size",))
    with pytest.raises(ConfigError, match="^model.vocab_size: unknown key"):
        ModelPlan(Model(name="language_model", vocab_size=3, encoder={"name": "lstm", "hidden_size": 2}),
                  ("vocab_size",))
