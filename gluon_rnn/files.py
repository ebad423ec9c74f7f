"""Small files of text that are written whole or not at all."""
import os
from pathlib import Path

__all__ = ["write_text"]


def write_text(path, text):
    """Write `text` in UTF-8 beside `path` and rename it, so that `path` is never half a file."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
