"""Threads that tests share: MXNet keeps 5 MB for each thread that has called it, until the process ends."""
import concurrent.futures
import queue
import threading

__all__ = ["in_ended_thread", "in_threads"]

_orders, _started = queue.SimpleQueue(), []


def _serve():
    while True:
        _orders.get()()


def in_threads(work, count=4):
    """Run ``work(i)`` in `count` threads that begin together; raise what one of them raised.

    The threads live on and serve the next call.
    """
    while len(_started) < count:
        _started.append(threading.Thread(target=_serve, daemon=True))
        _started[-1].start()
    failures, ready, left = [], threading.Barrier(count), queue.SimpleQueue()

    def run(index):
        ready.wait()
        try:
            work(index)
        except BaseException as error:                                    # noqa: BLE001  (raised again below)
            failures.append(error)
        left.put(index)

    for index in range(count):
        _orders.put(lambda index=index: run(index))
    try:
        for _ in range(count):
            left.get(timeout=120)
    except queue.Empty:
        _started.clear()                                                  # the next test gets others
        raise AssertionError("a call does not come back") from None
    if failures:
        raise failures[0]


def in_ended_thread(work):
    """Run ``work()`` in a thread of its own, which has ended then; raise what it raised."""
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        threads.submit(work).result(timeout=120)
