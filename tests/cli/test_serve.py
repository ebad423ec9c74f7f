"""The command ``gluon-rnn serve``: options, a check, and what cannot be served."""
import importlib.util
import json
import re
import signal
import socket
import urllib.request

import pytest

from gluon_rnn.cli.main import main
from tests.processes import Command


def test_a_check_says_what_would_be_served(capsys):
    assert main(["serve", "tdnn_names", "--port", "0", "--check"]) == 0
    health = json.loads(capsys.readouterr().out)
    assert health["ready"] and health["task"] == "classification" and health["name"] == "tdnn_names"


def test_a_server_listens_on_loopback_and_takes_its_limits_from_the_command_line():
    process = Command("gluon_rnn", "serve", "tdnn_names", "--port", "0", "--max-items", "3")
    try:
        line = process.stdout.readline()
        found = re.fullmatch(r"serving tdnn_names \(classification, classifier\) on (http://127\.0\.0\.1:\d+)\n", line)
        with urllib.request.urlopen(f"{found[1]}/model", timeout=60) as answer:
            assert json.load(answer)["limits"]["max_items"] == 3
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0


def test_a_port_in_use_is_one_sentence_and_no_model_is_loaded():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = Command("gluon_rnn", "serve", "tdnn_names", "--port", port)
        output, errors = command.communicate()
    assert (command.returncode, output) == (2, "")
    assert errors == (f"error: cannot listen on 127.0.0.1 port {port}: the port is in use; pass another --port, "
                            "or --port 0 for a free one\n")


@pytest.mark.parametrize("arguments, message", [
    (["tdnn_nams"], "there is no run in 'tdnn_nams', and no model of the zoo has this name; the nearest are tdnn_nam"),
    (["tdnn_names", "--max-batch", "0"], "max_batch must be a finite number of at least 1, got 0"),
    (["tdnn_names", "--max-wait", "-1"], "max_wait must be a finite number of at least 0, got -0.001"),
])
def test_mistakes_are_one_sentence(arguments, message):
    with pytest.raises(ValueError) as caught:
        main(["serve", *arguments, "--port", "0"])
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("missing, sentence", [
    ({"fastapi"}, "serving needs fastapi, which is not installed; pip install 'gluon_rnn[serve]'"),
    ({"uvicorn", "prometheus_client"}, "serving needs uvicorn, prometheus_client, which are not installed; pip install "
                                       "'gluon_rnn[serve]'"),
])
def test_without_the_extra_there_is_one_sentence(missing, sentence, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
    with pytest.raises(ValueError) as caught:
        main(["serve", "tdnn_names"])
    assert str(caught.value) == sentence
