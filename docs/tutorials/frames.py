# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Frames of music
#
# The task `frames` learns which keys sound in the next frame of a piano roll: several of them at once, each with a
# probability of its own.
#
# ## The problem
#
# Each piece here repeats four chords (C, A minor, F, G) of four frames, in a key of its own. A bass note is held under
# each chord, and the three notes of the chord come one after the other. To go on, the network has to know the key of
# the piece, the chord, and how many frames of it have passed. One note in twenty is left out at random, which no
# network can foresee.

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import numpy as np
import scipy.io

CHORDS = [(0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14)]      # semitones above the key note


def draw_piece(rng, keys=48):
    """Return a piano roll (48 frames, keys) of 0 and 1."""
    roll, key = np.zeros((48, keys)), rng.integers(12, 18)
    for frame in range(len(roll)):
        chord = CHORDS[frame // 4 % 4]
        roll[frame, key + chord[0] - 12] = 1
        roll[frame, key + chord[frame % 4 % 3]] = rng.random() > 0.05
    return roll


def cells(count, rng):
    """Return pieces in the form in which MATLAB stores a cell array."""
    found = np.empty((1, count), dtype=object)
    for index in range(count):
        found[0, index] = draw_piece(rng)
    return found


rng = np.random.default_rng(0)
scipy.io.savemat("chords.mat", {"traindata": cells(60, rng), "validdata": cells(12, rng), "testdata": cells(24, rng)})
figure, axes = plt.subplots(figsize=(8, 2.5))
axes.imshow(draw_piece(rng).T, origin="lower", cmap="gray_r", aspect="auto", interpolation="nearest")
axes.set(xlabel="frame", ylabel="key");

# %% [markdown]
# ## Training

# %%
run = gluon_rnn.train({
    "task": "frames",
    "data": {"name": "piano_roll", "path": "chords.mat", "batch_size": 10, "eval_batch_size": 24},
    "model": {"encoder": {"name": "lstm", "hidden_size": 64}},
    "training": {"epochs": 50, "eval_interval": 5, "clip_norm": 1.0,
                 "optimizer": {"name": "adam", "learning_rate": 0.02}, "schedule": {"name": "cosine"}},
})
run

# %% [markdown]
# ## What the figure means
#
# The loss is the mean negative log-likelihood of a whole frame in nats, summed over its keys. Two baselines stand
# beside it: how often each key sounds, and the last frame, each key of which may flip. Because of the notes that are
# left out the best possible loss is not 0: a note that comes with probability 0.95 costs 0.2 nats on average.

# %%
print(f"best possible, in a key that is known  {-0.95 * np.log(0.95) - 0.05 * np.log(0.05):.2f}")
for name, scores in {"this network": run.scores, **run.results["baselines"]}.items():
    print(f"{name:38} {scores['loss']:.2f}")

# %% [markdown]
# ## What the network remembers
#
# After each frame the network gives the probability of each key in the next one. In the first frames of a piece it does
# not know where in the sequence of chords it is; then it follows.

# %%
piece = draw_piece(np.random.default_rng(7))
probabilities = np.array(list(run.predictor().stream(piece[:24])))                                    # (24, keys)
figure, (top, bottom) = plt.subplots(2, 1, figsize=(8, 5), sharex=True)
options = {"origin": "lower", "cmap": "gray_r", "aspect": "auto", "interpolation": "nearest"}
top.imshow(piece[1:25].T, **options)
top.set(title="what came", ylabel="key")
bottom.imshow(probabilities.T, **options)
bottom.set(title="what the network expected", xlabel="frame", ylabel="key");

# %% [markdown]
# The network plays on: each frame is drawn from the probabilities and goes in again. Its first 16 frames are given.

# %%
run.predict(piece, given=16, length=48, temperature=0.5, seed=1, picture="continuation.png")
figure, axes = plt.subplots(figsize=(9, 4))
axes.imshow(plt.imread("continuation.png"))
axes.axis("off");

# %% [markdown]
# ## What to try next
#
# - `transpose: 5` in `data`: each piece is moved up or down in each epoch. With six pieces only, does it help?
# - `encoder: {name: tdnn, hidden_size: 64, contexts: [[-3, 0]]}`: four frames are not enough to know the next chord.
# - Real data: `gluon-rnn train music/jsb_gru` (chorales of Bach), beside published figures.
