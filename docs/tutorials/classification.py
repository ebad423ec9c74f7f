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
import mxnet as mx
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
# One letter of each test text is replaced: once its first mark by the other mark, once a noise letter in front of it by
# another one. How much does that change the outputs of the GRU, step by step? The change by a mark lasts to the end of
# the text. The change by noise fades: the network has learnt what to forget.

# %%
predictor = run.predictor()
model, reader = predictor.model, predictor.assets.reader
texts = [text for text, label in zip(*data["test"]) if label == "XY"]


def outputs(texts):
    """Return the outputs (T, N, H) of the encoder for texts of one length."""
    ids = np.stack([reader(text) for text in texts], axis=1)                              # (T, N)
    return model.encoder(model.embedding_weight.data()[mx.nd.array(ids, dtype="int32")]).asnumpy()


def change(replaced):
    """Return the mean distance (T,) of the outputs of `texts` from those of the texts `replaced`."""
    return np.linalg.norm(outputs(texts) - outputs(replaced), axis=2).mean(axis=1)


noise = [text[0] + ("a" if text[1] != "a" else "b") + text[2:] for text in texts]
figure, axes = plt.subplots(figsize=(8, 3))
axes.plot(change([text.replace("X", "Y") for text in texts]), marker=".",
          label="the first mark replaced (letter 2 to 7)")
axes.plot(change(noise), marker=".", label="a noise letter replaced (letter 1)")
axes.set(xlabel="letter", ylabel="change of the output")
axes.legend();

# %% [markdown]
# The encoder reads forwards, so `run.predictor().stream(text)` answers after each letter, from carried states: a step
# costs the same at any length. Only the answer behind the last letter has been trained here.

# %%
print({label: round(share, 3) for label, share in run.predict(texts[0]).items()})

# %% [markdown]
# ## What to try next
#
# - `encoder: {name: rnn}`: a network without gates. It forgets the first mark sooner, and learns much slower.
# - `encoder: {name: tdnn}` with `pooling: max`: it sees a window of a few letters and finds both marks, but not their
#   order.
# - Longer texts. At which length does the GRU fail with as many epochs?
# - Rows of numbers: `data: {name: trajectories}` with arrays (T, C). Sounds: `data: {name: audio_folder}`.
# - Real data: `gluon-rnn train classify/names_tdnn` (surnames), `classify/pendigits_lstm` (handwritten digits).
