"""Threads of loops in NumPy: BLAS held to one, and ours, in forks too."""
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import gluon_rnn  # noqa: F401
import pytest
import threadpoolctl

from gluon_rnn.nn import threads


@pytest.mark.parametrize("turns", [1, 2])
def test_overlapping_contexts_of_one_thread_give_the_others_back(turns):
    """One thread enters, another enters, the first leaves: the second is still alone, and then all is as before."""
    def of_openblas():
        return {library["num_threads"] for library in threadpoolctl.threadpool_info()
                if library.get("threading_layer") == "pthreads"}

    before, context, found = threads.blas_threads(), threads.on_one_thread(), []
    with threadpoolctl.threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(1) as other:
        for _ in range(turns):
            for step in (lambda: other.submit(context.__enter__).result(), context.__enter__,
                         lambda: other.submit(context.__exit__).result(), context.__exit__):
                step()
                found.append((of_openblas(), threads.blas_threads()))
    assert found == ([({1}, 2)] * 3 + [({2}, 2)]) * turns
    assert threads.blas_threads() == before


def test_pythons_threads_take_quick_turns_meanwhile_and_no_longer():
    """Two calls at once, the first of which ends first."""
    before, seen, first_is_done, all_run = sys.getswitchinterval(), [], threading.Event(), threading.Barrier(4)

    def first(_):
        all_run.wait(60)

    def second(share):
        all_run.wait(60)
        if share == 0:
            first_is_done.wait(60)
            seen.append(sys.getswitchinterval())

    with ThreadPoolExecutor(1) as other:
        running = other.submit(threads.for_each, second, [0, 1])
        threads.for_each(first, [0, 1])
        first_is_done.set()
        running.result()
    assert seen[0] < 1e-3 <= before == sys.getswitchinterval()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_has_threads_of_its_own():
    found = []
    threads.for_each(found.append, [1, 2])
    child = os.fork()
    if not child:                                                         # no assertion may leave the child
        threads.for_each(found.append, [3, 4])
        os._exit(0 if sorted(found) == [1, 2, 3, 4] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("rows, count", [(5, 2), (1, 1), (7, 7), (64, 3)])
def test_shares_are_even_and_whole(rows, count):
    shares = threads.even_shares(rows, count)
    assert [row for share in shares for row in range(rows)[share]] == list(range(rows))
    assert len(shares) == count and max(len(range(rows)[share]) for share in shares) == -(-rows // count)
