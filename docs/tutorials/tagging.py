# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Tagging
#
# A tagger gives a tag to each word of a sentence. The task `tagging` trains one on lists of words and lists of tags,
# with a character encoder and a CRF as options.
#
# ## The problem
#
# Many English words are noun and verb: *the watch*, *they watch*. Which one it is can only be seen from the words
# around it. The sentences here come from a few patterns with words of this kind. One pattern is hard for a reader
# from left to right. In *the fish swim* and *the fish swim ended* the word *swim* is a verb or a noun, and only the
# word behind it tells which.

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np

WORDS = {
    "DET": ["the", "a", "this", "every"],
    "PRON": ["they", "we", "you"],
    "BOTH": ["watch", "play", "walk", "plan", "dance", "swim", "fish", "drive"],
    "ADJ": ["long", "good", "early"],
    "PAST": ["ended", "failed", "began"],
}
PATTERNS = [                                     # (kind of word, tag)
    [("DET", "DET"), ("BOTH", "NOUN"), ("BOTH", "VERB")],
    [("DET", "DET"), ("BOTH", "NOUN"), ("BOTH", "NOUN"), ("PAST", "VERB")],
    [("DET", "DET"), ("ADJ", "ADJ"), ("BOTH", "NOUN"), ("PAST", "VERB")],
    [("PRON", "PRON"), ("BOTH", "VERB"), ("DET", "DET"), ("BOTH", "NOUN")],
    [("PRON", "PRON"), ("BOTH", "VERB"), ("DET", "DET"), ("ADJ", "ADJ"), ("BOTH", "NOUN")],
]


def draw(count, rng):
    """Return sentences, lists of words, and their tags."""
    patterns = [PATTERNS[index] for index in rng.integers(len(PATTERNS), size=count)]
    words = [[str(rng.choice(WORDS[kind])) for kind, _ in pattern] for pattern in patterns]
    return words, [[tag for _, tag in pattern] for pattern in patterns]


rng = np.random.default_rng(0)
data = {"train": draw(800, rng), "valid": draw(150, rng), "test": draw(300, rng)}
for words, tags in list(zip(*data["test"]))[:4]:
    print(" ".join(f"{word}/{tag}" for word, tag in zip(words, tags)))

# %% [markdown]
# ## Training
#
# Two taggers: one reads forwards only, the other from both sides. Everything else is the same.

# %%
def train(bidirectional):
    """Return the run of a tagger."""
    return gluon_rnn.train({
        "task": "tagging",
        "data": {"name": "conllu", "batch_size": 40},
        "model": {"embed_size": 16, "encoder": {"name": "lstm", "hidden_size": 16, "bidirectional": bidirectional}},
        "training": {"epochs": 6, "clip_norm": 1.0,
                     "optimizer": {"name": "adam", "learning_rate": 0.02}, "schedule": {"name": "cosine"}},
    }, data=data)


forwards = train(bidirectional=False)
both = train(bidirectional=True)

# %% [markdown]
# ## What the figure means
#
# Accuracy is the share of words with the right tag. The baseline gives each word its most frequent tag. It is right for
# all words that have one tag only, so it is better than it looks as a tagger: always compare with it.

# %%
rows = {**both.results["baselines"], "forwards": forwards.scores, "both directions": both.scores}
for name, scores in rows.items():
    print(f"{name:32} {scores['accuracy']:.3f}")

# %% [markdown]
# The tagger that reads forwards has to guess at the third word of *the fish swim*. Two of the five patterns begin like
# this, so at best it is wrong in one sentence of five, which have four words each on average: an accuracy of 0.95. The
# tagger that reads both ways need not guess.
#
# ## What the network remembers
#
# The scores of the tags for the same beginning with two different ends. Up to *swim* the forward tagger says the same
# in both sentences: it has not seen the end. The other one changes its mind about *swim*.

# %%
def probabilities(predictor, words):
    """Return p (T, K) of the tags of each word."""
    ids = mx.nd.array(predictor.assets.encoder.word_ids(words)[:, None], dtype="int32")         # (T, 1)
    return mx.nd.softmax(predictor.model(ids, None, mx.nd.array([len(words)]))).asnumpy()[:, 0]


sentences = [["the", "fish", "swim"], ["the", "fish", "swim", "ended"]]
predictors = {"forwards": forwards.predictor(), "both directions": both.predictor()}
tags = predictors["forwards"].assets.encoder.tags
figure, axes = plt.subplots(2, 2, figsize=(8, 4.5), sharey=True)
for row, words in zip(axes, sentences):
    for axis, (name, predictor) in zip(row, predictors.items()):
        axis.imshow(probabilities(predictor, words).T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axis.set_xticks(range(len(words)), words)
        axis.set_yticks(range(len(tags)), tags)
        axis.set_title(name)
figure.tight_layout()

# %%
print(both.predict("every early walk began"))

# %% [markdown]
# ## What to try next
#
# - `model: {crf: true}`: a CRF scores whole sequences of tags. It helps where tags constrain each other.
# - `char_encoder: {name: lstm, hidden_size: 16}`: tags of words that the training data do not have, from their letters.
# - Real data: `gluon-rnn train tag/ewt_upos_chars` (English Web Treebank).
