"""Odd sequences: .ts files, frames, long tables, rows of numbers, tunes in ABC notation, piano rolls."""
import numpy as np

from scripts.rough.cases import REFUSED, Case

__all__ = ["KINDS"]


def _sequences(random, size=2, shortest=3):
    """Return 12 sequences (T_i, size) of numbers with three places, and their labels."""
    found = [np.round(random.normal(size=(int(random.integers(shortest, 9)), size)), 3) for _ in range(12)]
    return found, [("up", "down")[number % 2] for number in range(12)]


def _case(folder, text, what, keys, expected, name="odd.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return Case(f"{what}, {keys}", path, lambda: _read(path, keys), expected)


def _read(path, keys):
    from gluon_rnn.data.sequences import Sequences
    data = Sequences(str(path), valid=str(path), **keys)
    mean, deviation = np.array(data.reader.mean), np.array(data.reader.deviation)
    # the numbers have three places, which float32 keeps through standardising and back
    return ([np.round(steps.astype(np.float64) * deviation + mean, 4) for steps in data.inputs("train")],
            [data.labels[number] for number in data.targets("train")])


def ts(folder, random):
    """A .ts file: comments, dimensions, unequal lengths, missing values, time stamps, and faults."""
    found, labels = _sequences(random)
    stamped, fault = int(random.integers(3)), int(random.integers(12))
    keys, lines, row = {}, [], int(random.integers(12))
    if random.integers(3) == 0 and not stamped:
        keys["missing"] = "interpolate"
    for number, (steps, label) in enumerate(zip(found, labels)):
        cells = [[f"{value:.3f}" for value in column] for column in steps.T]
        if keys:
            cells[0][1], steps[1, 0] = str(random.choice(["?", "NaN"])), (steps[0, 0] + steps[2, 0]) / 2
        if fault == 0 and number == row:
            cells[0].append("1.0")
        if fault == 1 and number == row:
            cells[1][1] = "one"
        if fault == 2 and number == row:
            cells.append(cells[0])
        if stamped:
            _stamp(cells, stamped, fault if number == row else None)
        lines.append(":".join([",".join(column) for column in cells] + [label] * (fault != 3 or number != row)))
    header = ["# a problem", "@problemName odd", f"@timeStamps {'true' if stamped else 'false'}", "@univariate false",
              "@classLabel true up down", "@data"]
    if fault == 4:
        header.pop()
    if fault == 5:
        header[4] = "@classLabel false"
    text = str(random.choice(["\n", "\r\n"])).join([*header, *lines, ""])
    refused = fault < 6 or (stamped and fault < 8)
    return _case(folder, text, f".ts, stamps {stamped}, fault {fault}", {"format": "ts", **keys},
                 REFUSED if refused else (found, labels), "odd.ts")


def _stamp(cells, way, fault):
    """Put time stamps before values: numbers, or dates with colons; one that is twice, or a gap, where there is one."""
    for column in cells:
        places = list(range(len(column)))
        if fault == 6:
            places[-1] = places[-2]
        elif fault == 7:
            places[-1] += 5
        stamps = [f"{place * 2}.0" if way == 1 else f"2007-01-01 00:{place:02d}:00" for place in places]
        column[:] = [f"({stamp},{value})" for stamp, value in zip(stamps, column)]


def frames(folder, random):
    """A frame a line, with blank lines or markers between sequences, labels in lines or counted, and faults."""
    found, labels = _sequences(random)
    way, fault, row, lines = int(random.integers(3)), int(random.integers(9)), int(random.integers(1, 12)), []
    for number, (steps, label) in enumerate(zip(found, labels)):
        rows = [" ".join(f"{value:.3f}" for value in step) + f" {label}" * (way < 2) for step in steps]
        if number == row and fault < 3:
            rows[1] = {0: "0.1 " + rows[1], 1: "x " + rows[1].split(" ", 1)[1], 2: rows[1].split(" ")[0]}[fault]
        lines += [*(["%% next"] if way == 1 else [""] * int(random.integers(1, 3))), *rows]
    keys = {"format": "frames", **({"marker": "%%"} if way == 1 else {})}
    if way == 2:
        found, labels = found, ["1"] * 7 + ["2"] * 5
        keys["labels"] = {split: [7, 5] if fault != 3 else [7, 4] for split in ("train", "valid")}
    elif fault == 3:
        lines = [line for line in lines if line and not line.startswith("%%")]
    refused = fault < 4
    return _case(folder, "\n".join(lines), f"frames {way}, fault {fault}", keys,
                 REFUSED if refused else (found, labels))


def long(folder, random):
    """A long table, its rows in any order where there is a time, and faults."""
    found, labels = _sequences(random)
    timed, fault = bool(random.integers(2)), int(random.integers(12))
    rows = [[str(number), str(place), f"{step[0]:.3f}", f"{step[1]:.3f}", label]
            for number, (steps, label) in enumerate(zip(found, labels)) for place, step in enumerate(steps)]
    names, row = ["id", "t", "a", "b", "label"], next(
        place for place in random.permutation(len(rows)) if rows[place][1] != "0")
    edits = {0: lambda: rows[row].__setitem__(2, "x"), 1: lambda: rows[row].__setitem__(4, "other"),
             2: lambda: names.__setitem__(0, "number"), 3: lambda: names.__setitem__(3, "a"),
             4: lambda: rows[row].__setitem__(3, "inf"), 5: lambda: rows.append([*rows[row], "more", "cells"]),
             6: lambda: rows.__setitem__(row, rows[row][:2]), 7: lambda: rows[row].__setitem__(1, rows[row - 1][1]),
             8: lambda: rows.__setitem__(slice(None), [step for step in rows if step[1] != "1"])}
    edits.get(fault, lambda: None)()
    if timed:
        order = random.permutation(len(rows))
        first = sorted(range(12), key=lambda number: min(place for place, index in enumerate(order)
                                                         if rows[index][0] == str(number)))
        rows, found, labels = [rows[index] for index in order], [found[n] for n in first], [labels[n] for n in first]
    keys = {"format": "long", "features": ["a", "b"], **({"time": "t"} if timed else {})}
    text = "\n".join(",".join(cells) for cells in [names, *rows])
    expected = REFUSED if fault < 7 or (timed and fault < 9) else (found, labels)
    if fault == 8 and not timed:
        expected = [np.delete(steps, 1, axis=0) for steps in found], labels
    return _case(folder, text, f"long table, fault {fault}", keys, expected, "odd.csv")


def trajectories(folder, random):
    """A sequence a line, and faults."""
    found, labels = _sequences(random)
    fault, row = int(random.integers(9)), int(random.integers(12))
    lines = [", ".join([*(f"{value:.3f}" for value in steps.ravel()), label]) for steps, label in zip(found, labels)]
    broken = {0: lambda line: "1, " + line, 1: lambda line: "nan" + line[line.index(","):], 2: lambda line: "x" + line,
              3: lambda line: line.rpartition(",")[0] + ",", 4: lambda line: "1_0" + line[line.index(","):]}
    if fault in broken:
        lines[row] = broken[fault](lines[row])
    path = folder / "odd.csv"
    path.write_text("\n\n".join(lines) if fault == 8 else "\n".join(lines))
    return Case(f"trajectories, fault {fault}", path, lambda: _trajectories(path), REFUSED if fault < 5 else
                (found, labels))


def _trajectories(path):
    from gluon_rnn.data.trajectories import Trajectories
    data = Trajectories(str(path), valid=str(path))
    return ([np.reshape(row, (-1, 2)) for row in data.items("train")],
            [data.labels[number] for number in data.targets("train")])


# ---- music ---------------------------------------------------------------------------------------------------------


def tunes(folder, random):
    """An ABC file: a header of the file, comments, decorations, lines that go on, free text, and faults."""
    fault, lines, expected = int(random.integers(8)), ["% a book", "L:1/16", ""], []
    crlf = bool(random.integers(2))
    for number in range(5):
        notes = ["".join(str(note) for note in random.choice(["A", "B2", "c/", "^d", "z", "(3abc", "|"], size=8))
                 for _ in range(2)]
        own, metre = bool(random.integers(2)), str(random.choice(["3/4", "6/8", "C"]))
        lines += [f"X:{number}", "T:100\\% odd", f"M: {metre}", *["L:1/4"] * own, "K:G % one sharp"]
        if fault == 0 and number == 3:
            lines.pop()
        lines += [notes[0] + "\\", "% between", notes[1] + " !fine!", "w: la la", "A!", "", "some free text"]
        expected.append([f"L:{'1/4' if own else '1/16'}\nK:G\n{notes[0]} {notes[1]} !fine!\nA",
                         {"C": "4/4"}.get(metre, metre)])
    if fault == 1:
        lines = [line for line in lines if not line.startswith("X:")]
    if fault == 2:
        lines = [line for line in lines if not line.startswith("M:")]
    path = folder / "odd.abc"
    path.write_bytes(("\r\n" if crlf else "\n").join(lines).encode())
    return Case(f"ABC, fault {fault}", path, lambda: _tunes(path), REFUSED if fault < 3 else expected)


def _tunes(path):
    from gluon_rnn.data.abc_tunes import AbcTunes
    data = AbcTunes(train=str(path), valid=str(path))
    return [[text, data.labels[number]] for text, number in zip(data.items("train"), data.targets("train"))]


def rolls(folder, random):
    """A .mat file of piano rolls: whole, cut, with other arrays, or with numbers that are no keys."""
    import scipy.io
    fault, path = int(random.integers(8)), folder / "odd.mat"
    pieces = {f"{split}data": np.empty(3, dtype=object) for split in ("train", "valid")}
    for cells in pieces.values():
        for place in range(3):
            cells[place] = random.integers(0, 2, (int(random.integers(2, 20)), 88)).astype(np.uint8)
    if fault == 0:
        pieces["traindata"][1] = pieces["traindata"][1] * 7 + 2
    elif fault == 1:
        pieces.pop("validdata")
    elif fault == 2:
        pieces["traindata"][2] = np.zeros((5, 40), dtype=np.uint8)
    elif fault == 3:
        pieces["validdata"][0] = np.zeros((1, 88), dtype=np.uint8)
    scipy.io.savemat(path, pieces)
    if fault == 4:
        content = path.read_bytes()
        path.write_bytes(content[:int(random.integers(len(content) - 9))])
    expected = REFUSED if fault < 5 else [list(pieces[f"{split}data"]) for split in ("train", "valid")]
    return Case(f"piano rolls, fault {fault}", path, lambda: _rolls(path), expected)


def _rolls(path):
    from gluon_rnn.data.piano_roll import PianoRoll
    data = PianoRoll(str(path))
    return [data.rolls(split) for split in ("train", "valid")]


KINDS = (ts, ts, frames, long, long, trajectories, tunes, rolls)
