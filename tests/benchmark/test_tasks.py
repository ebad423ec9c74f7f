"""The benchmark of training on sequences of different lengths: its batches, its table, and that both sides train.

Tests `our_tasks.py`, `torch_tasks.py` and `torch_crf.py` too.
"""
import csv
import math

import numpy as np
import pytest

from gluon_rnn.benchmark import ratios, tasks
from gluon_rnn.cli import benchmark
from gluon_rnn.cli.main import main

SMALL = dict(N=3, V=11, E=4, H=4)


def small(case):
    """Return a case with sizes of a few units."""
    sizes = {key: value for key, value in dict(SMALL, K=3, V_source=9, V_chars=7, E_chars=2, H_chars=2).items()
             if key in case}
    return dict(case, **sizes)


@pytest.mark.parametrize("case", tasks.CASES, ids=lambda case: case["name"])
def test_batches_are_those_of_training(case):
    chosen, waste, unbucketed = tasks.batches(case, count=3)
    assert chosen == tasks.batches(case, count=3)[0], "both peers must get the same lengths"
    assert 0 < waste < 0.25 < unbucketed < 1
    for batch in chosen:
        lengths, order = batch["lengths"], batch.get("source", batch["lengths"])
        assert len(lengths) == case["N"] and min(lengths) >= 1 and order == sorted(order, reverse=True)
        if case.get("spelled"):
            assert [len(words) for words in batch["words"]] == lengths
            assert all(1 <= count <= 14 for words in batch["words"] for count in words)
        if case["network"] == "seq2seq":
            assert min(order) >= 1 and len(order) == len(lengths)


@pytest.mark.parametrize("name", sorted(tasks.QUANTILES))
def test_drawn_lengths_have_the_quantiles(name):
    drawn = np.quantile(tasks._drawn(np.random.default_rng(0), name, 100_000), tasks._SHARES)
    np.testing.assert_allclose(drawn[:-2], tasks.QUANTILES[name][:-2], rtol=0.03, atol=1)


@pytest.mark.parametrize("peer", ["ours", pytest.param("torch", marks=pytest.mark.torch)])
def test_every_model_trains(peer, running):
    rows = list(tasks.run([running(peer)], map(small, tasks.CASES), repeats=1, min_seconds=1e-4, count=2))
    assert [row["name"] for row in rows] == [case["name"] for case in tasks.CASES]
    for row in rows:
        assert row["seconds"][peer] > 0 and row["sequences"] == 6 and row["tokens"] >= 6 and row["steps"] == 2


def rows():
    common = dict(tasks.CASES[0], steps=4, sequences=200, tokens=4000)
    return [dict(common, seconds={"ours": 0.1, "torch": 0.2}, forms={"ours": "", "torch": "packed"}),
            dict(common, name="other", seconds={"ours": 0.2, "torch": 0.1}, forms={"ours": "", "torch": ""})]


def test_table(tmp_path):
    names = ["ours", "torch"]
    assert tasks.line(rows()[0], names).split() == ["sentiment,", "biLSTM", "50", "25.00", "50.00", "2.00", "2000",
                                                    "40000", "packed"]
    heading = tasks.header(names).splitlines()
    assert len(heading[0]) == len(heading[1]) == len(tasks.line(rows()[1], names))
    assert ratios.summary(rows(), names) == "torch: ours ahead in 1 of 2 rows, geometric mean 1.00, least 0.50"
    tasks.write_csv(tmp_path / "rows.csv", rows(), names)
    with open(tmp_path / "rows.csv", newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert float(read[0]["torch_tokens_per_s"]) == 20_000 and float(read[1]["ours_ms_per_step"]) == 50
    assert read[0]["torch_form"] == "packed"


def test_padding_is_said_once_for_each_data_set():
    found = list(tasks.padding(tasks.CASES))
    assert [name for name, _, _ in found] == ["sst2", "names", "ewt", "eng_fra"]
    assert all(math.isfinite(waste) and waste < unbucketed for _, waste, unbucketed in found)


def test_script_prints_padding_and_table(capsys, monkeypatch, tmp_path, running):
    monkeypatch.setattr(tasks, "QUICK_CASES", [small(tasks.CASES[1])])
    arguments = ["tasks", "--quick", "--repeat", "1", "--threads", "1", "--torch-python", str(tmp_path / "none")]
    monkeypatch.setattr(benchmark, "start", lambda options, stack, names: [running("ours")])
    assert main(["benchmark", *arguments, "--csv", str(tmp_path / "rows.csv")]) == 0
    printed = capsys.readouterr().out
    assert "# padding, names: " in printed and "names, 2 biLSTM" in printed and (tmp_path / "rows.csv").exists()
    assert "medians" not in printed
    assert main(["benchmark", *arguments, "--passes", "2"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("names, 2 biLSTM") == 3 and "# medians of 2 passes" in printed
