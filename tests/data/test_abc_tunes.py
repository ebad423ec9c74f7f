"""ABC tunes: headers and notes, awkward files, metres as classes, duplicates, divisions, errors with lines."""
from collections import Counter

import pytest

from gluon_rnn.data.abc_tunes import AbcTunes, parse_tunes, to_abc
from gluon_rnn.registry import datasets

FIRST = "X:1\nT:One\nM:6/8\nL:1/8\nK: G  Major\nG|ABc def|!\nG3 G2:|\n"
SECOND = "X:2\nT:Two\nM:C|\nK:D\nDFA|\n"
THIRD = "X:3\nM:C\nK:D\nd2 d2|\n"


def write(folder, text, name="tunes.abc"):
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return str(path)


def load(folder, text, **options):
    path = write(folder, text)
    return AbcTunes(train=path, valid=path, **options)


@pytest.mark.parametrize("ending, bom", [("\n", ""), ("\r\n", "\ufeff")])
def test_tunes_and_their_metres(tmp_path, ending, bom):
    data = load(tmp_path, bom + "\n".join([FIRST, SECOND, THIRD]).replace("\n", ending))
    assert data.items("train") == ["L:1/8\nK:G Major\nG|ABc def|\nG3 G2:|", "K:D\nDFA|", "K:D\nd2 d2|"]
    assert data.labels == ["2/2", "4/4", "6/8"]
    assert [data.labels[target] for target in data.targets("valid")] == ["6/8", "2/2", "4/4"]
    vocab = data.vocab
    assert "".join(vocab.idx_to_token[index] for index in data.inputs("train")[1]) == "K:D\nDFA|"


def test_a_tune_ends_at_the_blank_line_behind_its_notes():
    text = "A book\n\nX:1\nM:3/4\nK:D\n\nabc|\n% a remark\nw:la la\ndef|% here too\n\nwords between\n\n" + SECOND
    tunes, free = parse_tunes(text)
    assert [tune.text(("K",)) for tune in tunes] == ["K:D\nabc|\ndef|", "K:D\nDFA|"]
    assert free == 2


def test_key_changes_stay_and_other_metres_leave(tmp_path):
    changes = "X:4\nM:C\nK:D\nABc|\nM:6/8\ndef|\n\nX:5\nM:C\nK:D\nabc|[M:3/4]def|\n\nX:6\nK:D\nABc|\n\n"
    data = load(tmp_path, changes + "X:7\nM:C\nK:D\nABc|\nK:G\ndef|\n")
    assert data.items("train") == ["K:D\nABc|\nK:G\ndef|"]
    assert "3 tunes without one metre left out" in data.describe()


def test_fields_length_and_duplicates(tmp_path):
    text = "\n".join([FIRST, SECOND, THIRD, SECOND.replace("T:Two", "T:Again").replace("DFA|", "D F A|")])
    assert load(tmp_path, text, fields=["T"]).items("train")[1] == "T:Two\nDFA|"
    assert [len(item) for item in load(tmp_path, text, max_length=12).items("train")] == [8, 10, 10]
    train = write(tmp_path, "\n".join([text, text, FIRST.replace("def", "fed"), SECOND.replace("F", "FF"),
                                       THIRD.replace("d2", "d3")]), "train.abc")
    counted = AbcTunes(train=train, valid=write(tmp_path, text))
    assert [len(counted.items(split)) for split in counted.splits] == [11, 4]
    assert "8 duplicates across splits" in counted.describe()
    single = AbcTunes(train=train, valid=write(tmp_path, text), deduplicate=True)
    assert [len(single.items(split)) for split in single.splits] == [3, 3]
    assert "9 duplicates removed; 0 duplicates across splits" in single.describe()


def test_division_takes_of_each_metre_and_is_seeded(tmp_path):
    text = "".join(f"X:{n}\nM:{metre}\nK:D\n{'A' * (n + 1)}|\n\n" for n in range(40) for metre in ("2/4", "6/8"))
    path = write(tmp_path, text)
    parts = [AbcTunes(path, [0.5, 0.25, 0.25], split_seed=seed) for seed in (0, 0, 1)]
    assert Counter(parts[0].targets("test").tolist()) == {0: 10, 1: 10}
    assert parts[0].items("test") == parts[1].items("test") != parts[2].items("test")
    assert not set(parts[0].items("train")) - set(parts[2].items("train") + parts[2].items("valid")
                                                  + parts[2].items("test"))


def test_back_to_abc():
    assert to_abc("L:1/8\nK:D\nDFA|\n", "3/8", 7, "A Tune") == "X:7\nT:A Tune\nM:3/8\nL:1/8\nK:D\nDFA|\n"


@pytest.mark.parametrize("text, message", [
    ("no tunes here\n", "no tune in ABC notation, which begins with a line such as X:1"),
    ("X:1\nM:C\nABc|\n", "line 3: notes before the key of the tune that begins at line 1; .* got 'ABc|'"),
    ("X:1\nK:D\nABc|\n", "no tune is left; give it a metre")])
def test_errors_name_the_line(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        load(tmp_path, text)


@pytest.mark.parametrize("options, message", [
    ({"path": "x"}, "path goes with split"), ({"train": "x"}, "given: train; give either path and split"),
    ({"path": "x", "split": [0.5, 0.5], "train": "y"}, "with no other file, got split"),
    ({"path": "x", "split": [0.5, 0.5], "max_length": 0}, "max_length must be a whole number of at least 1")])
def test_argument_errors(options, message):
    with pytest.raises(ValueError, match=message):
        AbcTunes(**options)


@pytest.mark.real_data
def test_real_tunes_have_the_published_counts(data_root):
    path = str(data_root / "irish_abc" / "irish.abc")
    tunes, free = parse_tunes((data_root / "irish_abc" / "irish.abc").read_text(encoding="utf-8"))
    assert (len(tunes), free) == (804, 0)
    data = datasets.build("abc_tunes", path=path, split=[0.9, 0.05, 0.05], deduplicate=True)
    assert data.labels == ["2/2", "2/4", "3/4", "4/4", "6/8", "9/8"]
    assert sum(len(data.items(split)) for split in data.splits) == 797
    assert "5 tunes without one metre left out; 2 duplicates removed; 0 duplicates across" in data.describe()
    assert not any("!" in item for item in data.items("train"))


HEAD = "X:1\nM:4/4\nL:1/8\nK:G\n"


def test_the_header_of_a_file_holds_for_tunes_without_their_own():
    tunes, free = parse_tunes("M:6/8\nL:1/16\nR:jig\n\nX:1\nT:A\nK:D\nDFA|\n\nX:2\nM:4/4\nK:G\nGAB|\n")
    assert [(tune.metre, tune.fields["L"], tune.fields["R"]) for tune in tunes] == [("6/8", "1/16", "jig"),
                                                                                    ("4/4", "1/16", "jig")]
    assert free == 0 and tunes[0].text(["L", "K"]) == "L:1/16\nK:D\nDFA|"


@pytest.mark.parametrize("notes, body", [
    ("GABc|!fine!", ["GABc|!fine!"]), ("GABc !D.C.!|dedc !fine!", ["GABc !D.C.!|dedc !fine!"]),
    ("GABc!\ndedc|!", ["GABc", "dedc|"]), ("GABc !fine!|!", ["GABc !fine!|"]),
    ('"wait !"GABc|!', ['"wait !"GABc|']), ("GABc \\\ndedc|", ["GABc dedc|"]),
    ("GABc \\ % a comment\n% a whole line\ndedc|", ["GABc dedc|"]), ('"50\\%"GABc|', ['"50\\%"GABc|']),
    ("GABc|\nw:la la\n+:la la\ns:!pp!\nr:slow\ndedc|", ["GABc|", "dedc|"]),
    ("%%begintext\nA B C are letters\n\n%%endtext\nGABc|", ["GABc|"]), ("%%MIDI program 1\nGABc|", ["GABc|"])])
def test_decorations_continuations_and_comments(notes, body):
    (tune,), free = parse_tunes(HEAD + notes + "\n")
    assert tune.body == body and free == 0


def test_fields_that_go_on():
    (tune,), _ = parse_tunes("X:1\nT:A long\n+:title\nM:3/4\nK:C\nCDE|\n")
    assert tune.fields["T"] == "A long title" and tune.body == ["CDE|"]


@pytest.mark.parametrize("notes", ["GABc|!fine!dedc|", "GABc \\\ndedc|", "G2AB!trill!c|% no notes: ABC",
                                   '"^x !"GA|', "GABc|\nw:la la la la\ndedc|"])
@pytest.mark.parametrize("header", ["", "M:6/8\nL:1/16\n\n"])
def test_notes_are_those_that_music21_reads(notes, header):
    """Pitches and lengths of the file as it is, against those of our tune, both read by music21."""
    music21 = pytest.importorskip("music21")
    head = "X:1\nT:t\nM:4/4\nL:1/8\nK:G\n" if not header else "X:1\nT:t\nK:G\n"
    whole = header.rstrip("\n") + ("\n" if header else "") + head + notes + "\n"
    (tune,), _ = parse_tunes(header + head + notes + "\n")
    ours = to_abc(tune.text(["L", "K"]), tune.metre)
    if header:                                                            # it knows no header of a file: in the tune
        whole = whole.replace("M:6/8\nL:1/16\nX:1\nT:t\n", "X:1\nT:t\nM:6/8\nL:1/16\n")

    def sounds(abc):
        score = music21.converter.parse(abc, format="abc", forceSource=True)
        return [(note.nameWithOctave, float(note.quarterLength)) for note in score.recurse().notes if note.isNote]

    assert sounds(ours) == sounds(whole) and sounds(ours)
