"""Recordings: .wav kinds and damages, features against librosa's own, patterns, split rules, the cache.

Tests `audio_reader.py` and `cache.py` too.

Tests `gluon_rnn/answers/audio.py` too.
"""
import os
import sys
import zipfile

import numpy as np
import pytest
from scipy.io import wavfile

from gluon_rnn.data import AudioFolder, AudioReader, audio
from gluon_rnn.data.audio_reader import read_wav

librosa = pytest.importorskip("librosa", reason="librosa is not installed")

PATTERN = r"(?P<label>\d)_(?P<speaker>\w+)_(?P<index>\d+)\.wav"
SETTINGS = dict(num_mels=8, window=0.032, hop=0.016)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GLUON_RNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def tone(frequency, size=1600, rate=8000, dtype=np.int16, scale=0.5):
    samples = scale * np.sin(2 * np.pi * frequency * np.arange(size) / rate)
    return (samples * np.iinfo(dtype).max).astype(dtype) if np.dtype(dtype).kind == "i" else samples.astype(dtype)


@pytest.fixture
def folder(tmp_path):
    """Two digits, two speakers, five recordings each, of different lengths."""
    path = tmp_path / "recordings"
    path.mkdir()
    for digit in (0, 1):
        for pitch, speaker in ((300, "ann"), (900, "bob")):
            for index in range(5):
                wavfile.write(path / f"{digit}_{speaker}_{index}.wav", 8000,
                              tone(pitch * (1 + digit) + 10 * index, 900 + 100 * index))
    return path


def test_splits_by_index_by_speaker_and_by_share(folder):
    data = AudioFolder(str(folder), PATTERN, {"index": [0, 1]}, 0.5, **SETTINGS)
    assert {name.split(".")[0][-1] for name in data.items("test")} == {"0", "1"} and len(data.items("test")) == 8
    assert data.splits == ("train", "valid", "test") and data.labels == ["0", "1"]
    assert np.bincount(data.targets("valid")).tolist() == [3, 3]
    data = AudioFolder(str(folder), PATTERN, {"speaker": "bob"}, {"index": 4}, **SETTINGS)
    assert all("bob" in name for name in data.items("test")) and len(data.items("test")) == 10
    assert sorted(data.items("valid")) == ["0_ann_4.wav", "1_ann_4.wav"]
    assert data.reader.model_arguments == {"input_size": 8} and data.inputs("train")[0].shape[1] == 8


def test_a_zip_is_a_folder_and_subfolders_may_be_the_label(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"speech/{file.name}")
    first = AudioFolder(str(folder), PATTERN, {"index": 0}, **SETTINGS)
    second = AudioFolder(str(tmp_path / "a.zip"), PATTERN, {"index": 0}, **SETTINGS)
    assert second.items("test") == ["speech/" + name for name in first.items("test")]
    for a, b in zip(first.inputs("test"), second.inputs("test")):
        np.testing.assert_array_equal(a, b)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for number, file in enumerate(sorted(folder.iterdir())):
            archive.write(file, f"{('noise', 'speech')[number % 2]}/{file.name}")
    by_folder = AudioFolder(str(tmp_path / "b.zip"), r"(?P<label>\w+)/.*\.wav", valid=0.2, **SETTINGS)
    assert by_folder.labels == ["noise", "speech"]


def test_log_mel_is_librosas(folder):
    data = AudioFolder(str(folder), PATTERN, {"index": 0}, standardize="none", **SETTINGS)
    name = data.items("train")[3]
    rate, samples = wavfile.read(folder / name)
    power = np.abs(librosa.stft(samples / 32768.0, n_fft=256, hop_length=128, win_length=256)) ** 2   # (bins, T)
    want = np.log(librosa.filters.mel(sr=rate, n_fft=256, n_mels=8) @ power + 1e-10)
    np.testing.assert_allclose(data.inputs("train")[3], want.T, atol=1e-3)           # float32 logarithms of small sums


def test_mfcc_and_deltas_have_their_sizes(folder):
    data = AudioFolder(str(folder), PATTERN, features="mfcc", num_coefficients=5, deltas=2, standardize="none",
                       **SETTINGS)
    values = data.inputs("train")[0]
    assert values.shape[1] == 15 == data.reader.model_arguments["input_size"]
    want = librosa.feature.delta(values[:, :5].T, mode="nearest").T
    np.testing.assert_allclose(values[:, 5:10], want, atol=1e-4)


def test_standardised_over_train_or_over_each_recording(folder):
    frames = np.concatenate(AudioFolder(str(folder), PATTERN, {"index": 0}, **SETTINGS).inputs("train"))
    np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(frames.std(axis=0), 1, atol=1e-4)
    for values in AudioFolder(str(folder), PATTERN, standardize="recording", **SETTINGS).inputs("valid"):
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-4)


def test_features_come_from_the_cache_until_settings_or_bytes_change(folder, own_cache, monkeypatch):
    first, computed = AudioFolder(str(folder), PATTERN, **SETTINGS).inputs("train"), []
    raw = AudioReader.raw
    monkeypatch.setattr(AudioReader, "raw", lambda self, *arguments: computed.append(1) or raw(self, *arguments))
    again = AudioFolder(str(folder), PATTERN, **SETTINGS).inputs("train")
    assert not computed and all((a == b).all() for a, b in zip(first, again))
    AudioFolder(str(folder), PATTERN, {"index": 0}, standardize="none", **SETTINGS)   # neither changes the features
    assert not computed
    AudioFolder(str(folder), PATTERN, **{**SETTINGS, "num_mels": 9})
    assert len(computed) == 20
    wavfile.write(folder / "0_ann_0.wav", 8000, tone(500))
    AudioFolder(str(folder), PATTERN, **SETTINGS)
    assert len(computed) == 40
    files = sorted(own_cache.iterdir())
    assert len(files) == 3 and all(file.suffix == ".npz" for file in files)           # nothing half-written
    for file in files:
        file.write_bytes(file.read_bytes()[:100])
    AudioFolder(str(folder), PATTERN, **SETTINGS)                                      # a damaged one is made again
    assert len(computed) == 60


def test_augmentation_is_for_training_alone(folder):
    plain = AudioFolder(str(folder), PATTERN, {"index": 0}, **SETTINGS)
    data = AudioFolder(str(folder), PATTERN, {"index": 0}, augment={"stretch": 0.3, "drop_bands": 2}, **SETTINGS)
    assert all((a == b).all() for a, b in zip(data.inputs("test"), plain.inputs("test")))
    lengths = {len(data.augmented(0, np.random.default_rng(seed))) for seed in range(20)}
    assert len(lengths) > 3 and plain.augmented(0, np.random.default_rng(0)) is plain.inputs("train")[0]
    for keys, message in (({"strech": 0.3}, "augment: unknown key 'strech'; did you mean 'stretch'"),
                          ({"speed": [1]}, "augment: unknown key 'speed'; did you mean 'speeds'"),
                          ({"stretch": "much"}, "augment: all but speeds are numbers")):
        with pytest.raises(ValueError, match=message):
            AudioFolder(str(folder), PATTERN, augment=keys)


def test_at_another_speed_a_tone_is_higher_and_shorter(folder):
    reader = AudioFolder(str(folder), PATTERN, **SETTINGS).reader
    wavfile.write(folder / "fast.wav", 8000, tone(600, 4000))
    wavfile.write(folder / "high.wav", 8000, tone(720, 3334))
    fast, high = reader.raw(folder / "fast.wav", speed=1.2), reader.raw(folder / "high.wav")
    assert fast.shape == high.shape
    loud = high[3:-3] > high.max() - 5                                     # bands with energy, away from the edges
    np.testing.assert_allclose(fast[3:-3][loud], high[3:-3][loud], atol=0.1)


def test_each_epoch_plays_a_recording_at_one_of_its_speeds(folder, own_cache):
    make = lambda augment: AudioFolder(str(folder), PATTERN, {"index": 0}, augment=augment, **SETTINGS)  # noqa: E731
    plain, data = make(None), make({"speeds": [0.8, 1, 1.25]})
    assert all((a == b).all() for split in ("train", "test") for a, b in zip(data.inputs(split), plain.inputs(split)))
    played = [data.augmented(0, np.random.default_rng(seed)) for seed in range(30)]
    lengths = {len(frames) for frames in played}
    usual = len(plain.inputs("train")[0])
    assert len(lengths) == 3 and min(lengths) < usual < max(lengths)
    np.testing.assert_array_equal(next(frames for frames in played if len(frames) == usual), plain.inputs("train")[0])
    assert len(list(own_cache.iterdir())) == 3                             # the usual speed is not computed again
    kept = data.keep_train(2, seed=0)
    assert {len(data.augmented(1, np.random.default_rng(seed))) for seed in range(30)} == {
        len(played[kept[1]]) for played in make({"speeds": [0.8, 1, 1.25]})._played}
    for speeds in ([0.4], ["fast"], 1.1):
        with pytest.raises(ValueError, match="speeds must be a list of numbers between 0.5 and 2, got"):
            make({"speeds": speeds})


def test_reader_survives_its_json_and_resamples(folder):
    data = AudioFolder(str(folder), PATTERN, **SETTINGS)
    again = AudioReader.from_json(data.reader.to_json())
    name = data.items("train")[0]
    np.testing.assert_array_equal(again(str(folder / name)), data.inputs("train")[0])
    wavfile.write(folder / "high.wav", 16000, tone(620, 3200, 16000))
    wavfile.write(folder / "low.wav", 8000, tone(620, 1600, 8000))
    high, low = again.raw(folder / "high.wav"), again.raw(folder / "low.wav")
    assert high.shape == low.shape
    loud = low[3:-3] > low.max() - 5                                       # bands with energy, away from the edges
    np.testing.assert_allclose(high[3:-3][loud], low[3:-3][loud], atol=0.1)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
@pytest.mark.parametrize("channels", [1, 2])
def test_kinds_of_samples(tmp_path, dtype, channels):
    want = tone(200, dtype=np.float32)
    samples = np.round(want * 127 + 128).astype(np.uint8) if dtype == np.uint8 else tone(200, dtype=dtype)
    wavfile.write(tmp_path / "a.wav", 8000, samples if channels == 1 else np.stack([samples] * 2, axis=1))
    got, rate = read_wav(tmp_path / "a.wav")
    assert rate == 8000 and got.dtype == np.float32 and got.shape == want.shape
    np.testing.assert_allclose(got, want, atol=0.01 if dtype == np.uint8 else 1e-4)   # 8 bits are 1/128 apart


@pytest.mark.parametrize("size", [0, 3, 30, 44, 60, 1001])
def test_a_truncated_wav_is_named(folder, size):
    path = folder / "1_ann_2.wav"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="1_ann_2.wav: (not a whole .wav file|the .wav file holds no samples)"):
        AudioFolder(str(folder), PATTERN, **SETTINGS)
    with pytest.raises(ValueError, match="1_ann_2.wav"):
        read_wav(path)


def test_a_recording_shorter_than_a_window(folder):
    wavfile.write(folder / "0_ann_9.wav", 8000, tone(300, 40))
    data = AudioFolder(str(folder), PATTERN, {"index": 9}, **SETTINGS)
    assert data.inputs("test")[0].shape == (1, 8) and np.isfinite(data.inputs("test")[0]).all()


@pytest.mark.parametrize("change, message", [
    ({"pattern": r"(\d).*\.wav"}, r"must have a group \(\?P<label>"),
    ({"pattern": "(?P<label>"}, "not a regular expression"),
    ({"pattern": r"(?P<label>\d)_ann_.*\.wav"}, "0_bob_0.wav does not match the pattern"),
    ({"test": {"speaker": "bab"}}, "test: no recording has speaker 'bab'; did you mean 'bob'"),
    ({"test": {"speker": "bob"}}, "test: the pattern has no group 'speker'; did you mean 'speaker'"),
    ({"test": {"index": [0, 1, 2, 3, 4]}}, "selects 20 of 20 recordings"),
    ({"test": {"speaker": "bob"}, "valid": {"speaker": "bob"}}, "valid: no recording has speaker 'bob'"),
    ({"features": "mel"}, "features must be one of logmel, mfcc"), ({"standardize": "all"}, "standardize must be one"),
    ({"hop": 0.1}, "0 < hop <= window"), ({"deltas": 3}, "deltas must be 0, 1 or 2"), ({"num_mels": 0}, "num_mels mu"),
    ({"features": "mfcc"}, "num_coefficients 13 is more than num_mels 8"), ({"valid": 0}, "a share of train above 0"),
    ({"path": "nowhere"}, "no such folder or .zip"),
])
def test_wrong_arguments(folder, change, message):
    with pytest.raises(ValueError, match=message):
        AudioFolder(**{"path": str(folder), "pattern": PATTERN, **SETTINGS, **change})


def test_wrong_files(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK not a zip")
    with pytest.raises(ValueError, match="a.zip: not a whole .zip"):
        AudioFolder(str(tmp_path / "a.zip"), PATTERN)
    with pytest.raises(ValueError, match="no .wav file in it"):
        AudioFolder(str(tmp_path), PATTERN)


def test_the_extra_is_named_where_librosa_is_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(ValueError, match=r"need librosa, which is not installed; pip install 'gluon_rnn\[data\]'"):
        AudioFolder(str(folder), PATTERN)


@pytest.mark.real_data
def test_the_real_recordings(data_root, tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "cached", lambda kind, key, compute: [np.zeros((1, 40), np.float32)] * 3000)
    path = str(data_root / "free_spoken_digits" / "recordings.zip")
    data = AudioFolder(path, PATTERN, {"index": [0, 1, 2, 3, 4]})
    assert [len(data.items(split)) for split in data.splits] == [2430, 270, 300]      # 2,700 and 300, officially
    assert np.bincount(data.targets("test")).tolist() == [30] * 10
    assert len(AudioFolder(path, PATTERN, {"speaker": "theo"}).items("test")) == 500
    assert os.listdir(tmp_path) == []
