"""Nodes to variables and back, what is wrong in them, and the commands made of them.

Tests `commands.py` and `local.py` too.
"""
import os
import re
import shlex
import signal
import subprocess
import types

import pytest
import yaml

from gluon_rnn.config import ConfigError
from gluon_rnn.distributed import commands, local
from gluon_rnn.distributed.local import processes_of
from gluon_rnn.distributed.variables import Node, node_of, variables_of

NODE = Node("scheduler", "first", 9091, 3, 2)
WORDS = ["configs/a b.yaml", "training.kvstore=dist_sync"]
#: overrides with what a shell and YAML take for theirs
ODD = ["output_dir=${data_root}/runs", 'data.dates=["2017-07-01"]', "a=`b` it's\\n", "model.name=🙂"]


def test_variables_describe_a_node_whole():
    nodes = processes_of(NODE)
    assert [node.name for node in nodes] == ["scheduler", "server", "server", "worker 0", "worker 1", "worker 2"]
    assert [node_of(variables_of(node)) for node in nodes] == nodes


@pytest.mark.parametrize("changes, sentence", [
    ({"DMLC_ROLE": "boss"}, "DMLC_ROLE must be one of scheduler, server, worker, got 'boss'"),
    ({"DMLC_NUM_WORKER": "two"}, "DMLC_NUM_WORKER must be a number of at least 1, got 'two'"),
    ({"DMLC_NUM_SERVER": "0"}, "DMLC_NUM_SERVER must be a number of at least 1, got '0'"),
    ({"DMLC_PS_ROOT_URI": ""}, "DMLC_PS_ROOT_URI is not set"),
    ({"DMLC_WORKER_ID": "3"}, "DMLC_WORKER_ID must be below DMLC_NUM_WORKER, which is 3, got 3"),
    ({"GLUON_RNN_TIMEOUT": "nan"}, "GLUON_RNN_TIMEOUT must be a number of at least 1, got 'nan'")])
def test_wrong_variables_are_named(changes, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        node_of({**variables_of(processes_of(NODE)[3]), **changes})


def nodes_in(lines):
    """Return the nodes of command lines that begin with assignments, and the words behind them."""
    found = [shlex.split(line) for line in lines]
    pairs = [dict(word.split("=", 1) for word in words if re.match("(DMLC|GLUON_RNN)_", word)) for words in found]
    return [node_of(each) for each in pairs], [words[words.index("gluon-rnn"):] for words in found]


def test_ssh_starts_each_process_once_on_hosts_in_turn():
    lines = commands.ssh(NODE, WORDS, ["first", "second"]).splitlines()[3:-1]
    outer = [shlex.split(line.removesuffix(" &")) for line in lines]
    assert [words[1] for words in outer] == ["first", "first", "second", "first", "second", "first"]
    nodes, words = nodes_in(words[2].partition("&& ")[2] for words in outer)
    assert nodes == processes_of(NODE)
    assert words[3] == ["gluon-rnn", "launch", "--role", "worker", *WORDS]


def test_hosts_get_words_and_folder_as_they_are(tmp_path):
    """The printed script, in a shell where ``ssh`` runs its command here, in a shell of its own as on a host."""
    folder, command = tmp_path / "it's a \"b\" $HOME", tmp_path / "gluon-rnn"
    folder.mkdir()
    command.write_text("""#!/bin/sh\nprintf '%s\\0' "$PWD" "$DMLC_ROLE" "$@"\n""")
    command.chmod(0o755)
    lines = commands.ssh(Node("scheduler", "first", 9091, 1, 1), ODD, ["first"]).replace(" &\n", "\n")     # in turn
    found = subprocess.run(["bash", "-c", """ssh() { sh -c "$2"; }\n""" + lines], cwd=folder, text=True, check=True,
                           capture_output=True, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}).stdout
    assert found.split("\0")[:-1] == [word for role in ("scheduler", "server", "worker")
                                      for word in (str(folder), role, "launch", "--role", role, *ODD)]


def test_slurm_has_a_task_for_each_process():
    text = commands.slurm(NODE, WORDS)
    assert "#SBATCH --ntasks=6" in text and '-lt 3 ]; then export DMLC_ROLE=server' in text
    assert "DMLC_WORKER_ID=$((SLURM_PROCID - 3))" in text and text.endswith(shlex.join(WORDS))


def test_kubernetes_has_a_job_for_each_role():
    service, *jobs = yaml.safe_load_all(commands.kubernetes(NODE, WORDS + ODD))
    assert [port["port"] for port in service["spec"]["ports"]] == [9091, 9092]
    assert [job["spec"]["completions"] for job in jobs] == [1, 2, 3]
    container = jobs[2]["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["gluon-rnn", "launch", "--role", "worker", *WORDS, *ODD]
    values = {each["name"]: each.get("value") for each in container["env"]}
    assert values.pop("DMLC_WORKER_ID") is None                           # from the job's index
    assert node_of(values) == Node("worker", "gluon-rnn", 9091, 3, 2)


@pytest.mark.parametrize("number, ignored", [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGHUP, False),
                                             (signal.SIGHUP, True)], ids=["int", "term", "hup", "nohup"])
def test_workers_get_the_signals_that_come_to_the_launcher(monkeypatch, number, ignored):
    """They are in sessions of their own, where a terminal that closes does not reach them."""
    received, polls = [], []

    def poll():
        if not polls:
            os.kill(os.getpid(), number)
        polls.append(number)
        return 0

    process = types.SimpleNamespace(poll=poll, returncode=0, send_signal=received.append)
    monkeypatch.setattr(local, "_start", lambda *_: process)
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        signal.signal(number, signal.SIG_IGN if ignored else lambda *_: None)
        assert local.run(Node("scheduler", "first", 9091, 2, 1), []) == 0
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
    assert received == ([] if ignored else [number, number])
