# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Classification
#
# A classifier reads a sequence and gives one label to the whole of it. The task `classification` takes texts, rows of
# numbers and recordings.
#
# ## The problem
#
# In a *temporal order problem* (Hochreiter & Schmidhuber 1997) only the order of a few marks counts. A text has 30
# letters. Two of them are marks, each `X` or `Y`, far from each other; all others are noise. There are four classes:
# XX, XY, YX and YY. Whoever counts letters cannot tell XY from YX.

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

LENGTH = 30


def draw(count, rng):
    """Return texts with two marks among noise, and the marks."""
    texts, labels = [], []
    for _ in range(count):
        letters, marks = rng.choice(list("abcd"), LENGTH), rng.choice(["X", "Y"], 2)
        letters[[rng.integers(2, 8), rng.integers(15, 21)]] = marks
        texts.append("".join(letters))
        labels.append("".join(marks))
    return texts, labels


rng = np.random.default_rng(0)
data = {"train": draw(2500, rng), "valid": draw(300, rng), "test": draw(500, rng)}
for text, label in list(zip(*data["test"]))[:4]:
    print(text, label)

# %% [markdown]
# ## Training
#
# `pooling: last` hands the last output to the classifier, so the network has to keep the marks until then. An LSTM or a
# GRU can; their gates decide at each step what is kept.

# %%
run = gluon_rnn.train({
    "task": "classification",
    "data": {"name": "labelled_text", "unit": "character", "batch_size": 50, "eval_batch_size": 250},
    "model": {"embed_size": 8, "pooling": "last", "encoder": {"name": "gru", "hidden_size": 32}},
    "training": {"epochs": 14, "clip_norm": 1.0,
                 "optimizer": {"name": "adam", "learning_rate": 0.01}, "schedule": {"name": "cosine"}},
}, data=data)
run

# %% [markdown]
# ## What the figure means
#
# Accuracy is the share of right answers. The run compares it with methods that need no network: the most frequent
# class, and linear models on counts of letters. They know the letters but not their order.

# %%
table = pd.DataFrame({"this network": run.scores, **run.results["baselines"]}).T
table[["accuracy", "macro_f1"]].round(3)

# %% [markdown]
# `confusion.png` in the folder of the run shows which classes are taken for which.

# %%
figure, axes = plt.subplots(figsize=(4.5, 4.5))
axes.imshow(plt.imread(run.path / "confusion.png"))
axes.axis("off");

# %% [markdown]
# ## What the network remembers
#
# The encoder reads forwards, so the classifier can answer after each letter. The states are carried: a step costs the
# same at any length. Before the first mark all classes are open. The first mark leaves two, the second one decides, and
# the noise behind it changes nothing any more.

# %%
text, label = data["test"][0][0], data["test"][1][0]
answers = pd.DataFrame(run.predictor().stream(text))
figure, axes = plt.subplots(figsize=(8, 3))
for name in sorted(answers.columns):
    axes.plot(range(LENGTH), answers[name], marker=".", label=name)
axes.set_xticks(range(LENGTH), list(text))
axes.set(xlabel="letters read so far", ylabel="probability", title=f"a text of the class {label}")
axes.legend(loc="center left");

# %% [markdown]
# ## What to try next
#
# - `encoder: {name: rnn}`: a network without gates. It forgets the first mark sooner, and learns much slower.
# - `encoder: {name: tdnn}` with `pooling: max`: it sees a window of a few letters and finds both marks, but not their
#   order.
# - Longer texts. At which length does the GRU fail with as many epochs?
# - Rows of numbers: `data: {name: trajectories}` with arrays (T, C). Sounds: `data: {name: audio_folder}`.
# - Real data: `gluon-rnn train classify/names_tdnn` (surnames), `classify/pendigits_lstm` (handwritten digits).
