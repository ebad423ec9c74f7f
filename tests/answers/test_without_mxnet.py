"""Pipelines where NumPy is the only library: every module of `gluon_rnn/answers/` loads and answers.

In a process in which every import of anything but NumPy, the standard library and this package fails.
"""
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not hasattr(sys, "stdlib_module_names"), reason="the list of the standard library's "
                                                                                "modules is there from Python 3.10 on")
ALONE = """
import json, sys

class Alone:
    known = {*sys.stdlib_module_names, "numpy", "gluon_rnn", "tests"}

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in self.known:
            raise ImportError(f"{name} is kept away")

sys.meta_path.insert(0, Alone())
"""
EVERYTHING = """
import importlib, pkgutil, gluon_rnn
from gluon_rnn import answers
for module in pkgutil.iter_modules(answers.__path__):
    importlib.import_module(f"gluon_rnn.answers.{module.name}")
print(json.dumps([name for name in sys.modules if name.startswith("gluon_rnn.answers.")]))
"""
ANSWERS = """
import numpy as np
from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.vocabulary import Vocabulary
from tests.answers.networks import RunningSums

vocab = Vocabulary(["<unk>", "dull", "fine"], unknown_token="<unk>").to_json()
trajectory = {"features": 1, "mean": [0.0], "deviation": [2.0], "differences": False, "delimiter": ","}
audio = json.dumps({"sample_rate": 8000, "features": "logmel", "num_mels": 2, "num_coefficients": 13, "window": 0.025,
                    "hop": 0.01, "deltas": 0, "standardize": "none"})
files = {"labels.json": json.dumps(["bad", "good"]), "words.json": vocab, "chars.json": vocab,
         "tags.json": json.dumps({"tags": ["A", "B"]}), "frames.json": json.dumps({"num_keys": 2}),
         "targets.json": json.dumps({"names": ["y"], "scaler": {"kind": "standard", "offset": [1.0], "scale": [2.0]}})}
weight = np.array([[0, 0], [1, -1], [-1, 1.0]])

def opened(task, network, reader=None, **options):
    return open_pipeline(task, {"model": network}, {**files, "reader.json": reader}.get, options)

text = json.dumps(["text", json.dumps({"vocab": vocab, "unit": "word", "lower": False, "max_length": None})])
found = {"text": next(iter(opened("classification", RunningSums(weight, True), text).predict("fine film"))),
         "value": opened("regression", RunningSums([[1.0]], True), json.dumps(trajectory)).predict("3, 1"),
         "tags": opened("tagging", RunningSums(weight), spelling="grouped").predict("fine dull dull").tags,
         "frames": opened("frames", RunningSums(np.eye(2))).predict(np.eye(2), length=1, temperature=0).tolist()}
strings = opened("ctc", RunningSums(np.eye(2, 3)), audio)
found["labels"] = strings.predict(np.array([[9, 0], [0, 99.0]]))["labels"]
for name, call in (("recording", lambda: strings.predict("a.wav")), ("roll", lambda: opened(
        "frames", RunningSums(np.eye(2))).predict("README.md"))):
    try:
        call()
    except ValueError as error:
        found[name] = str(error)
print(json.dumps(found))
"""
SEARCHES = """
import pathlib, tempfile
import numpy as np
from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.vocabulary import Vocabulary
from tests.answers.networks import Automaton, Chain, First, Linear, RunningSums

class Pair:
    def __call__(self, inputs, states, valid_length, *signals):
        return np.zeros((*signals[0].shape, 5)) if signals else None, [valid_length]

vocab = Vocabulary(["<bos>", "<eos>", "<unk>", "a", "b"], unknown_token="<unk>", bos_token="<bos>", eos_token="<eos>")
letters = Vocabulary(["<unk>", "a", "b", "c"], unknown_token="<unk>")
columns = {"kind": "none", "offset": [0.0], "scale": [1.0]}
files = {"source_vocab.json": vocab.to_json(), "target_vocab.json": vocab.to_json(),
         "tokenizer.json": json.dumps({"unit": "word", "lower": True}), "vocab.json": letters.to_json(),
         "text.json": json.dumps({"unit": "character", "separator": ""}),
         "classes.json": json.dumps({"labels": ["up", "down"], "unit": "character", "abc": False}),
         "scaler.json": json.dumps({"x": columns, "y": columns, "input_names": ["u"], "target_names": ["y"]}),
         "series.json": json.dumps({"washout": 2, "season": None, "formats": {}})}

def opened(task, networks, **options):
    return open_pipeline(task, networks, files.get, options)

translation = opened("translation", {"encoder": Pair(), "step": Automaton(5, 0), "model": Pair()}, beam_size=3)
series = opened("forecasting", {"open_loop": Linear(False), "closed_loop": Linear(True)}, memory=2,
                parameters_per_output=2, mean=1)
path = pathlib.Path(tempfile.mkdtemp()) / "a.csv"
path.write_text("u,y\\n2,1\\n2,1\\n2,0\\n2,\\n")
found = {"translation": translation.predict(["A b.", "b"])[0].source_tokens,
         "written": opened("language_model", {"model": RunningSums(9 * np.eye(4))}).predict("b", 3, temperature=0),
         "class": opened("conditional_language_model", {"first": First(), "model": Chain()}).predict("up"),
         "series": series.predict_file(path).predictions.tolist()}
print(json.dumps(found))
"""


def run(code):
    done = subprocess.run([sys.executable, "-c", ALONE + code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_module_loads_without_another_library():
    files = (ROOT / "gluon_rnn" / "answers").glob("[!_]*.py")
    assert sorted(run(EVERYTHING)) == sorted(f"gluon_rnn.answers.{file.stem}" for file in files)


def test_pipelines_answer():
    found = run(ANSWERS)
    assert found.pop("value") == pytest.approx({"y": 1 + 2 * 2.0})        # (3 + 1) / 2 = 2, scaled
    assert found.pop("recording") == ("reading recordings needs soundfile and libsndfile, which are not installed; "
                                      "pip install soundfile")
    assert "README.md: reading a MATLAB file needs SciPy" in found.pop("roll")
    assert found == {"text": "good", "tags": ["B", "A", "A"], "labels": ["bad", "good"],
                     "frames": [[1, 0], [0, 1], [1, 1]]}


def test_pipelines_that_search_and_feed_back_answer():
    found = run(SEARCHES)
    # 0.5 * 2 - 0.3 * 1 + 0.2 * 1, then 0.5 * 2 - 0.3 * 0 + 0.2 * 1, in float32
    assert np.ravel(found.pop("series")) == pytest.approx([0.9, 1.2])
    assert found == {"translation": ["a", "b", "\uffed.", "<eos>"], "written": "bbbb", "class": ["abc"]}
