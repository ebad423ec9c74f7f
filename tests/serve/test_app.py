"""Requests and answers of a server with a fake model, asked by httpx: right ones, wrong ones, too large ones.

Tests `messages.py`, `limits.py` and `metrics.py`, too.
"""
import concurrent.futures
import json
import re

import pytest

from gluon_rnn.serve import Limits
from tests.serve.fakes import LABELS, expected


def test_one_item_and_many(serve):
    client, _ = serve()
    assert client.post("/predict", json={"item": "a"}).json() == {"answers": [expected("a")]}
    items = [f"text {number}" for number in range(100)]
    assert client.post("/predict", json={"items": items}).json() == {"answers": list(map(expected, items))}


BODY = 'expected a JSON object with "items", a list, or "item", got '


@pytest.mark.parametrize("body, sentence", [
    ({"item": 3}, "item: expected a text, got 3"),
    ({"item": None}, "item: expected a text, got null"),
    ({"item": ""}, "item: expected a text with at least one character, got ''"),
    ({"items": ["a", ["b"]]}, "items[1]: expected a text, got ['b']"),
    ({"items": []}, "items: expected a list of at least 1 item, not 0, got []"),
    ({"items": "a"}, "items: expected a valid list, got 'a'"),
    ({"itms": ["a"]}, "itms is no key that this model takes; did you mean 'items'?"),
    ({}, BODY + "neither"),
    ({"item": "a", "items": ["b"]}, BODY + "both item and items"),
    ([1], BODY + "[1]; the content type must be application/json"),
    ("text", BODY + "'text'; the content type must be application/json"),
    ({"items": ["a"] * 5}, "items: expected a list of at most 4 items, not 5, got ['a', 'a', 'a', 'a', 'a']"),
    ({"item": "a" * 21}, "item: expected at most 20 characters, got 21; send less, or start the server with "
                         "--max-length"),
    ({"item": "bad"}, "item: 'bad' is bad"),
    ({"items": ["a", "bad", "c"]}, "items[1]: 'bad' is bad"),
])
def test_a_wrong_body_is_422_with_one_sentence(serve, body, sentence):
    client, _ = serve(max_items=4, max_length=20)
    answer = client.post("/predict", json=body)
    assert (answer.status_code, answer.json()) == (422, {"detail": sentence})


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b"[" * 100_000, b'{"item": "\xff"}', b'{"item": NaN}'])
def test_a_body_that_is_no_json_is_refused_and_the_server_goes_on(serve, content):
    client, _ = serve()
    answer = client.post("/predict", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422) and answer.json()["detail"].split(" got ")[0] in (BODY[:-5], "body is "
        "missing; it must be given", "item: expected a text,")
    assert client.post("/predict", json={"item": "a"}).status_code == 200


def test_bodies_above_the_limit_are_413_whether_their_length_is_declared_or_not(serve):
    client, predictor = serve(max_body=1000)
    body = json.dumps({"item": "a" * 990}).encode()
    assert len(body) > 1000
    for content in (body, (body[place:place + 100] for place in range(0, len(body), 100))):
        answer = client.post("/predict", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 413 and answer.json()["detail"].startswith("the body has more than 1000 bytes; ")
    assert not predictor.batches
    assert client.post("/predict", json={"item": "a" * 980}).status_code == 200


def test_a_full_queue_is_503_and_those_that_wait_are_answered(serve):
    client, predictor = serve(seconds=0.3, max_queue=4, max_items=4, max_batch=4, max_wait=0)
    with concurrent.futures.ThreadPoolExecutor(12) as threads:
        found = list(threads.map(lambda number: client.post("/predict", json={"item": str(number)}), range(12)))
    answers = {number: answer for number, answer in enumerate(found) if answer.status_code == 200}
    refused = [answer for answer in found if answer.status_code == 503]
    assert len(answers) + len(refused) == 12 and len(answers) >= 4 and refused
    assert all(answer.json()["answers"] == [expected(str(number))] for number, answer in answers.items())
    assert all(re.fullmatch(r"\d items wait for the model, of at most 4; ask again later", answer.json()["detail"])
               and answer.headers["retry-after"] == "1" for answer in refused)


def test_a_failing_model_is_500_for_that_item_only(serve, caplog):
    client, _ = serve(max_wait=0.2)
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda item: client.post("/predict", json={"item": item}), ["a", "broken", "c"]))
    assert [answer.status_code for answer in found] == [200, 500, 200]
    assert found[1].json()["detail"] == "item: the model failed on this item; the log of the server has the reason"
    assert "RuntimeError: 'broken' is broken" in caplog.text


def test_health_and_model_say_what_is_served(serve):
    client, _ = serve()
    health = client.get("/health").json()
    assert health.pop("version") and health == {"status": "ok", "ready": True, "task": "classification",
                                                "name": "fake", "kind": "run", "model": "fake"}
    model = client.get("/model").json()
    assert model["input"] == {"kind": "text", "unit": "character", "labels": LABELS} and model["streams"] is True
    assert model["limits"] == {"max_items": 256, "max_body": 1_000_000, "max_length": 10_000}


def test_metrics_count_what_was_asked(serve):
    client, _ = serve(max_wait=0)
    client.post("/predict", json={"items": ["a", "b", "c"]})
    client.post("/predict", json={})
    client.get("/nowhere")
    lines = client.get("/metrics").text.splitlines()
    for line in ['gluon_rnn_requests_total{path="/predict",status="200"} 1.0',
                 'gluon_rnn_requests_total{path="/predict",status="422"} 1.0',
                 'gluon_rnn_requests_total{path="other",status="404"} 1.0',
                 "gluon_rnn_batch_items_sum 3.0", "gluon_rnn_queue_items 0.0", "gluon_rnn_sessions 0.0"]:
        assert line in lines
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)


def test_other_paths_and_methods_say_what_there_is(serve):
    client, _ = serve()
    assert client.get("/predictions").json()["detail"].startswith("there is no '/predictions' here; there are /, /pre")
    assert client.get("/predict").json() == {"detail": "'/predict' does not take GET"}
    assert client.get("/docs").status_code == 404, "FastAPI's page loads scripts from elsewhere"


def test_the_schema_has_the_task_s_own_body(serve):
    client, _ = serve()
    schema = client.get("/openapi.json").json()["components"]["schemas"]["Request"]
    assert schema["properties"]["items"]["items"] == {"type": "string"} and not schema["additionalProperties"]


def test_the_page_is_whole_and_loads_nothing_from_elsewhere(serve):
    client, _ = serve()
    answer = client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert set(re.findall(r"https?://[^\"' )]+", answer.text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script[^>]+src|<link[^>]+stylesheet|@import|url\(", answer.text)
    assert '<html lang="en">' in answer.text and 'aria-live="polite"' in answer.text


@pytest.mark.parametrize("wrong, sentence", [
    ({"max_batch": 0}, "max_batch must be a finite number of at least 1, got 0"),
    ({"max_wait": -1.0}, "max_wait must be a finite number of at least 0, got -1.0"),
    ({"session_timeout": float("nan")}, "session_timeout must be a finite number of at least 0, got nan"),
    ({"max_items": 2000}, "max_items is 2000 and max_queue 1024, so that a request could be larger than the queue; "
                          "raise max_queue"),
])
def test_limits_that_cannot_be(wrong, sentence):
    with pytest.raises(ValueError) as caught:
        Limits(**wrong)
    assert str(caught.value) == sentence
