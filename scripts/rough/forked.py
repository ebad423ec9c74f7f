"""Commands in a child of this process, which has loaded everything already: a kill costs no seconds of loading."""
import json
import os
import resource
import signal
import sys
import time

__all__ = ["kill_at_event", "run", "start", "verdict_of"]


def start(words, prepare=None, log=None):
    """Start a command in a child process and return its id; what it prints goes to the file `log`.

    Parameters
    ----------
    words : sequence
        Of the command line.
    prepare : callable, optional
        Called in the child first.
    log : Path, optional
    """
    child = os.fork()
    if child:
        return child
    from gluon_rnn.cli.main import main
    from gluon_rnn.cli.process import run_command
    try:
        if log is not None:
            handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
        if prepare is not None:
            prepare()
        run_command(main, [str(word) for word in words])
    except SystemExit as ended:
        _end(ended.code or 0)
    except BaseException:
        import traceback
        traceback.print_exc()
        _end(70)


def _end(status):
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run(words, after=None, number=signal.SIGKILL, **options):
    """Run a command in a child, sent a signal `after` so many seconds; return its status, below 0 for a signal."""
    child = start(words, **options)
    if after is not None:
        time.sleep(after)
        os.kill(child, number)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def verdict_of(judge, seconds, limits):
    """Return the verdict and note that ``judge()`` gives in a child, or "crash" where the child does not live to say.

    `limits` are numbers of bytes or seconds by constants of `resource`; after `seconds` of the clock the child ends.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        for kind, most in limits.items():
            resource.setrlimit(kind, (most, most))
        signal.alarm(seconds)
        os.write(writer, json.dumps(judge()).encode()[:60_000])
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        said = file.read()
    _, status = os.waitpid(child, 0)
    if status or not said:
        return "crash", f"the process ended with {os.waitstatus_to_exitcode(status)}"
    return json.loads(said)


def kill_at_event(folder, count):
    """Have this process killed at the `count`-th time that it changes or opens something below `folder`."""
    seen = 0

    def look(event, arguments):
        nonlocal seen
        if event in _EVENTS and any(str(folder) in str(argument) for argument in arguments[:2]):
            seen += 1
            if seen == count:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(look)


_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "shutil.rmtree", "os.truncate"}
