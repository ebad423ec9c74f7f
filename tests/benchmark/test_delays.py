"""The benchmark of delays and loops: each kind of network answers (`our_delays.py`, `torch_delays.py`); its table.

`torch_peer.py` too, where PyTorch is.
"""
import csv

import pytest

from gluon_rnn.benchmark import delays

# one case of each kind and activation, forwards and back, at a few steps and rows
KINDS = {(case["network"], case.get("activation"), case["backward"]): dict(case, T=4, N=2) for case in delays.CASES}


@pytest.mark.parametrize("peer", ["ours", pytest.param("torch", marks=pytest.mark.torch)])
def test_every_kind_of_network_answers(peer, running):
    rows = list(delays.run([running(peer)], KINDS.values(), repeats=1, min_seconds=1e-4))
    assert [row["name"] for row in rows] == [case["name"] for case in KINDS.values()] and len(rows) >= 10
    assert all(row["seconds"][peer] > 0 for row in rows)


def test_table(tmp_path):
    row = dict(delays.CASES[0], seconds={"ours": 0.002, "torch": 0.003}, forms={"ours": "", "torch": "jit"})
    trained = dict(delays.CASES[6], seconds={"ours": 0.002, "torch": 0.001}, forms={"ours": "", "torch": ""})
    names = ["ours", "torch"]
    assert delays.line(row, names).split()[:7] == ["TDNN", "16-8-3", "100", "16", "fwd", "2.000", "3.000"]
    assert "800000 samples/s" in delays.line(trained, names).replace(",", "")
    heading = delays.header(names).splitlines()
    assert len(heading[0]) == len(heading[1])
    delays.write_csv(tmp_path / "rows.csv", [row, trained], names)
    with open(tmp_path / "rows.csv", newline="", encoding="utf-8") as file:
        assert [line["network"] for line in csv.DictReader(file)] == [row["name"], trained["name"]]
