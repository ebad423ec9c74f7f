"""Recordings of tones that stand for words: small sound data that a test can make."""
import numpy as np
from scipy.io import wavfile

RATE = 8000
PATTERN = r"(?P<label>\d)_(?P<speaker>\w+)_(?P<index>\d+)\.wav"
SETTINGS = {"num_mels": 8, "window": 0.032, "hop": 0.016}


def write_tones(folder, labels=3, speakers=("ann", "bob"), count=5):
    """Write `count` recordings of each label and speaker, tones of a pitch for each label, and return the folder."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for label in range(labels):
        for number, speaker in enumerate(speakers):
            for index in range(count):
                steps = np.arange(rng.integers(900, 1500))
                pitch = (300, 900, 2100)[label] * (1 + 0.05 * number)
                samples = 0.3 * np.sin(2 * np.pi * pitch * steps / RATE + rng.uniform(0, 6))
                wavfile.write(folder / f"{label}_{speaker}_{index}.wav", RATE, (samples * 32767).astype(np.int16))
    return folder
