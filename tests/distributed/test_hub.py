"""Who is there, what they tell each other, and the end of everybody: hub and members in threads of one process.

Tests `member.py` too.
"""
import json
import queue
import socket
import threading
import time

import pytest

from gluon_rnn.distributed.hub import Hub
from gluon_rnn.distributed.local import free_port, processes_of
from gluon_rnn.distributed.member import Member
from gluon_rnn.distributed.variables import Node


class Group:
    """A hub and members that join it; `ends` are (whose, sentence) as they come."""

    def __init__(self, workers=2, timeout=30.0, patience=30.0):
        self.ends = queue.Queue()
        self.nodes = processes_of(Node("scheduler", "127.0.0.1", free_port(), workers, 1, None, timeout, patience))
        self.hub = Hub(self.nodes[0], lambda sentence: self.ends.put(("scheduler", sentence)))

    def join(self, index):
        node = self.nodes[index]
        return Member(node, lambda sentence: self.ends.put((node.name, sentence)))

    def ended(self, count):
        """Return {who: sentence} of so many ends."""
        return dict(self.ends.get(timeout=10) for _ in range(count))


@pytest.fixture
def group():
    group = Group()
    yield group
    group.hub.close()


def shut(member):
    member._closed = True                                                 # nobody is left to be told
    member._socket.shutdown(socket.SHUT_RDWR)


def test_values_come_to_all_by_rank_whatever_the_order_of_calls(group):
    members = [group.join(3), group.join(2)]                              # worker 1 first
    assert [member.rank for member in members] == [1, 0]
    found = {}
    values = {0: [0.1, None], 1: {"a": 1e-300}}
    threads = [threading.Thread(target=lambda member=member: found.update({member.rank: [
        member.gather(values[member.rank]), member.gather(member.rank)]})) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == {rank: [[values[0], values[1]], [0, 1]] for rank in (0, 1)}    # float64 to the last bit


@pytest.mark.parametrize("dies, name", [(1, "a server"), (2, "worker 0")])
def test_a_process_that_is_gone_ends_all_others_with_one_sentence(group, dies, name):
    members = {index: group.join(index) for index in (1, 2, 3)}
    shut(members[dies])
    ends = group.ended(3)
    sentence = ends["scheduler"]
    assert sentence == f"{name} on 127.0.0.1 is gone (its process has ended)"
    assert set(ends.values()) == {sentence} and len(ends) == 3


def test_a_scheduler_that_is_gone_ends_the_others(group):
    for index in (1, 2, 3):
        group.join(index)
    group.hub.close()                                                     # has nothing to say any more
    for connection in list(group.hub._members):
        connection.shutdown(socket.SHUT_RDWR)
    ends = group.ended(3)
    assert ends["worker 0"] == ends["worker 1"] == "the scheduler's process has ended"


def test_processes_that_have_said_goodbye_may_go(group):
    server, *workers = (group.join(index) for index in (1, 2, 3))
    for worker in workers:
        worker.close()
        shut(worker)
    while not server._closed:                                             # told that all workers are done
        time.sleep(0.01)
    group.hub.close()
    for connection in list(group.hub._members):
        connection.shutdown(socket.SHUT_RDWR)
    with pytest.raises(queue.Empty):
        group.ends.get(timeout=0.3)


def test_a_failure_is_told_to_the_others_in_its_own_words(group):
    members = [group.join(index) for index in (2, 3)]
    members[1].fail("data.path: there is no file")
    assert group.ended(2) == dict.fromkeys(("scheduler", "worker 0"), "worker 1: data.path: there is no file")


def test_silence_ends_everybody_within_the_timeout():
    group = Group(timeout=1.0)
    with socket.create_connection(("127.0.0.1", group.nodes[0].port + 1)) as mute:
        mute.sendall((json.dumps({"join": "worker", "rank": 1}) + "\n").encode())
        group.join(2)                                                     # which gives signs of life
        ends = group.ended(2)
    assert ends["scheduler"] == ends["worker 0"] == (
        "worker 1 on 127.0.0.1 is gone (nothing was heard of it for 1 s)")
    group.hub.close()


def test_a_process_that_never_comes_ends_everybody():
    group = Group(patience=0.3)
    group.join(2)
    assert group.ended(2)["worker 0"] == ("1 of 2 workers and 0 of 1 servers came within 0.3 s; look at the output of "
                                          "the others")
    group.hub.close()


def test_a_rank_is_taken_once_and_strangers_are_not_heard(group):
    with socket.create_connection(("127.0.0.1", group.nodes[0].port + 1)) as stranger:
        stranger.sendall(b'{"fail": "stop"}\n')
        assert stranger.recv(10) == b""
    group.join(2)
    group.join(2)
    assert "came where 2 workers and 1 servers were there already" in group.ended(1).popitem()[1]


def test_a_hub_that_is_not_there_is_named():
    node = Node("worker", "127.0.0.1", free_port(), 1, 1, 0, 1.0, 0.1)
    with pytest.raises(OSError, match=f"on 127.0.0.1 did not answer at port {node.port + 1} within 0.1 s"):
        Member(node, print)
