"""The load of many clients, on a fake and on a model of the zoo: no answer is lost or mixed up. Tests
`scripts/benchmark_serving.py`, too.

The figures of 30 seconds are in docs/serving.md; here the load is short.
"""
import re

import httpx
import numpy as np
import pytest

from gluon_rnn.benchmark.serving import Load, ask_alone, load, memory, same
from gluon_rnn.serve import build_app, open_model, running
from scripts import benchmark_serving
from tests.serve.fakes import expected, fake


@pytest.mark.parametrize("seconds", [0.0, 0.02])
def test_64_clients_of_a_fake_get_their_own_answers(seconds):
    served = fake(seconds)
    items = [(f"text {number}", expected(f"text {number}")) for number in range(500)]
    with running(build_app(served)) as address:
        found = load(address, items, connections=64, seconds=1.5)
    assert (found.wrong, found.refused, found.lost) == ([], [], 0) and len(found.seconds) >= 64
    sizes = set(map(len, served.predictor.batches))
    assert sizes <= {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64} and served.predictor.threads == {"model_0"}
    assert max(map(len, served.predictor.batches)) > 8, "requests share calls"


def test_64_clients_of_a_model_get_their_own_answers_and_memory_stays():
    with running(build_app(open_model("tdnn_names"))) as address:
        items = ask_alone(address, benchmark_serving.ITEMS)
        load(address, items, 64, 1.0)
        before = memory(address)
        found = load(address, items, connections=64, seconds=2.5)
        after = memory(address)
        batches = httpx.get(f"{address}/metrics").text
    assert (found.wrong, found.refused, found.lost) == ([], [], 0) and len(found.seconds) >= 64
    assert after < before + 30e6, "clients and server are one process here; leaks of a request grow by its size"
    items, calls = (float(re.search(rf"gluon_rnn_batch_items_{name} (\S+)", batches)[1]) for name in ("sum", "count"))
    assert items / calls > 2, "requests share calls"


def test_a_wrong_answer_a_refused_request_and_a_lost_connection_are_counted():
    with running(build_app(fake())) as address:
        found = load(address, [("a", expected("b")), ("bad", None)], connections=2, seconds=0.3)
    assert {item for item, _ in found.wrong} == {"a"} and found.wrong[0][1] == expected("a")
    assert set(found.refused) == {(422, '{"detail":"item: \'bad\' is bad"}')}
    assert load(address, [("a", None)], connections=3, seconds=0.1).lost == 3, "nobody listens there now"


def test_figures_in_words():
    found = Load(np.array([0.010] * 98 + [0.500] * 2), 2.0, [], [], 0)
    assert str(found) == "100 answers, 50 a second, p50 10.0 ms, p99 500.0 ms; 0 wrong, 0 refused, 0 lost"


@pytest.mark.parametrize("one, other, equal", [
    ({"a": 0.5, "b": [1, "x"]}, {"a": 0.5000001, "b": [1, "x"]}, True), ({"a": 0.5}, {"a": 0.51}, False),
    ({"a": 1.0}, {"b": 1.0}, False), ([1.0], [1.0, 2.0], False), ("x", "y", False), (None, None, True),
    (None, 1.0, False), (1000.001, 1000.0, True)])
def test_answers_are_the_same_up_to_rounding(one, other, equal):
    assert same(one, other) == equal


@pytest.mark.slow
def test_the_script_measures_batches_beside_single_items(capsys, tmp_path):
    (tmp_path / "items.txt").write_text("Rossi\nSato\n")
    assert benchmark_serving.main(["tdnn_names", "--seconds", "0.3", "--connections", "4", "--max-batch", "8", "1",
                                   "--items", str(tmp_path / "items.txt")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["max-batch 8", "max-batch 1"]
    assert all("0 wrong, 0 refused, 0 lost; memory" in line for line in lines)


def test_the_script_says_what_did_not_start(capfd):
    with pytest.raises(ValueError, match="gluon_rnn serve no_model --port 0 --max-batch 64 did not start"):
        benchmark_serving.main(["no_model", "--max-batch", "64"])
    assert "no model of the zoo has this name" in capfd.readouterr().err


