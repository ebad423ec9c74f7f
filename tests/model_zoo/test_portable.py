"""Paths of a machine leave a recipe, and the data that it needs are named."""
import pytest
from omegaconf import OmegaConf

from gluon_rnn.model_zoo.portable import data_paths, missing_data, portable_recipe

RECIPE = """
output_dir: /home/someone/runs
device: cpu
seed: 3
data:
  name: time_series
  path: /data/sets/a/one.csv
  train: {path: /data/sets/a/two.csv, inputs: [/ratio]}
  pattern: ['/data/sets/b/*.txt', '/data/sets-other']
"""


def written(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("root", ["/data/sets", "/data/sets/", "/data/other/../sets"])
def test_the_placeholder_comes_back(tmp_path, root):
    recipe = RECIPE.replace(", '/data/sets-other'", "").replace("/ratio", "ratio")
    text = portable_recipe(written(tmp_path, recipe), root)
    raw = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    assert raw == {"seed": 3, "data": {
        "name": "time_series", "path": "${data_root}/a/one.csv",
        "train": {"path": "${data_root}/a/two.csv", "inputs": ["ratio"]}, "pattern": ["${data_root}/b/*.txt"]}}


def test_a_path_elsewhere_is_refused_with_its_key(tmp_path):
    with pytest.raises(ValueError, match=r"config.yaml: data.pattern.1 is '/data/sets-other', .*; pass --data-root"):
        portable_recipe(written(tmp_path, RECIPE.replace("/ratio", "ratio")), "/data/sets")


def test_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("GLUON_RNN_DATA", str(tmp_path / "[sets]"))
    path = written(tmp_path, "data: {name: x, path: '${data_root}/a/one.csv', more: ['${data_root}/b/*.txt']}\n")
    assert data_paths(path) == missing_data(path) == ["a/one.csv", "b/*.txt"]
    (tmp_path / "[sets]" / "b").mkdir(parents=True)
    (tmp_path / "[sets]" / "b" / "c.txt").write_text("")
    assert missing_data(path) == ["a/one.csv"]
