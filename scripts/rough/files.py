"""Odd data files: each is read to what whoever wrote it knows, or refused in a sentence with its name and its fault."""
import resource
import traceback
from pathlib import Path

from scripts.rough import Outcome, odd_audio, odd_sequences, odd_tables, odd_texts
from scripts.rough.cases import REFUSED, Either, same
from scripts.rough.forked import verdict_of

TITLE, COUNT = "odd data files", 200
#: of one file: seconds of a processor, bytes of memory beside those of the process, and the most that may be used
_SECONDS, _BYTES, _MOST = 20, 3 * 2**30, 2**30
_KINDS = (*odd_tables.KINDS, *odd_audio.KINDS, *odd_texts.KINDS, *odd_sequences.KINDS)


def prepare(folder):
    """Load what reads the files, once."""
    import soundfile  # noqa: F401

    import gluon_rnn.data  # noqa: F401


def attempt(shared, folder, random, number):
    """Write an odd file, and read it in a child with a limit of time and memory."""
    case = _KINDS[number % len(_KINDS)](folder, random)
    verdict, note = _in_a_child(case)
    return Outcome(verdict, f"{case.what}: {note}")


def _in_a_child(case):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = {resource.RLIMIT_AS: used + _BYTES, resource.RLIMIT_CPU: _SECONDS}
    return verdict_of(lambda: _judged(case), 10 * _SECONDS, limits)


def _judged(case):
    """Return the verdict on what reading a file gives, and a note."""
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        found = case.read()
    except (ValueError, OSError) as error:
        verdict, note = _of_a_refusal(case, error)
    except BaseException as error:  # whatever kind it is: it is what is counted
        last = traceback.extract_tb(error.__traceback__)[-1]
        return "traceback", f"{type(error).__name__}: {str(error)[:300]} ({last.filename}:{last.lineno})"
    else:
        wanted = case.expected.values if isinstance(case.expected, Either) else case.expected
        right = wanted is not REFUSED and same(found, wanted)
        verdict, note = ("passed", "") if right else ("wrong", " ".join(f"read {str(found)[:300]}".split()))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun) * 1024
    return (verdict, note) if grown < _MOST else ("crash", f"took {grown:,} bytes of memory")


def _of_a_refusal(case, error):
    text = str(error)
    if "\n" in text or len(text) > 1000 or case.path.name not in text or isinstance(error, UnicodeError):
        return "traceback", f"{type(error).__name__}: {text[:400]}"
    if case.expected is REFUSED or isinstance(case.expected, Either):
        return "passed", ""
    return "wrong", f"refused: {text[:400]}"
