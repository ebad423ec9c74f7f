# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Label sequences without alignment: CTC
#
# The task `ctc` learns a short string of labels from many frames of sound, where nobody has said when each label
# begins.
#
# ## The problem
#
# Four tones are called do, re, mi and fa. Recordings of single tones are joined to strings of one to four, with pauses
# between them, and only the names are given: *mi do do*. How long a tone lasts is random.
#
# Connectionist temporal classification (Graves et al. 2006) adds one more label, the *blank*. The network gives
# probabilities of all labels at each frame. A path through the frames stands for the string that is left when equal
# neighbours are merged and blanks are removed; the loss sums over all paths of the right string.

# %%
import pathlib

import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np
from scipy.io import wavfile

RATE, TONES = 8000, {"do": 262, "re": 294, "mi": 330, "fa": 349}                           # Hz


def draw_tone(pitch, rng):
    """Return the samples of a tone of 0.1 to 0.25 s with three harmonics and some noise."""
    time = np.arange(int(RATE * rng.uniform(0.1, 0.25))) / RATE
    pitch = pitch * rng.uniform(0.99, 1.01)
    tone = sum(np.sin(2 * np.pi * pitch * harmonic * time) / harmonic for harmonic in (1, 2, 3))
    return 0.2 * tone * abs(np.sin(np.pi * time / time[-1])) ** 0.3 + 0.02 * rng.standard_normal(len(time))


rng, folder = np.random.default_rng(0), pathlib.Path("tones")
folder.mkdir()
for name, pitch in TONES.items():
    for index in range(20):
        samples = (draw_tone(pitch, rng) * 2**15).astype(np.int16)
        wavfile.write(folder / f"{name}_piano_{index}.wav", RATE, samples)

# %% [markdown]
# ## Training
#
# The data set `joined_audio` joins recordings to new strings in each epoch. Recordings 0 to 3 of each tone are for the
# test strings only, 4 to 6 for validation.

# %%
run = gluon_rnn.train({
    "task": "ctc",
    "data": {"name": "joined_audio", "path": "tones", "same": "speaker",
             "pattern": r"(?P<label>\w+)_(?P<speaker>\w+)_(?P<index>\d+)\.wav",
             "test": {"index": [0, 1, 2, 3]}, "valid": {"index": [4, 5, 6]},
             "words": [1, 4], "silence": [0.02, 0.1], "noise": 0.01, "num_mels": 24, "window": 0.064, "hop": 0.032,
             "train_strings": 250, "valid_strings": 60, "test_strings": 100, "batch_size": 20},
    "model": {"encoder": {"name": "gru", "hidden_size": 32}},
    "training": {"epochs": 12, "clip_norm": 1.0,
                 "optimizer": {"name": "adam", "learning_rate": 0.01}, "schedule": {"name": "cosine"}},
})
run

# %% [markdown]
# ## What the figure means
#
# The label error rate counts the labels that have to be replaced, deleted or inserted to make the answer right, divided
# by the number of labels. It can be above 1. `beam_` scores belong to prefix beam search, which adds up the paths of a
# string; the others to the single most probable path.

# %%
for name, scores in {"this network": run.scores, **run.results["baselines"]}.items():
    print(name, {key: round(float(value), 3) for key, value in scores.items()})

# %% [markdown]
# ## What the network remembers
#
# The picture shows a test string: its frames, and the probabilities of the labels at each of them. A label is said
# while its tone sounds, and the blank in the pauses. Two equal tones need a blank between them: the network has to
# remember what it has just said, and to notice the pause.

# %%
recording = sorted((run.path / "strings").glob("*.wav"))[0]
predictor = run.predictor()
features = predictor.assets.reader(recording)                                                    # (T, C)
logits = predictor.model(mx.nd.array(features[:, None]), None, mx.nd.array([len(features)]))
shares = mx.nd.softmax(logits).asnumpy()[:, 0]                                             # (T, K + 1)
seconds = np.arange(len(features)) * predictor.assets.reader.hop

figure, (top, bottom) = plt.subplots(2, 1, figsize=(8, 5), sharex=True)
top.imshow(features.T, origin="lower", aspect="auto", extent=(0, seconds[-1], 0, features.shape[1]))
top.set(title=recording.stem, ylabel="mel band")
for label, share in zip([*predictor.assets.labels, "blank"], shares.T):
    bottom.plot(seconds, share, label=label, color="lightgray" if label == "blank" else None)
bottom.set(xlabel="s", ylabel="probability")
bottom.legend(loc="center right")
print(run.predict(recording))

# %% [markdown]
# ## What to try next
#
# - `words: [1, 8]` for the test only: does the network count on short strings?
# - `silence: [0.0, 0.0]`: equal tones in a row can then hardly be told from one long tone.
# - `encoder: {..., bidirectional: true}`: fewer errors, and no streaming.
# - Real data: `gluon-rnn train ctc/spoken_digit_strings_lstm` (spoken digits).
