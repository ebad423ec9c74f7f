"""The queue in front of a model: what shares a call, for how long it waits, and that each gets its own answer."""
import asyncio
import concurrent.futures
import contextlib
import time

import pytest

from gluon_rnn.serve.batching import Batcher
from gluon_rnn.serve.limits import Refusal


class Squares:
    """A model that squares numbers, refuses 13 and fails on 666; `batches` are its calls."""

    def __init__(self, seconds=0.0):
        self.batches, self.seconds = [], seconds

    def __call__(self, items):
        self.batches.append(list(items))
        time.sleep(self.seconds)
        if 13 in items:
            raise ValueError("13 is refused")
        if 666 in items:
            raise RuntimeError("failed")
        return [item * item for item in items]


@contextlib.asynccontextmanager
async def batching(model, max_batch=8, max_wait=0.05, max_queue=100):
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        batcher = Batcher(model, thread, max_batch, max_wait, max_queue)
        batcher.start()
        yield batcher
        await batcher.close()


async def ask_together(batcher, items):
    return [answer for answer, in await asyncio.gather(*(batcher.ask([item]) for item in items))]


def test_what_comes_together_shares_a_call_and_each_gets_its_answer():
    model = Squares()

    async def scenario():
        async with batching(model) as batcher:
            assert await ask_together(batcher, range(8)) == [number**2 for number in range(8)]
            assert await batcher.ask([3, 1, 2]) == [9, 1, 4]

    asyncio.run(scenario())
    assert model.batches == [list(range(8)), [3, 1, 2]]


def test_no_call_is_larger_than_the_batch_and_all_calls_hold_all_items_once():
    model = Squares()

    async def scenario():
        async with batching(model) as batcher:
            assert await batcher.ask(list(range(20, 50))) == [number**2 for number in range(20, 50)]

    asyncio.run(scenario())
    assert [len(batch) for batch in model.batches] == [8, 8, 8, 6] and sum(model.batches, []) == list(range(20, 50))


def test_a_full_batch_does_not_wait_and_a_single_item_waits_no_longer_than_allowed():
    async def seconds(count, max_wait):
        async with batching(Squares(), max_wait=max_wait) as batcher:
            begin = time.monotonic()
            await ask_together(batcher, range(count))
            return time.monotonic() - begin

    assert asyncio.run(seconds(8, 5.0)) < 2.5
    assert 0.2 <= asyncio.run(seconds(1, 0.2)) < 2.5


def test_items_that_come_while_the_model_works_are_the_next_batch():
    model = Squares(0.2)

    async def scenario():
        async with batching(model, max_wait=0) as batcher:
            first = asyncio.ensure_future(batcher.ask([1]))
            await asyncio.sleep(0.1)
            assert await ask_together(batcher, [2, 3, 4]) == [4, 9, 16] and await first == [1]

    asyncio.run(scenario())
    assert model.batches == [[1], [2, 3, 4]]


@pytest.mark.parametrize("wrong, status", [(13, 422), (666, 500)])
@pytest.mark.parametrize("place", range(7))
def test_a_bad_item_fails_alone(wrong, status, place):
    items = [0, 1, 2, 3, 4, 5, 6]
    items[place] = wrong

    async def scenario():
        async with batching(Squares()) as batcher:
            return await ask_together(batcher, items)

    for item, answer in zip(items, asyncio.run(scenario())):
        assert answer.status == status if item == wrong else answer == item * item


def test_a_model_that_loses_an_answer_gives_nobody_another_one_s():
    async def scenario():
        async with batching(lambda items: [item * item for item in items][1:]) as batcher:
            return await ask_together(batcher, range(4))

    assert [answer.status for answer in asyncio.run(scenario())] == [500] * 4


def test_an_asker_that_has_gone_costs_no_call():
    model = Squares()

    async def scenario():
        async with batching(model, max_wait=0.2) as batcher:
            gone = asyncio.ensure_future(batcher.ask([1, 2]))
            await asyncio.sleep(0.05)
            gone.cancel()
            stays = await batcher.ask([5])
            assert stays == [25] and len(batcher) == 0

    asyncio.run(scenario())
    assert sum(model.batches, []) in ([5], [2, 5]), "at most the item behind the one that was awaited"


def test_a_full_queue_refuses_a_request_as_a_whole():
    async def scenario():
        async with batching(Squares(0.2), max_batch=2, max_wait=0, max_queue=4) as batcher:
            waiting = []
            for number in range(3):
                waiting.append(asyncio.ensure_future(batcher.ask([number] * 2)))
                await asyncio.sleep(0.03)                                 # the first two are with the model by then
            with pytest.raises(Refusal, match="4 items wait for the model, of at most 4"):
                await batcher.ask([9])
            assert await asyncio.gather(*waiting) == [[0, 0], [1, 1], [4, 4]]

    asyncio.run(scenario())


def test_the_end_answers_what_waits_and_refuses_what_comes():
    async def scenario():
        async with batching(Squares(0.05), max_batch=2, max_wait=60) as batcher:
            waiting = [asyncio.ensure_future(batcher.ask([number])) for number in range(5)]
            await asyncio.sleep(0.01)
            ending = asyncio.ensure_future(batcher.close())
            await asyncio.sleep(0)
            with pytest.raises(Refusal, match="shutting down"):
                await batcher.ask([1])
            await ending
            assert await asyncio.gather(*waiting) == [[0], [1], [4], [9], [16]]

    asyncio.run(asyncio.wait_for(scenario(), 30))
