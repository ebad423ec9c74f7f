"""Dynamic batching: items of requests that come together go through the model in one call, each answer to its asker."""
import asyncio
import collections
import dataclasses
import logging
import time

from gluon_rnn.serve.limits import Refusal

__all__ = ["Batcher", "failure"]

_LOGGER = logging.getLogger(__name__)


def failure():
    """Return the `Refusal` of an item that the model fails on; called where the error is handled, which is logged."""
    _LOGGER.exception("the model failed on an item")
    return Refusal(500, "the model failed on this item; the log of the server has the reason")


@dataclasses.dataclass
class _Waiting:
    item: object
    answer: asyncio.Future
    since: float


class Batcher:
    """A queue in front of a model. ``await batcher.ask(items)`` gives their answers.

    Parameters
    ----------
    call : callable
        From a list of items to the list of their answers; it runs in `executor`. A ValueError is the fault of an item:
        the batch is then halved until that item stands alone, so that the others are answered.
    executor : concurrent.futures.Executor
        With one thread, which is the only one that runs the model.
    max_batch, max_wait, max_queue
        See `gluon_rnn.serve.limits.Limits`.
    observe : callable, optional
        ``observe(number of items, seconds)`` after each call of the executor.
    """

    def __init__(self, call, executor, max_batch, max_wait, max_queue, observe=None):
        self._call, self._executor, self._observe = call, executor, observe or (lambda items, seconds: None)
        self._max_batch, self._max_wait, self._max_queue = max_batch, max_wait, max_queue
        self._queue, self._closing = collections.deque(), False
        self._wake = self._task = None                        # made in the event loop that they belong to

    def __len__(self):
        """Return how many items wait."""
        return len(self._queue)

    def start(self):
        """Begin to answer; called in the event loop."""
        self._wake = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self):
        """Answer what waits, and end; `ask` refuses from now on."""
        self._closing = True
        self._wake.set()
        await self._task

    async def ask(self, items):
        """Return the answers to a list of items, in order; in the place of one that failed its `Refusal`.

        Raises
        ------
        Refusal
            503, where the queue has no place for all of them, or the server ends.
        """
        if self._closing:
            raise Refusal(503, "the server is shutting down; ask again later")
        if len(self._queue) + len(items) > self._max_queue:
            raise Refusal(503, f"{len(self._queue)} items wait for the model, of at most {self._max_queue}; ask again "
                               "later")
        loop, now = asyncio.get_running_loop(), time.monotonic()
        waiting = [_Waiting(item, loop.create_future(), now) for item in items]
        first = not self._queue
        self._queue.extend(waiting)
        if first or len(self._queue) >= self._max_batch:      # else the clock of the first item runs already
            self._wake.set()
        return [await each.answer for each in waiting]

    # ---- the other side of the queue -------------------------------------------------------------------------------

    async def _run(self):
        loop = asyncio.get_running_loop()
        while True:
            await self._fill()
            batch = self._next()
            if not batch:
                if self._closing and not self._queue:
                    return
                continue
            begin = time.monotonic()
            answers = await loop.run_in_executor(self._executor, self._answered, [each.item for each in batch])
            self._observe(len(batch), time.monotonic() - begin)
            for each, answer in zip(batch, answers):
                if not each.answer.done():                    # its asker may have gone
                    each.answer.set_result(answer)

    async def _fill(self):
        """Wait until the queue has a whole batch, or its first item has waited for long enough."""
        while not self._queue and not self._closing:
            self._wake.clear()
            await self._wake.wait()
        while self._queue and len(self._queue) < self._max_batch and not self._closing:
            left = self._queue[0].since + self._max_wait - time.monotonic()
            if left <= 0:
                return
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), left)
            except asyncio.TimeoutError:
                return

    def _next(self):
        """Take the next batch from the queue, without items whose asker has gone."""
        batch = []
        while self._queue and len(batch) < self._max_batch:
            each = self._queue.popleft()
            if not each.answer.done():
                batch.append(each)
        return batch

    def _answered(self, items):
        """Return the answers to `items`, a `Refusal` for each item that the model refuses or fails on."""
        try:
            answers = list(self._call(items))
            if len(answers) != len(items):
                raise RuntimeError(f"the model gave {len(answers)} answers to {len(items)} items")
            return answers
        except ValueError as error:
            if len(items) == 1:
                return [Refusal(422, str(error))]
        except Exception:  # a fault of the model must not end the server; the log keeps its traceback
            if len(items) == 1:
                return [failure()]
        half = len(items) // 2
        return self._answered(items[:half]) + self._answered(items[half:])
