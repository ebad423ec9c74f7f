"""A model of each task, from the zoo, answers over HTTP what its predictor answers in Python.

Tests `form.py`, `task_items.py`, `task_parts.py` and `opening.py`.
"""
import base64
import io
import json
import pathlib
import re
import subprocess
import sys
import types

import httpx
import mxnet as mx
import numpy as np
import pydantic
import pytest
import scipy.io.wavfile
from websockets.sync.client import connect

import gluon_rnn
from gluon_rnn.benchmark.serving import same
from gluon_rnn.export import export, export_run
from gluon_rnn.serve import Limits, build_app, open_model, running
from gluon_rnn.serve.form import filled, plain
from gluon_rnn.serve.task_items import ITEM_FORMS
from gluon_rnn.serve.tasks import FORMS, task_form

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS = [[47, 100], [27, 81], [57, 37], [26, 0], [0, 23], [56, 53], [100, 90], [40, 98]]
NAMES = ["Rossi", "Sato", "a", "Papadopoulos"]
SENTENCES = ["the dog barks loudly", "I see", "we were there before you came"]
GAS = {"x": [[0.1 * step] for step in range(12)], "y": [[50.0 + step] for step in range(12)]}
UNKNOWN = {**GAS, "y": GAS["y"][:9] + [None] * 3, "start": 9, "steps_ahead": None}
PAIR = {"x": np.array(GAS["x"]), "y": np.array(GAS["y"])}


def sound(seconds=0.4, rate=8000):
    """Return the bytes of a recording of noise."""
    file, samples = io.BytesIO(), np.random.default_rng(3).normal(scale=0.1, size=int(seconds * rate))
    scipy.io.wavfile.write(file, rate, samples.astype("f4"))
    return file.getvalue()


WAV = {"wav": base64.b64encode(sound()).decode()}


def frames():
    return np.random.default_rng(1).integers(0, 2, (5, 88)).tolist()


#: model -> items as a client sends them, and a function of the predictor that gives their answers in Python
ASKED = {
    "tdnn_names": (NAMES, lambda model: model.predict(NAMES)),
    "peephole_lstm_pendigits": ([ROWS, ROWS[:2], "47,100,27,81"],
                                lambda model: model.predict([sum(ROWS, []), sum(ROWS[:2], []), "47,100,27,81"])),
    "bilstm_spoken_digits": ([WAV], lambda model: model.predict([sound()])),
    "lstm_ctc_spoken_digit_strings": ([WAV, WAV], lambda model: model.predict([sound()] * 2)),
    "bilstm_char_crf_ewt_upos": (SENTENCES, lambda model: [
        {"words": found.words, "tags": found.tags} for found in map(model.predict, SENTENCES)]),
    "gru_luong_eng_fra": (SENTENCES[:2], lambda model: [
        {"text": found.text, "score": found.score, "source_tokens": found.source_tokens, "tokens": found.tokens}
        for found in map(model.predict, SENTENCES[:2])]),
    "elman_grammar": ([{"prefix": "woman", "length": 8, "seed": 3}, {"prefix": "boy", "length": 4, "temperature": 0.0}],
                      lambda model: [model.predict("woman", 8, seed=3), model.predict("boy", 4, temperature=0.0)]),
    "gru_names": ([{"label": "Irish", "count": 3, "seed": 1}, {"label": "Greek", "seed": 2, "max_length": 3}],
                  lambda model: [model.predict("Irish", 3, seed=1), model.predict("Greek", seed=2, max_length=3)]),
    "gru_jsb_chorales": ([{"source": frames(), "length": 4, "seed": 2}],
                         lambda model: [model.predict(np.array(frames(), "f4"), length=4, seed=2)]),
    "narx_gas_furnace": ([GAS, UNKNOWN, {**GAS, "steps_ahead": 2, "start": 7}], lambda model: [
        model.predict(**PAIR), model.predict(PAIR["x"], np.append(PAIR["y"][:9], [np.nan] * 3), None, 9),
        model.predict(**PAIR, steps_ahead=2, start=7)]),
    "ar_sunspots": ([{"y": list(range(30))}], lambda model: [model.predict(None, np.arange(30.0))]),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_server_answers_what_the_predictor_answers(name):
    items, in_python = ASKED[name]
    predictor = gluon_rnn.load(name)
    expected = [plain(answer) for answer in in_python(predictor)]
    with running(build_app(open_model(name))) as address, httpx.Client(base_url=address, timeout=60) as client:
        about = client.get("/model").json()
        together = client.post("/predict", json={"items": items})
        alone = [client.post("/predict", json={"item": item}).json()["answers"][0] for item in items]
    assert together.status_code == 200, together.text
    assert same(together.json()["answers"], expected) and same(alone, expected)
    assert about["name"] == name and about["kind"] == "zoo model" and about["task"] == predictor.config.task.name


def test_every_task_has_a_form_and_every_form_a_model_here():
    tasks = {gluon_rnn.model_zoo.entries.get(name).card.task for name in ASKED}
    assert set(FORMS) == set(gluon_rnn.registry.tasks.names()) and set(FORMS) - tasks == {"regression", "word_vectors"}
    with pytest.raises(ValueError, match="models of the task 'taging' are not served; did you mean 'tagging'?"):
        task_form("taging", None, Limits())


def test_a_regressor_takes_rows():
    reader = json.dumps({"features": 2, "mean": [0, 0], "deviation": [1, 1], "differences": False, "delimiter": ","})
    scaler = {"kind": "standard", "offset": [0.0], "scale": [1.0]}
    texts = {"reader.json": reader, "targets.json": json.dumps({"names": ["area"], "scaler": scaler})}
    form = task_form("regression", texts.__getitem__, Limits())
    assert form.about == {"kind": "rows", "features": 2, "targets": ["area"]} and form.batched


def test_the_page_shows_the_answers_of_every_task_whose_item_is_one_value():
    page = (ROOT / "gluon_rnn" / "serve" / "page.html").read_text(encoding="utf-8")
    shows, = re.findall(r"const shows = \{(.*?)\};", page, re.DOTALL)
    assert set(ITEM_FORMS) <= set(re.findall(r"(\w+)(?=[:,])", shows))


@pytest.mark.parametrize("task, texts, item, limited, free", [
    ("language_model", {"text.json": {"unit": "word"}}, {"prefix": "a"}, {"length": 20}, {"length": 300}),
    ("conditional_language_model", {"classes.json": {"labels": ["a"]}}, {"label": "a"}, {"max_length": 20},
     {"max_length": 600}),
    ("frames", {"frames.json": {"num_keys": 2}}, {"source": [[0, 1]]}, {"given": 20, "length": 20},
     {"given": 32, "length": 64})])
def test_what_is_left_out_is_within_the_limits_too(task, texts, item, limited, free):
    asked = []
    predictor = types.SimpleNamespace(predict=lambda **parts: asked.append(parts) or [],
                                      pipeline=types.SimpleNamespace(options={"max_length": 600}))
    for most, said in [(20, {}), (10_000, {}), (20, dict.fromkeys(limited, 7))]:
        form = task_form(task, lambda name: json.dumps(texts[name]), Limits(max_length=most))
        form.answers(predictor, [pydantic.TypeAdapter(form.item).validate_python({**item, **said})])
    assert [{name: parts[name] for name in limited} for parts in asked] == [limited, free, dict.fromkeys(limited, 7)]


STEPS = {
    "peephole_lstm_pendigits": ([[1.0, 2.0, 0.0, 0.0], [0.5, -1.0, 0.1, 0.2]], lambda steps: map(np.array, steps)),
    "gru_jsb_chorales": (frames(), lambda steps: map(np.array, steps)),
    "narx_gas_furnace": ([{"x": [0.1 * step], "y": [50.0 + step]} for step in range(9)] + [{"x": [0.5]}],
                         lambda steps: [(np.array(row["x"]), row.get("y")) for row in steps]),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_stream_answers_what_the_predictor_s_stream_answers(name):
    steps, in_python = STEPS[name]
    expected = [plain(answer) for answer in gluon_rnn.load(name).stream(in_python(steps))]
    with running(build_app(open_model(name))) as address, connect(f"{address.replace('http', 'ws')}/stream") as socket:
        socket.recv()
        found = []
        for step in steps:
            socket.send(json.dumps({"step": step}))
            found += json.loads(socket.recv())["answers"]
    assert same(found, expected) and len(found) == len(steps)


@pytest.mark.parametrize("name, sentence", [
    ("gru_luong_eng_fra", "this model answers whole items only; ask at /predict"),
    ("tdnn_names", "answers after the whole sequence, so it cannot answer step by step"),
])
def test_a_model_that_does_not_stream_says_so(name, sentence):
    with running(build_app(open_model(name))) as address, connect(f"{address.replace('http', 'ws')}/stream") as socket:
        assert sentence in json.loads(socket.recv())["detail"]


def test_batches_have_few_sizes():
    sizes = [len(filled(range(size))) for size in range(1, 257)]
    assert len(set(sizes)) == 16 and sizes == sorted(sizes)
    assert all(size <= found < 1.5 * size for size, found in enumerate(sizes, start=1))
    assert filled([7, 8, 9, 1, 2]) == [7, 8, 9, 1, 2, 2] and filled([7]) == [7]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Return the folder of a bundle of a classifier."""
    folder, trained = tmp_path_factory.mktemp("bundle") / "names", gluon_rnn.load("tdnn_names")
    example = mx.nd.array(np.arange(16).reshape(8, 2), dtype="int32")
    export(trained.model, folder, example=example, assets=trained.assets.texts(), task="classification")
    return folder


def test_a_bundle_answers_what_its_run_answers(bundle):
    served = open_model(bundle)
    assert (served.kind, served.name, served.form.task) == ("bundle", "names", "classification")
    with running(build_app(served)) as address:
        found = httpx.post(f"{address}/predict", json={"items": NAMES}, timeout=60).json()["answers"]
    assert same(found, gluon_rnn.load("tdnn_names").predict(NAMES))


def test_a_bundle_in_onnx_is_served_without_mxnet(tmp_path):
    export_run(gluon_rnn.load("narx_gas_furnace"), tmp_path / "furnace", format="onnx")
    code = ("import sys, json, httpx\nfrom gluon_rnn import serve\n"
            "with serve.running(serve.build_app(serve.open_model(sys.argv[1]))) as address:\n"
            "    print(httpx.post(f'{address}/predict', json={'item': json.loads(sys.argv[2])}).text)\n"
            "print('mxnet' in sys.modules)")
    found = subprocess.run([sys.executable, "-c", code, str(tmp_path / "furnace"), json.dumps(GAS)], cwd=ROOT,
                           text=True, capture_output=True, timeout=120)
    answer, has_mxnet = found.stdout.splitlines()
    assert has_mxnet == "False" and same(json.loads(answer)["answers"], [plain(
        gluon_rnn.load("narx_gas_furnace").predict(**PAIR))])


def test_a_bundle_without_a_task_and_a_damaged_one_are_refused(bundle, tmp_path):
    model = gluon_rnn.nn.LSTM(3, input_size=2)
    model.initialize()
    export(model, tmp_path / "block", example=mx.nd.zeros((4, 2, 2)))
    with pytest.raises(ValueError, match="holds a block and not a trained task"):
        open_model(tmp_path / "block")
    (tmp_path / "block" / "model-symbol.json").write_text("{}")
    with pytest.raises(ValueError, match="has sha256 .* but the manifest says"):
        open_model(tmp_path / "block")


@pytest.mark.parametrize("name, message", [
    ("gru_name", "there is no run in 'gru_name', and no model of the zoo has this name; the nearest are gru_names"),
    ("runs/nothing-1", "nothing-1"),
])
def test_what_is_no_model_is_one_sentence(name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, OSError)) as caught:
        open_model(name)
    assert message in str(caught.value)
