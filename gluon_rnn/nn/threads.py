"""Threads of loops in NumPy: how many its matrix products may use, and some of ours that share the rows of a batch."""
import contextlib
import functools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import threadpoolctl

__all__ = ["blas_threads", "even_shares", "for_each", "on_one_thread", "worth_having"]

# Fewer rows than this are not worth a thread.
_ROWS = 8
_TURN = 3e-5    # s


def for_each(run, shares):
    """Return a list of ``run(share)`` for each of the `shares`, each on a thread of its own."""
    first, *others = shares
    with on_one_thread(), _quick_turns if others else contextlib.nullcontext():
        running = [_threads().submit(run, share) for share in others]
        return [run(first), *(one.result() for one in running)]


@functools.cache
def _threads():
    """Return threads that stay: a new one often begins on the processor of the thread that made it, and waits there."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="gluon_rnn")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)              # a fork has no threads but the calling one


class _QuickTurns:
    """A context, for several threads at a time, in which Python's threads wait for each other no longer than `_TURN`.

    A thread comes out of a matrix product while another one makes many short calls, each of which lets go of Python's
    lock and has it back before the waiting one is awake. That one would wait for 5 ms, which is Python's own choice.
    """

    def __init__(self):
        self._lock, self._inside, self._before = threading.Lock(), 0, None

    def __enter__(self):
        with self._lock:
            if not self._inside:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(_TURN, self._before))
            self._inside += 1

    def __exit__(self, *_):
        with self._lock:
            self._inside -= 1
            if not self._inside:
                sys.setswitchinterval(self._before)


_quick_turns = _QuickTurns()


def worth_having(rows, multiplications, least):
    """Return how many threads are worth having for so many rows and multiplications, `least` of these for each."""
    return max(min(blas_threads(), rows // _ROWS, multiplications // least), 1)


def even_shares(rows, count):
    """Return `count` slices that share `rows` out evenly.

    >>> even_shares(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    ends = [rows * share // count for share in range(count + 1)]
    return list(map(slice, ends, ends[1:]))


class _OneThread:
    """A context that threads may be inside of at the same time.

    OpenBLAS with threads of its own has one number of them for all who call it: the last thread out sets it back. Where
    a library counts for each calling thread (OpenMP, MKL), each sets back its own.
    """

    def __init__(self):
        self._lock, self._inside, self._counts, self._own = threading.Lock(), 0, [], threading.local()

    @property
    def threads(self):
        """How many threads BLAS has outside of the context; None while nobody is inside."""
        return min(self._counts, default=None)

    def __enter__(self):
        self._own.counts = [*getattr(self._own, "counts", ()), _set_threads(_blas(shared=False))]
        with self._lock:
            if not self._inside:
                self._counts = _set_threads(_blas(shared=True))
            self._inside += 1

    def __exit__(self, *_):
        _set_threads(_blas(shared=False), self._own.counts.pop())
        with self._lock:
            self._inside -= 1
            if not self._inside:
                _set_threads(_blas(shared=True), self._counts)
                self._counts = []


def _set_threads(libraries, counts=None):
    """Set the number of threads of each of the `libraries`, by default 1, and return what it was."""
    before = [library.num_threads for library in libraries]
    for library, count in zip(libraries, counts or [1] * len(libraries)):
        # threadpoolctl lets one thread alone set OpenBLAS's. Here several take turns, under a lock.
        getattr(library, "_real_set_num_threads", library.set_num_threads)(count)
    return before


_one_thread = _OneThread()


def on_one_thread():
    """Return a context in which BLAS computes on the calling thread.

    OpenBLAS wakes threads of its own for products of a microsecond, which then wait for a processor beside MXNet's.
    """
    return _one_thread


def blas_threads():
    """Return how many threads NumPy and SciPy may use at the moment, as set by OMP_NUM_THREADS or `threadpoolctl`.

    Inside `on_one_thread`, how many they may use outside of it.
    """
    return _one_thread.threads or _threads_now()


def _threads_now():
    return min((library.num_threads for library in [*_blas(shared=True), *_blas(shared=False)]), default=1)


@functools.cache
def _blas(shared):
    """Return the libraries that have one number of threads for all callers, or those that have not."""
    libraries = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    return [library for library in libraries if (getattr(library, "threading_layer", "") == "pthreads") is shared]
