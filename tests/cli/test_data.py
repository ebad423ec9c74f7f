"""The command ``gluon-rnn data``, with a mirror on this machine."""
import signal
import time

import pytest

from gluon_rnn.cli.main import call
from gluon_rnn.public_data import get
from tests.local_server import serving
from tests.processes import Command

HERE = ("air_passengers", "sunspots")


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GLUON_RNN_DATA", str(tmp_path / "root"))
    return tmp_path / "root"


@pytest.fixture
def fetched(data_root, root, monkeypatch, capsys):
    """Fetch two real sets from the folder of real data as a mirror; return their root and what was printed."""
    monkeypatch.setenv("GLUON_RNN_DATA_REPO", str(data_root))
    assert call("data", ["fetch", *HERE, HERE[0]]) == 0
    return root, capsys.readouterr().out


def test_a_list_of_all_sets(root, capsys):
    assert call("data", ["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 19 and all(" missing " in line for line in lines)


def test_all_about_one_set(root, capsys):
    call("data", ["list", "eng_fra"])
    text = capsys.readouterr().out
    assert "licence: CC BY 2.0" in text and "cite: " in text and "recipes: translate/eng_fra_bahdanau, " in text
    assert f"from {get('eng_fra').files[0].address}, made by split_pairs" in text


@pytest.mark.real_data
def test_fetch_and_path(fetched, capsys):
    root, text = fetched
    assert text.splitlines() == [f"{name}: {root / 'univariate'} ({get(name).licence})" for name in HERE]
    call("data", ["path", "sunspots"])
    assert capsys.readouterr().out == f"{root / 'univariate'}\n"
    call("data", ["list"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines() if " here " in line] == list(HERE)


@pytest.mark.real_data
def test_verify(fetched, capsys):
    root, _ = fetched
    assert call("data", ["verify"]) == 0
    assert capsys.readouterr().out == "air_passengers: right, 1 file\nsunspots: right, 1 file\n"
    (root / "univariate" / "AirPassengers.csv").write_text("Month,Passengers\n")
    assert call("data", ["verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "air_passengers: wrong, 1 file" and get("air_passengers").files[0].sha256 in lines[1]
    assert call("data", ["verify", "laser"]) == 1
    assert capsys.readouterr().out.splitlines() == ["laser: wrong, 1 file", "  univariate/laser.txt: missing"]


def test_nothing_is_here(root, capsys):
    assert call("data", ["verify"]) == 0
    assert "no data set is in" in capsys.readouterr().out
    with pytest.raises(ValueError, match="names is missing in .*; fetch it with: gluon-rnn data fetch names"):
        call("data", ["path", "names"])


def test_a_wrong_name_stops_before_anything_is_fetched(root, monkeypatch):
    monkeypatch.setenv("GLUON_RNN_DATA_REPO", "/nowhere")
    with pytest.raises(ValueError, match="did you mean 'names'"):
        call("data", ["fetch", "laser", "nmes"])
    assert not root.exists()
    with pytest.raises(ValueError, match="/nowhere/univariate/laser.txt: the file to copy cannot be read"):
        call("data", ["fetch", "laser"])


def test_interrupted_by_the_user(root):
    with serving({"/tinyshakespeare/input.txt": bytes(get("tinyshakespeare").size)}) as server:
        server.breaks_after, server.stalls = 2**17 + 1, True
        process = Command("gluon_rnn", "data", "fetch", "tinyshakespeare", GLUON_RNN_DATA_REPO=server.address,
                          NO_PROXY="127.0.0.1")
        partial = root / ".fetch" / "tinyshakespeare" / ".input.txt.partial"
        end = time.monotonic() + 60
        while not partial.exists() and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.communicate()[1] == (
            "interrupted: what has arrived is kept, the same command goes on from there\n")
    assert process.returncode == 130 and partial.exists()


def test_the_table_is_written_into_a_page(root, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- data sets: begin -->\n<!-- data sets: end -->\n")
    assert call("data", ["list", "--write", str(page)]) == 0
    assert page.read_text().count("\n| [`") == 19


def test_names_are_completed():
    from gluon_rnn.cli.data import set_names
    assert set_names("s") == ["sst2", "sunspots"]
