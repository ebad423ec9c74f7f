# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Word vectors of a language model
#
# A language model of words holds a vector for each word: the row of its embedding. Nothing told the model that words
# have kinds. It had to predict the next word, and words that are followed by the same words come to have similar
# vectors (Bengio et al. 2003).
#
# The model `lstm_200_wikitext2` of the zoo was trained on two million words of Wikipedia articles (WikiText-2, Merity
# et al. 2017). Its output layer is an adaptive softmax: rare words have shorter vectors, which a matrix brings to 200
# numbers.

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from gluon_rnn.diagnostics import embeddings

run = gluon_rnn.load("lstm_200_wikitext2")
vectors, tokens = run.model.embedding().asnumpy(), run.assets.vocab.idx_to_token      # (V, 200), V words
vectors.shape

# %% [markdown]
# ## Nearest neighbours
#
# The similarity of two words is the cosine of the angle between their vectors. The vocabulary is in the order of
# frequency; neighbours are looked for among the 5,000 most frequent words.

# %%
words = ["five", "May", "river", "album", "she", "could", "German", "attacked", "eastern", "who", "small",
         "London"]
found = embeddings(vectors, tokens, words, among=5000)
pd.DataFrame({word: [f"{other} {cosine:.2f}" for other, cosine in found.neighbours(word)] for word in words}).T

# %% [markdown]
# ## A map
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
# - A classifier of reviews begins with these vectors: see [fine-tuning](../fine-tuning.md).
# - `gluon-rnn diagnose lstm_200_wikitext2 --only embeddings states` draws the map of the most frequent words, and
#   the tree of their mean states: see [diagnostics](../diagnostics.md).
# - `run.predict("The river", length=20, seed=1)` continues a text.
# - The vectors of the characters of `lstm_512x2_shakespeare`: vowels, consonants, capitals.
