"""How the file that recipes read is made from the one that is public: a step by name, from a path to a path.

Each step is a function ``step(source, target, **arguments)`` that reads the file `source` and writes the file `target`;
the arguments stand in the manifest. The same source gives the same content everywhere.
"""
import gzip
import hashlib
import shutil
import zipfile

__all__ = ["STEPS", "drop_lines", "gzip_file", "split_pairs", "unzip", "zip_folder"]

_TIME = (1980, 1, 1, 0, 0, 0)                        # the earliest that a .zip can hold
_MOST_WORDS, _PAIRS, _PARTS = 10, 20000, {"train": (0.0, 0.8), "valid": (0.8, 0.9), "test": (0.9, 1.0)}


def gzip_file(source, target):
    """Pack a file as ``.gz``, without name and time."""
    with open(source, "rb") as plain, open(target, "wb") as file:
        with gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            shutil.copyfileobj(plain, packed)


def unzip(source, target, member):
    """Take the file `member` out of a ``.zip``."""
    with zipfile.ZipFile(source) as archive, archive.open(member) as inside, open(target, "wb") as file:
        shutil.copyfileobj(inside, file)


def zip_folder(source, target, folder):
    """Pack one folder of a repository's ``.zip``, whose files all stand below one folder, by sorted name."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        names = {name.partition("/")[2]: name for name in archive.namelist() if not name.endswith("/")}
        for name in sorted(name for name in names if name.startswith(f"{folder}/")):
            packed.writestr(zipfile.ZipInfo(name, _TIME), archive.read(names[name]), zipfile.ZIP_DEFLATED)


def drop_lines(source, target, ranges):
    """Leave out the lines from the first to the last, counted from 1, of each range [first, last]."""
    with open(source, "rb") as file:
        lines = file.readlines()
    dropped = {number for first, last in ranges for number in range(first, last + 1)}
    with open(target, "wb") as file:
        file.writelines(line for number, line in enumerate(lines, start=1) if number not in dropped)


def split_pairs(source, target, member, part):
    """Choose one part of about 20,000 short pairs from a table of English, tab, French.

    Pairs with at most 10 words on both sides stay. The SHA-1 of the English text in UTF-8, read as a number between 0
    and 1, chooses among them: below 20,000 divided by their number the pair is taken, the first 80 % of that range
    being train, the next 10 % valid and the rest test. So all translations of an English sentence are in one part.
    """
    with zipfile.ZipFile(source) as archive:
        lines = archive.read(member).decode("utf-8").split("\n")
    pairs = [line for line in lines if line and all(len(side.split()) <= _MOST_WORDS for side in line.split("\t")[:2])]
    low, high = (edge * _PAIRS / max(len(pairs), 1) for edge in _PARTS[part])
    with open(target, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in pairs if low <= _place(line.partition("\t")[0]) < high)


def _place(text):
    """Return the SHA-1 of a text as a number from 0 to 1."""
    return int(hashlib.sha1(text.encode("utf-8")).hexdigest(), 16) / 2**160


#: Name in the manifest: function.
STEPS = {"gzip": gzip_file, "unzip": unzip, "zip_folder": zip_folder, "drop_lines": drop_lines,
         "split_pairs": split_pairs}
