"""Strings of recordings: what is joined, from which split, silence and noise, epochs, features, messages."""
import pathlib

import numpy as np
import pytest
from scipy.io import wavfile

from gluon_rnn import recipes
from gluon_rnn.data import AudioReader, JoinedAudio
from gluon_rnn.data.joined_audio import Plan
from gluon_rnn.parts import build_part
from gluon_rnn.registry import datasets
from tests.tones import PATTERN, RATE, SETTINGS, write_tones

pytest.importorskip("librosa", reason="librosa is not installed")

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZES = dict(train_strings=12, valid_strings=6, test_strings=8)


@pytest.fixture
def folder(tmp_path):
    return write_tones(tmp_path / "tones")


@pytest.fixture
def make(folder):
    """Return a function that makes the data set: index 0 tests, index 1 validates."""
    def made(**changes):
        arguments = {"test": {"index": 0}, "valid": {"index": 1}, **SETTINGS, **SIZES, **changes}
        return JoinedAudio(str(folder), PATTERN, **arguments)
    return made


def test_strings_are_made_of_recordings_of_their_split_alone(make):
    data = make(words=[2, 4])
    assert datasets.get("joined_audio") is JoinedAudio and data.splits == ("train", "valid", "test")
    for split, allowed in (("train", {2, 3, 4}), ("valid", {1}), ("test", {0})):
        plans = data.plans(split)
        assert len(plans) == len(data.inputs(split)) == len(data.targets(split)) == SIZES[f"{split}_strings"]
        for plan, labels, item in zip(plans, data.targets(split), data.items(split)):
            assert item == " + ".join(plan.names) and 2 <= len(labels) <= 4
            assert [int(name[0]) for name in plan.names] == labels.tolist()
            assert {int(name[-5]) for name in plan.names} <= allowed
    assert {len(labels) for split in data.splits for labels in data.targets(split)} == {2, 3, 4}
    assert "train 12, valid 6, test 8 strings of 3 labels" in repr(data)


def test_samples_are_those_of_the_files_with_silence_between(make, folder):
    data = make(silence=[0.01, 0.05], words=[3, 3])
    for plan in data.plans("test"):
        assert all(80 <= silence <= 400 for silence in plan.silences) and len(plan.silences) == 4
        samples, place = data.samples(plan), plan.silences[0]
        assert not samples[:place].any()
        for name, silence in zip(plan.names, plan.silences[1:]):
            want = wavfile.read(folder / name)[1] / np.float32(32768)
            np.testing.assert_array_equal(samples[place:place + len(want)], want)
            place += len(want)
            assert not samples[place:place + silence].any()
            place += silence
        assert place == len(samples)


def test_noise_is_added_to_the_whole_string(make):
    clean, noisy = make(), make(noise=0.01)
    assert clean.plans("test") == noisy.plans("test")                     # the strings themselves are the same
    noise = np.concatenate([noisy.samples(plan) - clean.samples(plan) for plan in clean.plans("test")])
    assert noise.std() == pytest.approx(0.01, rel=4 / np.sqrt(2 * len(noise))) and abs(noise.mean()) < 1e-3
    np.testing.assert_array_equal(noisy.samples(noisy.plans("test")[0]), noisy.samples(noisy.plans("test")[0]))


def test_features_are_those_of_the_joined_recording_read_from_a_file(make, tmp_path):
    data = make(standardize="train")
    plan = data.plans("test")[2]
    wavfile.write(tmp_path / "string.wav", RATE, data.samples(plan))
    reader = AudioReader.from_json(data.reader.to_json())
    np.testing.assert_allclose(data.inputs("test")[2], reader(str(tmp_path / "string.wav")), atol=1e-5)
    frames = np.concatenate(data.inputs("train"))
    np.testing.assert_allclose([frames.mean(axis=0), frames.std(axis=0)], [[0] * 8, [1] * 8], atol=1e-4)
    for split in data.splits:                                             # lengths are known before features are made
        assert data._of(split)[1].lengths == [len(steps) for steps in data.inputs(split)]


def test_all_recordings_of_a_string_may_be_of_one_speaker(make):
    mixed, same = make(words=[3, 4]), make(words=[3, 4], same="speaker")
    speakers = lambda data: [{name.split("_")[1] for name in plan.names} for plan in data.plans("train")]  # noqa: E731
    assert all(len(names) == 1 for names in speakers(same)) and any(len(names) == 2 for names in speakers(mixed))
    assert {name for names in speakers(same) for name in names} == {"ann", "bob"}


def test_epochs_draw_new_strings_and_the_same_ones_again(make):
    data, rng = make(augment={"speeds": [0.8, 1.25]}), np.random.default_rng
    first, again, other = data.drawn([0, 1]), data.drawn([0, 1]), data.drawn([0, 2])
    as_lists = lambda strings: [labels.tolist() for labels in strings.targets]  # noqa: E731
    assert as_lists(first) == as_lists(again) != as_lists(other) and len(other) == 12
    np.testing.assert_array_equal(first.read(3, rng(0)), again.read(3, rng(0)))
    assert first.lengths == [len(first.read(row, None)) for row in range(12)]
    assert {plan.speed for plan in data._plan("train", 0, data._speeds)} == {0.8, 1.25}
    fixed = make(redraw=False)
    assert as_lists(fixed.drawn([0, 1])) == as_lists(fixed.drawn([0, 2])) == [
        labels.tolist() for labels in fixed.targets("train")]
    plans = [Plan(["0_ann_2.wav"], [0, 0], speed, 0) for speed in (0.8, 1.25)]
    slow, fast = (len(data.samples(plan)) for plan in plans)
    assert slow / fast == pytest.approx(1.25 / 0.8, rel=0.01)


def test_augmentation_changes_training_alone(make):
    data = make(augment={"drop_frames": 5}, redraw=False)
    random = data.drawn(0).read(0, np.random.default_rng(1))
    assert random.shape == data.inputs("train")[0].shape and (random != data.inputs("train")[0]).any()
    np.testing.assert_array_equal(data.drawn(0).read(0, None), data.inputs("train")[0])


@pytest.mark.parametrize("changes, message", [
    ({"words": [0, 3]}, "words must be a smallest and a largest number of at least 1"),
    ({"words": [4, 3]}, r"such as \[1, 5\], got \[4, 3\]"), ({"words": 3}, "words must be"),
    ({"words": [1.5, 2]}, "words must be"), ({"silence": [-0.1, 0.2]}, "silence must be"),
    ({"noise": -1}, "noise must be a deviation"), ({"train_strings": 0}, "train_strings must be a whole number"),
    ({"same": "speeker"}, "same: the pattern has no group 'speeker'; did you mean 'speaker'"),
    ({"hop": 0.2, "window": 0.2}, "CTC needs a step a label"),
    ({"test": {"index": 9}}, "no recording has index '9'"), ({"features": "mel"}, "features must be one of")])
def test_wrong_arguments(make, changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_a_label_that_training_lacks(make, folder):
    for file in pathlib.Path(folder).glob("2_*"):
        if file.stem[-1] != "0":
            file.unlink()
    with pytest.raises(ValueError, match="has the label '2', which no training recording has"):
        make(words=[5, 5], test_strings=30)


def test_unknown_splits(make):
    data = make()
    for ask in (data.inputs, data.targets, data.items, data.plans):
        with pytest.raises(ValueError, match="no split 'tset' in this data set; did you mean 'test'"):
            ask("tset")


@pytest.mark.real_data
def test_strings_of_spoken_digits_keep_the_official_split(data_root):
    recipe = recipes.load(ROOT / "configs" / "ctc" / "spoken_digit_strings_lstm.yaml", [
        "data.train_strings=20", "data.valid_strings=20", "data.test_strings=60", f"data_root={data_root}"])
    data = build_part("data", datasets, recipe.data)
    assert data.labels == list("0123456789") and "train 2,400, test 300, valid 300" in data.describe()
    for split, allowed in (("train", range(10, 50)), ("valid", range(5, 10)), ("test", range(5))):
        for plan, labels in zip(data.plans(split), data.targets(split)):
            groups = [pathlib.Path(name).stem.split("_") for name in plan.names]
            assert 1 <= len(groups) <= 7 and len({speaker for _, speaker, _ in groups}) == 1
            assert all(int(index) in allowed for _, _, index in groups)
            assert [digit for digit, _, _ in groups] == [data.labels[label] for label in labels]
