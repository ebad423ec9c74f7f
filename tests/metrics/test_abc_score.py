"""What counts as keeping a metre, on tunes small enough to count by hand; a MIDI file; tunes that are none."""
import builtins

import pytest

from gluon_rnn.data.abc_tunes import to_abc
from gluon_rnn.metrics.abc_score import _wrong_bars, check_tune, write_midi

pytest.importorskip("music21", reason="music21 is in the extra music")
JIG = "L:1/8\nK:G\nG|ABc def|ABc def|gag fed|G3 G2:|\nd|ABc def|ABc def|gag fed|G3 G2:|"


def test_a_jig_with_pickups_keeps_its_metre():
    check = check_tune(to_abc(JIG, "6/8"))
    assert check.parses and check.keeps_metre
    assert (check.bars, check.full_bars, check.wrong_bars, check.reason) == (10, 6, (), "")


@pytest.mark.parametrize("tune, metre, wrong", [
    (JIG.replace("gag fed", "gag fe"), "6/8", (3, 8)),                    # a bar too short in the middle
    (JIG, "4/4", tuple(range(1, 9))),                                     # not the metre it was asked for
    (JIG.replace("(3", ""), "6/8", ()),
    ("L:1/8\nK:G\nABc|def|gab|gab|", "3/8", ()),
    ("L:1/8\nK:G\n(3ABc d2|(3ABc d2|(3ABc d2|c4|", "2/4", ()),            # three notes in the time of two
    ("L:1/8\nK:G\nA>B c/d/e|A2 B2|c4|[ce]2 z2|", "2/4", ()),              # dots, halves, chords, rests
    ("L:1/8\nK:G\nABc2|A2 B2|c3:|\nB|A2 B2|A2 B2|c3:|", "2/4", ()),       # completed by the next section's pickup
    ("L:1/8\nK:G\nB|ABc2|A2 B2|c2:|\nA4|A2 B2|A2 B2|", "2/4", (3,))])     # nothing completes the short one
def test_bars_of_another_length(tune, metre, wrong):
    check = check_tune(to_abc(tune, metre))
    assert check.parses
    assert check.wrong_bars == wrong
    assert check.keeps_metre == (not wrong)


def test_a_bar_that_is_too_long():
    check = check_tune(to_abc(JIG.replace("gag fed", "gag fedc"), "6/8"))
    assert check.parses and not check.keeps_metre
    assert "a bar that is too long" in check.reason


def test_rules_of_short_bars():
    ends = [False, False, True, False, False]
    assert _wrong_bars([1, 4, 4, 4, 3], 4, ends) == []                    # first and last
    assert _wrong_bars([4, 4, 3, 1, 4], 4, ends) == []                    # one bar cut in two
    assert _wrong_bars([4, 4, 3, 2, 4], 4, ends) == [2, 3]
    assert _wrong_bars([1, 4, 3, 4, 4], 4, ends) == []                    # the repetition completes it
    assert _wrong_bars([2, 4, 3, 4, 4], 4, ends) == [2]
    assert _wrong_bars([4, 3, 4, 4, 4], 4, ends) == [1]                   # short, and no section ends there
    assert _wrong_bars([5, 4, 4, 4, 5], 4, ends) == [0, 4]


def test_too_short_and_unreadable_tunes():
    short = check_tune(to_abc("L:1/8\nK:G\nABc|def|", "3/8"))
    assert short.parses and short.reason == "only 2 full bars"
    assert check_tune(to_abc("L:1/8\nK:G\nABc|def|", "3/8"), least_bars=2).keeps_metre
    for nonsense in ("", "no tune at all", "X:1\nM:C\nL:1/8\nK:G\n[[[ ABc||| (3|:::"):
        check = check_tune(nonsense)
        assert not check.parses and not check.keeps_metre and check.reason


def test_midi(tmp_path):
    write_midi(to_abc(JIG, "6/8"), tmp_path / "jig.mid")
    assert (tmp_path / "jig.mid").read_bytes()[:4] == b"MThd"
    with pytest.raises(ValueError, match="not readable as ABC notation .*, nothing was written"):
        write_midi("no tune at all", tmp_path / "none.mid")
    assert not (tmp_path / "none.mid").exists()


def test_without_music21_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "music21":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ValueError, match=r"pip install gluon_rnn\[music\]"):
        check_tune(to_abc(JIG, "6/8"))
