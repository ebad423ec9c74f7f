"""The benchmark's arithmetic and its table, and that every peer at hand answers; no test looks at a time.

Tests `language_model.py`, `ratios.py`, `worker.py`, `peers.py` and `gluon_rnn/cli/benchmark.py` too.
"""
import csv
import io
import json
import math
import shlex

import mxnet as mx
import pytest

from gluon_rnn.benchmark import language_model, layers, ratios, worker
from gluon_rnn.benchmark.peers import Peer, PeerError, measure
from gluon_rnn.cli import benchmark
from gluon_rnn.cli.main import main

TINY = [(3, 2, 4)]


def case(**changes):
    tiny = dict(kind="layers", cell="lstm", T=3, N=2, H=4, layers=2, bidirectional=False, backward=False)
    return dict(tiny, **changes)


def test_every_case_is_there_once():
    every = layers.cases()
    assert len(every) == 3 * 5 * 2 * 2
    assert len({json.dumps(one, sort_keys=True) for one in every}) == len(every)


@pytest.mark.parametrize("cell, gates", [("rnn", 1), ("gru", 3), ("lstm", 4)])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_flops_are_those_of_the_weights(cell, gates, bidirectional):
    """Counted from Gluon's own weight shapes: a (rows, columns) weight costs 2 rows columns per step and sequence."""
    kind = {"rnn": mx.gluon.rnn.RNN, "gru": mx.gluon.rnn.GRU, "lstm": mx.gluon.rnn.LSTM}[cell]
    layer = kind(4, 2, bidirectional=bidirectional, input_size=4)
    shapes = [parameter.shape for name, parameter in layer.collect_params().items() if name.endswith("weight")]
    expected = sum(2 * 3 * 2 * rows * columns for rows, columns in shapes)
    assert layers.flops(case(cell=cell, bidirectional=bidirectional)) == expected
    assert layers.flops(case(cell=cell, bidirectional=bidirectional, backward=True)) == 3 * expected


def test_calibrate_fills_the_time(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(worker.time, "perf_counter", lambda: clock[0])

    def call():
        clock[0] += 0.003

    loops = worker.calibrate(call, 0.02)
    assert 7 <= loops <= 10, "calls of 3 ms: seven of them last 21 ms"
    assert worker.calibrate(call, 0.001) == 1
    assert worker.time_once(call, 5) == pytest.approx(0.003)


def rows():
    slow = dict(case(), seconds={"ours": 0.001, "gluon": 0.004, "torch": 0.0005})
    fast = dict(case(cell="gru"), seconds={"ours": 0.001, "gluon": 0.001, "torch": 0.002})
    return [slow, fast]


def test_table_shows_milliseconds_ratios_and_share_of_peak():
    names = ["ours", "gluon", "torch"]
    first = rows()[0]
    peak = layers.flops(first) / 0.001 * 2  # twice the rate of ours
    line = layers.line(first, names, peak).split()
    assert line == ["lstm", "3", "2", "4", "uni", "fwd", "1.000", "4.000", "0.500", "4.00", "0.50", "50%"]
    heading = layers.header(names).splitlines()
    assert len(heading[0]) == len(heading[1]) == len(layers.line(first, names, peak))
    assert heading[0].split()[-3:] == ["gluon/ours", "torch/ours", "peak"]


def test_summary_counts_rows_and_averages_ratios():
    text = layers.summary(rows(), ["ours", "gluon", "torch"]).splitlines()
    assert text == ["gluon, forward: ours ahead in 1 of 2 rows, geometric mean 2.00, least 1.00",
                    "torch, forward: ours ahead in 1 of 2 rows, geometric mean 1.00, least 0.50"]
    assert ratios.geometric_mean([1, 4, 16]) == pytest.approx(4)


def test_passes_become_their_medians():
    def one(ours, torch, form):
        return [dict(case(), seconds={"ours": ours, "torch": torch}, forms={"ours": "", "torch": form})]

    row, = ratios.medians([one(3.0, 9.0, "jit"), one(1.0, 2.0, "eager"), one(4.0, 2.0, "jit")])
    assert row["seconds"] == {"ours": 3.0, "torch": 2.0} and row["forms"] == {"ours": "", "torch": "jit or eager"}
    assert row["cell"] == case()["cell"]
    assert ratios.spread(row, ["ours", "torch"]) == "0.50 to 3.00"
    assert ratios.ratio(row, "torch") == 2                                # that of the medians would be two thirds
    assert ratios.summary([row], ["ours", "torch"]) == ("torch: ours ahead in 1 of 1 rows, geometric mean 2.00, "
                                                        "least 2.00")
    assert ratios.ratio(one(2.0, 3.0, "")[0], "torch") == 1.5


def test_a_turn_ends_when_the_threads_sleep(monkeypatch):
    clock, sleeps = [0.0], []

    def sleep(seconds):
        sleeps.append(seconds)
        clock[0] += seconds if len(sleeps) < 4 else 0                     # a thread that stays awake three times

    monkeypatch.setattr(worker.time, "process_time", lambda: clock[0])
    monkeypatch.setattr(worker.time, "sleep", sleep)
    worker.rest()
    assert len(sleeps) == 4
    monkeypatch.setattr(worker.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    worker.rest()                                                         # nor for ever, where one never sleeps


def test_csv_holds_every_row(tmp_path):
    layers.write_csv(tmp_path / "rows.csv", rows(), ["ours", "gluon", "torch"], 1e9)
    with open(tmp_path / "rows.csv", newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert [row["cell"] for row in read] == ["lstm", "gru"]
    assert float(read[0]["gluon_ms"]) == 4 and float(read[1]["torch_ms"]) == 2
    assert float(read[0]["share_of_peak"]) == pytest.approx(layers.flops(case()) / 0.001 / 1e9, rel=1e-2)  # four digits


def test_language_model_table():
    text = language_model.table({"ours": (0.1, 0.05), "torch": (0.2, 0.05)}, dict(T=35, N=20)).splitlines()
    assert text[1].split() == ["ours", "7000", "100.0", "50%"]
    assert text[2].split() == ["torch", "3500", "200.0", "25%"]
    assert text[3] == "torch/ours: 2.00"


@pytest.mark.parametrize("name", ["ours", "gluon", "gluon-default-threads",
                                  pytest.param("torch", marks=pytest.mark.torch)])
def test_peers_answer_for_every_tiny_case(name, running):
    peer = running(name)
    assert peer.about["threads"] == ("default" if name == "gluon-default-threads" else "1")
    for one in layers.cases(TINY):
        seconds = measure([peer], one, repeats=1, min_seconds=1e-4)
        assert list(seconds) == [name] and math.isfinite(seconds[name]) and seconds[name] > 0
    assert peer.ask("peak", size=16, repeats=1) > 0


def test_table_of_output_layers():
    case = dict(T=35, N=20)
    rows = [("full, tied", case, {"ours": 0.4, "torch": 0.3}),
            ("adaptive, not tied", case, {"ours": 0.1, "torch": 0.2})]
    lines = [line.split() for line in language_model.table_of_outputs(rows).splitlines()]
    assert lines[3] == ["adaptive,", "not", "tied", "35", "x", "20", "ours", "7000", "100.0", "4.00"]
    assert lines[4][-4:] == ["torch", "3500", "200.0", "1.50"]


def test_targets_follow_zipf():
    targets = language_model.with_targets(dict(language_model.CASE, T=100, N=100))["targets"]
    assert len(targets) == 10_000 and 0.72 < sum(target < 2000 for target in targets) / 10_000 < 0.77


@pytest.mark.parametrize("peer", ["ours", pytest.param("torch", marks=pytest.mark.torch)])
def test_every_output_layer_runs(running, peer):
    tiny = dict(V=40, H=4, layers=1, cutoffs=[5, 20], samples=8)
    chosen = [(name, dict(case, **{key: value for key, value in tiny.items() if key != "samples" or key in case}), able)
              for name, case, able in language_model.cases(tiny, shapes=[(3, 2)]) if peer in able]
    rows = list(language_model.run_outputs([running(peer)], 1, chosen, 1e-4))
    assert [name for name, *_ in rows] == [name for name, _, able in chosen]
    assert all(seconds[peer] > 0 for *_, seconds in rows)


def test_language_model_step_runs(running):
    tiny = dict(language_model.CASE, V=13, H=4, T=3, N=2)
    step, output = language_model.run([running("ours")], repeats=1, case=tiny, min_seconds=1e-4)["ours"]
    assert step > 0 and output > 0


def test_peers_take_turns():
    asked = []

    class Recorder:
        def __init__(self, name, times):
            self.name, self._times = name, iter(times)

        def ask(self, do, **_):
            asked.append((self.name, do))
            return next(self._times) if do == "time" else None

    peers = [Recorder("a", [1, 5, 3]), Recorder("b", [2, 2, 9])]
    assert measure(peers, case(), repeats=3) == {"a": 3, "b": 2}
    assert [name for name, do in asked if do == "time"] == ["a", "b"] * 3


def test_a_peer_that_fails_says_why(running):
    with pytest.raises(PeerError, match="the peer 'nobody' failed: KeyError"):
        Peer("nobody", threads=1)
    with pytest.raises(PeerError, match="compared with PyTorch only"):
        running("gluon").ask("prepare", case=dict(language_model.CASE), min_seconds=0.01)


def test_replies_are_one_line_each():
    replies = io.StringIO()
    requests = [json.dumps({"do": "prepare", "case": case(), "min_seconds": 1e-4}), json.dumps({"do": "time"}),
                json.dumps({"do": "drop"}), json.dumps({"do": "nothing known"})]
    worker.serve("gluon", requests, replies)
    answers = [json.loads(line) for line in replies.getvalue().splitlines()]
    assert len(answers) == 5
    assert answers[0]["value"]["version"] == mx.__version__
    assert answers[2]["value"] > 0 and "nothing known" in answers[4]["error"]


def test_script_prints_a_table(capsys, monkeypatch, script_asks_running):
    monkeypatch.setattr(layers, "QUICK_SHAPES", TINY)
    monkeypatch.setattr(layers, "peak", lambda peers: 1e9)
    assert main(shlex.split(benchmark.EXAMPLE)[1:]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len([line for line in printed if line.startswith(("rnn ", "lstm ", "gru "))]) == 12
    assert printed[-1].startswith("gluon, forward+backward: ours ahead in")


@pytest.mark.parametrize("arguments, message", [
    (["layers", "--peers", "keras"], "unknown peer 'keras'; known: gluon, gluon-default-threads, torch"),
    (["delays", "--passes", "0"], "--passes must be at least 1, got 0"),
    (["layers", "--passes", "2"], "--passes is for delays and tasks, not for layers")])
def test_script_refuses_what_it_does_not_know(capsys, arguments, message):
    with pytest.raises(SystemExit, match="2"):
        main(["benchmark", *arguments])
    assert message in capsys.readouterr().err


def test_script_says_what_is_missing(capsys, tmp_path, script_asks_running):
    missing = str(tmp_path / "none")
    assert main(["benchmark", "layers", "--peers", "torch", "--torch-python", missing, "--threads", "1"]) == 2
    assert "none" in capsys.readouterr().err
