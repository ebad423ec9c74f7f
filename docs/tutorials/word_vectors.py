# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Word vectors
#
# The task `word_vectors` gives each word of a text a vector, so that words that are used alike have vectors that point
# the same way. A language model learns such vectors too; those of one of the zoo are at the end.
#
# ## The problem
#
# Nothing tells a model that words have kinds. Skip-gram (Mikolov et al. 2013) has the vector of each word predict the
# words around it, and tell them from words drawn at random. Words with the same neighbours then need similar vectors.
# The text here is made by Elman's grammar (1990): short sentences of nouns and verbs, without any marks of their
# kinds.

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from gluon_rnn.diagnostics import embeddings

grammar = gluon_rnn.data.ElmanGrammar(sentences=20000, seed=1)
words = [grammar.vocab.idx_to_token[index] for index in grammar.ids("train")]
print(" ".join(words[:40]), "...")

# %% [markdown]
# ## Training
#
# The text goes in as lines. A window of one word to each side is enough for sentences of two or three words.

# %%
lines = [" ".join(words[start:start + 30]) for start in range(0, len(words), 30)]
run = gluon_rnn.train({
    "task": {"name": "word_vectors", "architecture": "skip_gram", "negatives": 5},
    "data": {"name": "words", "split": [0.9, 0.1], "window": 1, "subsample": None, "batch_size": 1024},
    "model": {"embed_size": 16},
    "training": {"epochs": 6, "optimizer": {"name": "adagrad", "learning_rate": 0.05, "eps": 1.0e-14}},
}, data=lines)
run

# %% [markdown]
# ## What the figure means
#
# The loss is that of a right word and of five words of noise together, in nats. A model that knows nothing gives each
# of the six a chance of one half: 6 ln 2 = 4.16. How far below that a text lets one come depends on the text, so the
# figure of a loss says little by itself; what the vectors are good for says more. Here is how often the nearest word is
# one of the same kind.

# %%
verbs = "think sleep see chase move break smell eat like smash exist".split()
table = run.predictor().table
known = [word for word in table.words if word.isalpha()]
kind = {word: "verb" if word in verbs else "noun" for word in known}
same = [kind[word] == kind[next(near for near, _ in table.nearest(word, len(table)) if near in kind)] for word in known]
share = np.mean([kind[word] == kind[other] for word in known for other in known if word != other])
print(f"loss {run.scores['loss']:.3f}; nearest word of the same kind {np.mean(same):.0%}, by chance {share:.0%}")

# %%
metrics = run.metrics
figure, axes = plt.subplots(figsize=(6, 3))
axes.plot(metrics["epoch"], metrics["valid_loss"], marker=".")
axes.set(xlabel="epoch", ylabel="validation loss");

# %% [markdown]
# ## What the network remembers
#
# All it has is the table: a row for each word. Its first two principal components set the kinds apart.

# %%
rows = np.stack([table.vectors[table.place(word)] for word in known])
rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
rows -= rows.mean(axis=0)
plane = rows @ np.linalg.svd(rows, full_matrices=False)[2][:2].T
figure, axes = plt.subplots(figsize=(8, 5))
for number, which in enumerate(("noun", "verb")):
    places = plane[[index for index, word in enumerate(known) if kind[word] == which]]
    axes.scatter(*places.T, s=12, color=f"C{number}", label=which)
for word, place in zip(known, plane):
    axes.annotate(word, place, fontsize=8, xytext=(3, 2), textcoords="offset points")
axes.set(xticks=[], yticks=[])
axes.legend();

# %% [markdown]
# ## Vectors of a language model
#
# A language model of words holds a vector for each word: the row of its embedding. Nothing told the model that words
# have kinds. It had to predict the next word, and words that are followed by the same words come to have similar
# vectors (Bengio et al. 2003).
#
# The model `lstm_200_wikitext2` of the zoo was trained on two million words of Wikipedia articles (WikiText-2, Merity
# et al. 2017). Its output layer is an adaptive softmax: rare words have shorter vectors, which a matrix brings to 200
# numbers.

# %%
model = gluon_rnn.load("lstm_200_wikitext2")
vectors, tokens = model.model.embedding().asnumpy(), model.assets.vocab.idx_to_token      # (V, 200), V words
vectors.shape

# %% [markdown]
# ### Nearest neighbours
#
# The similarity of two words is the cosine of the angle between their vectors. The vocabulary is in the order of
# frequency; neighbours are looked for among the 5,000 most frequent words.

# %%
words = ["five", "May", "river", "album", "she", "could", "German", "attacked", "eastern", "who", "small",
         "London"]
found = embeddings(vectors, tokens, words, among=5000)
pd.DataFrame({word: [f"{other} {cosine:.2f}" for other, cosine in found.neighbours(word)] for word in words}).T

# %% [markdown]
# ### A map
#
# t-SNE (van der Maaten & Hinton 2008) places words in the plane so that near neighbours stay near. Distances between
# far groups mean little. The first four words of each kind have their names.

# %%
kinds = {
    "months": "January February March April May June July August September October November December",
    "numbers": "two three four five six seven eight nine ten twelve twenty hundred",
    "names of people": "John James William George Robert David Michael Thomas Charles Henry Richard Paul",
    "nations": "American British French German Australian Canadian Japanese Italian Irish Spanish Russian Chinese",
    "verbs, past tense": "said wrote became began took made found went came saw played won",
    "modal verbs": "could would should might may must can will",
    "kin": "mother father son daughter brother sister wife husband",
    "directions": "north south east west northern southern eastern western",
}
chosen = [(kind, word) for kind, listed in kinds.items() for word in listed.split()]
mapped = embeddings(vectors, tokens, [word for _, word in chosen], method="tsne")
plane = mapped.coordinates
figure, axes = plt.subplots(figsize=(9, 7))
for number, kind in enumerate(kinds):
    places = plane[[index for index, (other, _) in enumerate(chosen) if other == kind]]
    axes.scatter(*places.T, s=12, color=f"C{number}", label=kind)
for (kind, word), place in zip(chosen, plane):
    if word in kinds[kind].split()[:4]:                                       # more would hide each other
        axes.annotate(word, place, fontsize=8, xytext=(3, 2), textcoords="offset points")
axes.set(xticks=[], yticks=[])
axes.legend(fontsize=8);

# %% [markdown]
# How often is the nearest of these words one of the same kind? By chance it would be about one in eight.

# %%
rows = np.array([mapped.vector(word) for _, word in chosen])
cosines = rows @ rows.T - 2 * np.eye(len(rows))
found = [chosen[index][0] for index in cosines.argmax(axis=1)]
same = np.array([kind == other for (kind, _), other in zip(chosen, found)])
by_kind = {kind: same[[other == kind for other, _ in chosen]].mean() for kind in kinds}
pd.Series({**by_kind, "all": same.mean()}).map("{:.0%}".format)

# %% [markdown]
# ## What to try next
#
# - `architecture: cbow`: the mean of the vectors of a window predicts the word in its middle.
# - `gluon-rnn train word_vectors/wikitext2_skip_gram` learns from Wikipedia; see [word vectors](../word-vectors.md).
# - A classifier of reviews begins with such vectors: the section `embedding`, or
#   [fine-tuning](../fine-tuning.md).
# - `gluon-rnn diagnose lstm_200_wikitext2 --only embeddings states` draws the map of the most frequent words, and
#   the tree of their mean states: see [diagnostics](../diagnostics.md).
# - `model.predict("The river", length=20, seed=1)` continues a text.
# - The vectors of the characters of `lstm_512x2_shakespeare`: vowels, consonants, capitals.
