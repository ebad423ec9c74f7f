"""The command of a card trains what the recipe of the model says."""
import shlex

import pytest

from gluon_rnn import recipes
from gluon_rnn.model_zoo.commands import training_command


@pytest.mark.parametrize("name,overrides,command", [
    ("quickstart", ["seed=3", "device=cpu", "output_dir=x"], "gluon-rnn train quickstart seed=3"),
    ("tag/ewt_upos_chars", ["model.crf=true"], "gluon-rnn train tag/ewt_upos_chars model.crf=true seed=0"),
    ("quickstart", ["model.encoder.name=gru", "data.split=[0.7, 0.2, 0.1]", "training.clip_norm=null"],
     "gluon-rnn train quickstart 'data.split=[0.7, 0.2, 0.1]' model.encoder.name=gru training.clip_norm=null seed=0"),
])
def test_command(tmp_path, name, overrides, command):
    effective = recipes.load(f"configs/{name}.yaml", overrides)
    path = tmp_path / "recipe.yaml"
    path.write_text(recipes.configuration.to_yaml(effective))
    assert training_command(path, name) == command
    again = recipes.load(f"configs/{name}.yaml", shlex.split(command)[3:])
    assert again.model_dump(exclude={"output_dir", "device"}) == effective.model_dump(exclude={"output_dir", "device"})


def test_an_unknown_recipe_is_refused(tmp_path):
    (tmp_path / "recipe.yaml").write_text("data: {name: elman_grammar}\n"
                                          "model: {encoder: {name: rnn, hidden_size: 3}}\n")
    with pytest.raises(ValueError, match="there is no recipe"):
        training_command(tmp_path / "recipe.yaml", "classify/nothing")
