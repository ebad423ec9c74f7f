# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Texts of a class
#
# A conditional language model writes a text of a given class: a surname of a nationality, a tune in a metre. The task
# `conditional_language_model` trains one on labelled sequences.
#
# ## The problem
#
# Three invented languages make their names from syllables of their own. The model is to learn, letter by letter, what a
# name of each language looks like, when it ends, and that the language decides. The names are drawn here, so that it
# is known exactly which names are possible.

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np

LANGUAGES = {
    "island": (["ka", "mo", "li", "nu", "pe", "hala", "ona"], ["a", "lu", "ki"]),
    "forest": (["bren", "thor", "wil", "gar", "stan", "mer"], ["ric", "wen", "mund"]),
    "desert": (["az", "im", "sar", "dah", "qel", "uf"], ["iya", "ad", "oun"]),
}


def draw_name(language, rng):
    """Return one or two beginnings and an ending of a language."""
    beginnings, endings = LANGUAGES[language]
    return "".join([*rng.choice(beginnings, rng.integers(1, 4)), rng.choice(endings)])


rng = np.random.default_rng(0)
labels = [str(label) for label in rng.choice(list(LANGUAGES), 1200)]
names = [draw_name(label, rng) for label in labels]
print([f"{name} ({label})" for name, label in zip(names, labels)][:6])

# %% [markdown]
# ## Training
#
# The data are a pair of lists, texts and labels; `split` divides them. The class becomes the initial state of the
# network: what it remembers before the first letter is which language it is to write in.

# %%
run = gluon_rnn.train({
    "task": {"name": "conditional_language_model", "samples": 30},
    "data": {"name": "labelled_text", "unit": "character", "split": [0.8, 0.1, 0.1], "batch_size": 32},
    "model": {"embed_size": 16, "encoder": {"name": "gru", "hidden_size": 64}},
    "training": {"epochs": 20, "clip_norm": 1.0,
                 "optimizer": {"name": "adam", "learning_rate": 0.01}, "schedule": {"name": "cosine"}},
}, data=(names, labels))
run.scores

# %% [markdown]
# ## What the figure means
#
# The loss is counted per letter, the end of a name included. *Bits per character* are the same in another unit: with
# 1 bit a letter is as uncertain as the toss of a coin. A letter's frequency alone is the baseline. `finished` is the
# share of drawn names that came to an end, `copied` the share that stands in the training data too; with so few
# syllables many possible names do.

# %%
letters = "".join(name + "." for name in names)
shares = np.array([letters.count(letter) for letter in set(letters)]) / len(letters)
print(f"frequencies of letters  {-(shares * np.log2(shares)).sum():.2f} bits per character")
print(f"this network            {run.scores['loss'] / np.log(2):.2f} bits per character")

# %% [markdown]
# ## Names of each class

# %%
for language in LANGUAGES:
    print(f"{language:8}", "  ".join(run.predict(language, count=6, seed=1)))

# %% [markdown]
# Is a drawn name one that its language allows? The rule is known, so each can be checked.

# %%
def is_possible(name, language):
    """Tell whether a name is 1 to 3 beginnings and an ending of a language."""
    beginnings, endings = LANGUAGES[language]
    rests = {name}
    for _ in range(3):
        rests = {rest[len(part):] for rest in rests for part in beginnings if rest.startswith(part)}
        if rests & set(endings):
            return True
    return False


for language in LANGUAGES:
    drawn = run.predict(language, count=60, seed=2)
    print(f"{language}: {np.mean([is_possible(name, language) for name in drawn]):.0%} of 60 names are possible")

# %% [markdown]
# ## What the network remembers
#
# The same letters mean different things in different languages. The picture shows the probability of the first letter
# for each language: it comes from the initial state alone.

# %%
predictor = run.predictor()
vocab, boundary = predictor.assets.vocab, predictor.assets.boundary
classes = [predictor.assets.labels.index(language) for language in LANGUAGES]
states = predictor.model.states_for(mx.nd.array(classes, dtype="int32"))
logits, _ = predictor.model(mx.nd.array([[boundary] * 3], dtype="int32"), states)               # (1, 3, V)
first = mx.nd.softmax(logits[0]).asnumpy()[:, :len(vocab)]
shown = sorted((index for index, letter in enumerate(vocab.idx_to_token) if len(letter) == 1),
               key=vocab.idx_to_token.__getitem__)

figure, axes = plt.subplots(figsize=(8, 2.2))
image = axes.imshow(first[:, shown], cmap="Blues", aspect="auto")
axes.set_yticks(range(3), list(LANGUAGES))
axes.set_xticks(range(len(shown)), [vocab.idx_to_token[index] for index in shown])
axes.set_title("probability of the first letter")
figure.colorbar(image);

# %% [markdown]
# ## What to try next
#
# - `temperature` and `top_p` of `predict`: likelier names, with less variety.
# - Fewer training names: when does the model begin to copy instead of recombining?
# - Real data: `gluon-rnn train language_model/names_gru` (surnames), `gluon-rnn train music/irish_lstm` (tunes in a
#   metre, checked bar by bar).
