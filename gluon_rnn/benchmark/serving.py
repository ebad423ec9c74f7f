"""A server under load: many clients at once, each answer checked; latencies, throughput and the server's memory."""
import asyncio
import dataclasses
import json
import time
import urllib.parse
import urllib.request

import numpy as np

__all__ = ["Load", "ask_alone", "load", "memory", "same"]


@dataclasses.dataclass
class Load:
    """What `load` found.

    Parameters
    ----------
    seconds : (R,) float64 array
        From each request to its answer; R requests were answered.
    duration : float
        Of the whole, in s.
    wrong : list of (item, answer)
        Answers that are not those of their item.
    refused : list of (status, str)
        Requests that got no answer.
    lost : int
        Connections that broke.
    """

    seconds: np.ndarray
    duration: float
    wrong: list
    refused: list
    lost: int

    def __str__(self):
        half, most = 1000 * np.quantile(self.seconds, [0.5, 0.99]) if len(self.seconds) else (np.nan, np.nan)
        return (f"{len(self.seconds)} answers, {len(self.seconds) / self.duration:.0f} a second, p50 {half:.1f} ms, "
                f"p99 {most:.1f} ms; {len(self.wrong)} wrong, {len(self.refused)} refused, {self.lost} lost")


def load(address, expected, connections=64, seconds=30.0, seed=0):
    """Ask a server from many connections at once, each with one request at a time.

    Parameters
    ----------
    address : str
        ``http://host:port``.
    expected : list of (item, answer)
        Each request asks for one of these items, drawn at random, and compares.
    connections : int
    seconds : float
        So long new requests are sent.
    seed : int
        Of the drawing.

    Returns
    -------
    Load
    """
    return asyncio.run(_load(urllib.parse.urlsplit(address), expected, connections, seconds, seed))


async def _load(address, expected, connections, seconds, seed):
    found = Load([], 0.0, [], [], 0)
    bodies = [json.dumps({"item": item}).encode() for item, _ in expected]
    begin = time.perf_counter()
    clients = [_client(address, bodies, expected, np.random.default_rng([seed, number]), begin + seconds, found)
               for number in range(connections)]
    for failed in await asyncio.gather(*clients, return_exceptions=True):
        if isinstance(failed, (OSError, asyncio.IncompleteReadError)):
            found.lost += 1
        elif failed is not None:
            raise failed
    return dataclasses.replace(found, seconds=np.array(found.seconds), duration=time.perf_counter() - begin)


async def _client(address, bodies, expected, random, until, found):
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        while time.perf_counter() < until:
            number, begin = int(random.integers(len(bodies))), time.perf_counter()
            status, content = await _ask(reader, writer, address.netloc, bodies[number])
            if status != 200:
                found.refused.append((status, content.decode()))
                continue
            found.seconds.append(time.perf_counter() - begin)
            answer, = json.loads(content)["answers"]
            if not same(answer, expected[number][1]):
                found.wrong.append((expected[number][0], answer))
    finally:
        writer.close()


async def _ask(reader, writer, host, body):
    """Send one request on an open connection; return status and content of the answer."""
    writer.write(b"POST /predict HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                 % (host.encode(), len(body), body))
    head = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in head if line.startswith(b"content-length:"))
    return int(head[0].split()[1]), await reader.readexactly(length)


def same(answer, expected, tolerance=1e-5):
    """Return whether two answers are equal, numbers up to `tolerance` of the larger one or of 1.

    A batch of other items around an item changes the order of sums in float32 and so its last digits.
    """
    if isinstance(expected, dict):
        return isinstance(answer, dict) and answer.keys() == expected.keys() and all(
            same(answer[key], value, tolerance) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(answer, list) and len(answer) == len(expected) and all(
            same(one, other, tolerance) for one, other in zip(answer, expected))
    if isinstance(expected, float):
        return isinstance(answer, (int, float)) and abs(answer - expected) <= tolerance * max(1, abs(expected))
    return answer == expected


def ask_alone(address, items):
    """Return (item, answer) of each item, asked one after the other."""
    found = []
    for item in items:
        request = urllib.request.Request(f"{address}/predict", json.dumps({"item": item}).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found.append((item, json.load(answer)["answers"][0]))
    return found


def memory(address):
    """Return the resident memory of the server's process in bytes, as its ``/metrics`` says."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith("process_resident_memory_bytes ")).split()[1])
