"""Labelled sequences from the formats that people have them in; the same ones from each.

Tests `sequence_formats.py` and `time_steps.py` too.
"""
import doctest
import gzip

import numpy as np
import pytest

from gluon_rnn.data import Sequences, sequences

RANDOM = np.random.default_rng(0)
STEPS = [np.round(RANDOM.standard_normal((int(length), 3)), 4) for length in RANDOM.integers(2, 7, 20)]
LABELS = ["up" if number < 8 else "down" for number in range(20)]


def test_the_example_holds():
    assert doctest.testmod(sequences).failed == 0


def ts():
    header = "# from an archive\n@problemName a\n@timeStamps false\n@missing true\n@univariate false\n@dimensions 3\n" \
             "@equalLength false\n@classLabel true up down\n@data\n"
    return header + "".join(":".join(",".join(map(str, column)) for column in steps.T) + f":{label}\n"
                            for steps, label in zip(STEPS, LABELS))


def stamped(date):
    """Return the same with a time at each step: numbers, or dates, which have colons as well."""
    times = [f"2020-01-31T23:{10 + row}:00" if date else f"{row / 10}" for row in range(9)]
    return ts().split("@data")[0].replace("timeStamps false", "timeStamps true") + "@data\n" + "".join(
        ":".join(",".join(f"({time},{value})" for time, value in zip(times, column)) for column in steps.T)
        + f":{label}\n" for steps, label in zip(STEPS, LABELS))


def frames(between="\n", label=True, first=False):
    lines = ["".join(" ".join([*[name] * (label and first), *map(str, row), *[name] * (label and not first)]) + "\n"
                     for row in steps) for steps, name in zip(STEPS, LABELS)]
    return between.join(lines)


def long_table():
    rows = [f"s{number},{t},{','.join(map(str, STEPS[number][t]))},{LABELS[number]}\n"
            for number in range(20) for t in RANDOM.permutation(len(STEPS[number]))]
    return "id,t,a,b,c,label\n" + "".join(rows[index] for index in np.argsort(RANDOM.uniform(size=len(rows))))


WAYS = {"ts": (ts(), {}), "times": (stamped(False), {}), "dates": (stamped(True), {}),
        "frames": (frames(), {"format": "frames"}),
        "first": (frames(first=True), {"format": "frames", "label": "first"}),
        "marker": (frames("---- next\n"), {"format": "frames", "marker": "--"}),
        "commas": (frames().replace(" ", ", "), {"format": "frames", "delimiter": ","}),
        "long": (long_table(), {"format": "long", "time": "t", "features": ["a", "b", "c"]})}


@pytest.mark.parametrize("way", WAYS)
def test_every_format_holds_the_same_sequences(tmp_path, way):
    text, keys = WAYS[way]
    (tmp_path / "a.gz").write_bytes(gzip.compress(text.encode()))
    data = Sequences(str(tmp_path / "a.gz"), valid=str(tmp_path / "a.gz"), **keys)
    want = sorted((label, *steps.ravel().tolist()) for steps, label in zip(STEPS, LABELS))
    found = zip(data.items("train"), data.targets("train"))
    assert sorted((data.labels[number], *item) for item, number in found) == want
    steps = np.concatenate(STEPS)
    np.testing.assert_allclose(np.concatenate(data.inputs("train")).mean(axis=0), 0, atol=1e-6)
    scaled = (np.reshape(data.items("train")[0], (-1, 3)) - steps.mean(axis=0)) / steps.std(axis=0)
    np.testing.assert_allclose(data.inputs("train")[0], scaled, rtol=0, atol=1e-5)    # float32


@pytest.mark.parametrize("labels", [[8, 12], "file"])
def test_labels_by_position_or_in_a_second_file(tmp_path, labels):
    (tmp_path / "a.txt").write_text(frames(label=False))
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    keys = {"train": str(tmp_path / "labels.txt") if labels == "file" else labels}
    data = Sequences(str(tmp_path / "a.txt"), valid=0.25, format="frames", labels=keys)
    assert data.labels == (["down", "up"] if labels == "file" else ["1", "2"])
    assert np.bincount(data.targets("train")).tolist() == ([9, 6] if labels == "file" else [6, 9])
    with pytest.raises(ValueError, match="a.txt: 20 sequences and 19 labels; give one for each"):
        Sequences(str(tmp_path / "a.txt"), format="frames", labels={"train": [8, 11]})


def test_missing_values(tmp_path):
    (tmp_path / "a.ts").write_text("@data\n" + "1,?,3,NaN:4,5,NaN,NaN:a\n5,6:7,8:b\n" * 5)
    with pytest.raises(ValueError, match="a.ts: sequence 1 has no value of feature 0 at step 1; set missing to inter"):
        Sequences(str(tmp_path / "a.ts"))
    for missing, want in (("interpolate", (1, 4, 2, 5, 3, 5)), ("forward", (1, 4, 1, 5, 3, 5))):
        data = Sequences(str(tmp_path / "a.ts"), valid=0.2, missing=missing)
        assert data.items("train")[0] == want                             # the step at the end without a value is none
    (tmp_path / "a.ts").write_text("@data\n" + "?,2:4,5:a\n5,6:7,8:b\n" * 5)
    with pytest.raises(ValueError, match="feature 0 at step 0; missing: forward has no value to fill it with"):
        Sequences(str(tmp_path / "a.ts"), missing="forward")


@pytest.mark.parametrize("text, keys, sentence", [
    ("1,2:a\n", {}, "no line @data, so that it is no .ts file"), ("@data\n", {}, "no sequences"),
    ("@timeStamps true\n@data\n(0,1) (1,2):a\n", {}, "line 3: expected steps such as"),
    ("@timeStamps true\n@data\n(0,1):(1,1):a\n", {}, "line 3: the dimensions have different times"),
    ("@timeStamps true\n@data\n(0,1),(1,1),(2,1),(5,1):a\n", {}, "a step of 3 behind the time 2, where 1 is usual"),
    ("@timeStamps true\n@data\n(noon,1),(1,1):a\n", {}, "'noon' is neither a number nor a date"),
    ("@classLabel false\n@data\n1,2\n", {}, "no class labels"), ("@data\n1,2:3:a\n", {}, "line 2: expected dimensions"),
    ("@data\n1,x:a\n", {}, "line 2: 'x' is no finite number"),
    ("@data\n1,2:a\n1,2:3,4:b\n", {}, "sequence 2 has 2 feat"),
    ("1 2 a\n1 2 b\n\n1 2 a\n", {"format": "frames"}, "line 2: the frames of one sequence have different labels, 'a'"),
    ("1 2 a\n1 a\n", {"format": "frames"}, "line 2: 1 numbers, where a frame has 2"),
    ("id,x,label\n1,2,a\n1,2,b\n", {"format": "long"}, "the sequence '1' has the labels 'a', 'b'; it needs one"),
    ("id,t,x,label\n1,2,3,a\n1,2,4,a\n", {"format": "long", "time": "t"}, "the sequence '1' has a time twice"),
    ("id,t,x,label\n1,2020-01-01,3,a\n1,2020-01-02,4,a\n1,2020-01-05,4,a\n", {"format": "long", "time": "t"},
     "sequence '1' has a step of 3 days behind the time 2020-01-02T00:00:00.000, where 1 day is usual"),
    ("ids,x,label\n1,2,a\n", {"format": "long"}, "no column 'id'; did you mean 'ids'"),
    ("id,x,label\n1,2,a\n2,3,b,4\n", {"format": "long"}, "row 3: 4 cells where the header has 3"),
    ("id,x,x,label\n1,2,3,a\n", {"format": "long"}, "2 columns 'x'"),
    ("id,label\n1,a\n", {"format": "long"}, "no column"),
    ("", {"format": "tss"}, "format must be one of ts, frames, long, got 'tss'; did you mean 'ts'"),
    ("", {"missing": "drop"}, "missing must be one of"),
    ("", {"format": "frames", "label": "x"}, "label must be 'first'"),
    ("1\n", {"format": "frames", "labels": {"train": [0]}}, "labels must have, by split, a file or numbers")])
def test_mistakes_are_one_sentence_with_file_and_line(tmp_path, text, keys, sentence):
    (tmp_path / "a.txt").write_text(text or "\n")
    with pytest.raises(ValueError, match=sentence) as error:
        Sequences(str(tmp_path / "a.txt"), **keys)
    assert "\n" not in str(error.value)
