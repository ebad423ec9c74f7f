"""Files that are written whole or not at all, and whose faults name them."""
import contextlib
import os
from pathlib import Path

import yaml

__all__ = ["naming", "read_yaml", "whole", "write_text"]


@contextlib.contextmanager
def naming(path):
    """Have an `OSError` of the with-block name `path` where it names no file: a write to a full disk names none.

    A pipe that nobody reads any more is not that file's fault.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def whole(path):
    """Give a with-block the path of a file beside `path`, which takes its place at the end, or is gone where it failed.

    The kind of the file is seen by the end of its name, so that is the same.
    """
    path = Path(path)
    partial = path.with_name(f".partial-{path.name}")
    try:
        with naming(path):
            yield partial
            os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path, text):
    """Write `text` in UTF-8 beside `path` and rename it, so that `path` is never half a file."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_yaml(text):
    """Return what is in a text in YAML, plain types only; `yaml.YAMLError` where it is damaged.

    By libyaml where PyYAML has it, which takes a tenth of the time.
    """
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
