"""SIGINT, SIGTERM and SIGHUP as a wish to stop at the next step: training ends with an evaluation and a checkpoint."""
import signal
import threading

__all__ = ["StopSignals"]


_STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class StopSignals:
    """Context manager; `received` is the number of the first such signal that came while it was active, or None.

    A second signal finds the handlers that were there before, and so ends the process at once. Outside of the main
    thread, where Python allows no handlers, it does nothing. SIGHUP stays ignored where it is, as under nohup.
    """

    def __init__(self):
        self.received = None
        self._previous = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in _STOPPING:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_):
        self._restore()

    @property
    def exit_status(self):
        """Exit status by the custom of shells: 129 for SIGHUP, 130 for SIGINT, 143 for SIGTERM, 0 without a signal."""
        return 128 + self.received if self.received else 0

    def _note(self, number, frame):
        self.received = number
        self._restore()

    def _restore(self):
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
