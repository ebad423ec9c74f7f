"""Streams through a server, by the client of the websockets library: states kept, carried on, given up, bounded.

Tests `sessions.py`, too.
"""
import json
import time

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from gluon_rnn.serve.sessions import StepStream, streams
from tests.serve.fakes import Fake, expected


def open_stream(client, session=None, **options):
    """Return a connection and what the server said first."""
    address = str(client.base_url).replace("http://", "ws://").rstrip("/")
    socket = connect(f"{address}/stream{'' if session is None else f'?session={session}'}", **options)
    return socket, json.loads(socket.recv())


def ask(socket, message):
    socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
    return json.loads(socket.recv(timeout=20))


def assert_closed(socket, code, sentence):
    with pytest.raises(ConnectionClosedError) as caught:
        socket.recv(timeout=20)
    assert caught.value.rcvd.code == code and sentence.startswith(caught.value.rcvd.reason)


def test_each_message_gets_the_answers_of_its_steps_and_states_are_carried(serve):
    client, predictor = serve()
    socket, begun = open_stream(client)
    with socket:
        assert begun["steps"] == 0 and len(begun["session"]) >= 20
        assert ask(socket, {"step": "a"}) == {"answers": [expected("a")], "steps": 1}
        assert ask(socket, {"steps": ["b", "c"]}) == {"answers": [expected("ab"), expected("abc")], "steps": 3}
        assert ask(socket, {"steps": []}) == {"answers": [], "steps": 3}
    assert predictor.threads == {"model_0"}, "one thread runs the model"


def test_streams_do_not_mix(serve):
    client, _ = serve()
    sockets = [open_stream(client)[0] for _ in range(8)]
    for _ in range(3):
        for number, socket in enumerate(sockets):
            socket.send(json.dumps({"step": str(number)}))
    for number, socket in enumerate(sockets):
        with socket:
            answers = [json.loads(socket.recv(timeout=20))["answers"][0] for _ in range(3)]
            assert answers == [expected(str(number) * times) for times in (1, 2, 3)]


def test_a_long_message_goes_through_in_turns_with_the_same_answers(serve):
    client, _ = serve()
    socket, _ = open_stream(client)
    with socket:
        found = ask(socket, {"steps": ["a"] * 200})
    assert found == {"answers": [expected("a" * (number + 1)) for number in range(200)], "steps": 200}


def test_a_session_goes_on_where_its_client_left(serve):
    client, _ = serve()
    socket, begun = open_stream(client)
    with socket:
        ask(socket, {"steps": ["a", "b"]})
        other, said = open_stream(client, begun["session"])
        assert said == {"detail": "the session has a client that is connected; close that connection first"}
        assert_closed(other, 1008, said["detail"])
    socket, again = open_stream(client, begun["session"])
    with socket:
        assert again == {"session": begun["session"], "steps": 2}
        assert ask(socket, {"step": "c"}) == {"answers": [expected("abc")], "steps": 3}


@pytest.mark.parametrize("message, sentence", [
    ("{", 'expected a JSON object with "steps", a list, or "step", got \'{\''),
    (b"\x00", 'expected a JSON object with "steps", a list, or "step", got null'),
    ({"stepp": "a"}, 'expected a JSON object with "steps", a list, or "step", got {\'stepp\': \'a\'}'),
    ({"steps": "abc"}, 'expected a JSON object with "steps", a list, or "step", got {\'steps\': \'abc\'}'),
    ({"steps": ["a", 3]}, "steps[1]: expected a piece of text, got 3"),
    ({"steps": ["a"] * 21}, "expected at most 20 steps in a message, got 21; send less, or start the server with "
                            "--max-length"),
])
def test_a_wrong_message_is_a_sentence_and_the_stream_goes_on(serve, message, sentence):
    client, _ = serve(max_length=20)
    socket, _ = open_stream(client)
    with socket:
        ask(socket, {"step": "a"})
        assert ask(socket, message) == {"detail": sentence, "steps": 1}
        assert ask(socket, {"step": "b"}) == {"answers": [expected("ab")], "steps": 2}


@pytest.mark.parametrize("step, sentence", [
    ("bad", "'bad' is bad"), ("silent", "a step had nothing in it that the model reads; the stream has ended")])
def test_a_step_that_the_model_refuses_ends_the_stream_and_frees_it(serve, step, sentence):
    client, predictor = serve()
    socket, begun = open_stream(client)
    closed = predictor.closed
    with socket:
        assert ask(socket, {"step": step}) == {"detail": sentence}
        assert_closed(socket, 1008, sentence)
    _, said = open_stream(client, begun["session"])
    assert said["detail"].startswith(f"there is no session '{begun['session']}'") and predictor.closed == closed + 1


def test_a_step_that_the_model_fails_on_ends_the_stream_with_a_sentence_and_frees_it(serve, caplog):
    client, predictor = serve()
    socket, begun = open_stream(client)
    closed, sentence = predictor.closed, "the model failed on this item; the log of the server has the reason"
    with socket:
        assert ask(socket, {"steps": ["a", "broken"]}) == {"detail": sentence}
        assert_closed(socket, 1011, sentence)
    assert "RuntimeError: 'broken' is broken" in caplog.text
    _, said = open_stream(client, begun["session"])
    assert said["detail"].startswith(f"there is no session '{begun['session']}'") and predictor.closed == closed + 1


def test_sessions_are_bounded_and_a_place_is_free_again_after_the_timeout(serve):
    client, _ = serve(max_sessions=2, session_timeout=0.3)
    first, begun = open_stream(client)
    second, _ = open_stream(client)
    third, said = open_stream(client)
    assert said == {"detail": "there are 2 streams, and this server keeps at most 2; connect again later"}
    assert_closed(third, 1013, said["detail"])
    first.close()
    second.close()
    deadline = time.monotonic() + 10
    while "gluon_rnn_sessions 0.0" not in client.get("/metrics").text.splitlines():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    _, said = open_stream(client, begun["session"])
    assert said["detail"] == (f"there is no session '{begun['session']}'; it has ended, or nothing was sent for 0.3 s; "
                              "connect without a session to begin a new one")


def test_a_client_that_sends_nothing_is_told_that_its_session_has_ended(serve):
    client, _ = serve(session_timeout=0.2)
    socket, _ = open_stream(client)
    sentence = "nothing was sent for 0.2 s; the session has ended"
    assert json.loads(socket.recv(timeout=20)) == {"detail": sentence}
    assert_closed(socket, 1008, sentence)


def test_a_page_of_another_site_may_not_connect(serve):
    client, _ = serve()
    socket, said = open_stream(client, origin="http://elsewhere.example")
    assert said == {"detail": "a page of 'http://elsewhere.example' may not use this server's streams"}
    assert_closed(socket, 1008, said["detail"])
    socket, said = open_stream(client, origin=str(client.base_url).rstrip("/"))
    with socket:
        assert said["steps"] == 0


def test_words_of_a_word_model_are_not_blank(serve):
    client, _ = serve(unit="word")
    socket, _ = open_stream(client)
    with socket:
        assert ask(socket, {"step": " "}) == {"detail": "steps[0]: expected a word with at least one word, got ' '",
                                              "steps": 0}


def test_a_stream_turned_round_gives_what_the_predictor_gives():
    steps = list("abcdefgh")
    stream = StepStream(Fake())
    turned = stream.answers(steps[:3]) + stream.answers([]) + stream.answers(steps[3:])
    assert turned == list(Fake().stream(steps))


def test_whether_a_model_streams_is_known_before_anybody_asks():
    class Whole:
        def stream(self, steps):
            raise ValueError("use predict")

    class LooksAhead:
        def stream(self, steps):
            if steps is not None:
                raise ValueError("it looks ahead")
            yield

    assert streams(Fake()) is None
    assert streams(Whole()) == "use predict" and streams(LooksAhead()) == "it looks ahead"
