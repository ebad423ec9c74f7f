# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Language model
#
# A language model reads a text token by token and gives a probability to each token that may come next. The task
# `language_model` trains one on plain text, by characters or by words.
#
# ## The problem
#
# Elman (1990) trained a small recurrent network on sentences of two and three words, such as *woman smash plate*,
# written one after the other without any mark between them. The network is never told what a noun, a verb or a sentence
# is. Here the sentences are generated, so the best possible score is known exactly.

# %%
import math

import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np

grammar = gluon_rnn.data.ElmanGrammar(sentences=8000)
for sentence in grammar.sentences("train")[:6]:
    print(" ".join(sentence))

# %% [markdown]
# ## Training
#
# A recipe is a dict here, and a YAML file on the command line. It has the settings that differ from the defaults. The
# stream is cut into chunks of 35 words; the state of the network is carried from each chunk to the next.

# %%
run = gluon_rnn.train({
    "task": {"name": "language_model"},
    "data": {"name": "elman_grammar", "sentences": 8000, "batch_size": 16, "bptt": 35},
    "model": {"embed_size": 16, "encoder": {"name": "lstm", "hidden_size": 32}},
    "training": {"epochs": 8, "clip_norm": 1.0,
                 "optimizer": {"name": "adam", "learning_rate": 0.01}, "schedule": {"name": "cosine"}},
})
run.scores

# %% [markdown]
# ## What the figure means
#
# The loss is the mean surprise of a word in nats. Its exponential, the *perplexity*, is easier to read: a perplexity of
# 10 is as uncertain as a fair choice among 10 words. Three numbers put it into place: a choice among all words of the
# vocabulary, a model that only knows how frequent each word is, and the entropy of the grammar, which no model can
# beat.

# %%
counts = np.bincount(grammar.ids("train"), minlength=len(grammar.vocab))
unigram = -np.log(counts[grammar.ids("test")] / counts.sum()).mean()
print(f"all words alike       {len(grammar.vocab):5.2f}")
print(f"frequencies of words  {math.exp(unigram):5.2f}")
print(f"this network          {run.scores['perplexity']:5.2f}")
print(f"the best possible     {math.exp(grammar.ideal('test')):5.2f}")

# %%
metrics = run.metrics
figure, axes = plt.subplots(figsize=(7, 3))
axes.plot(metrics["epoch"], np.exp(metrics["train_loss"]), label="training")
axes.plot(metrics["epoch"], np.exp(metrics["valid_loss"]), label="validation")
axes.axhline(math.exp(grammar.entropy_rate), color="black", linestyle=":", label="best possible")
axes.set(xlabel="epoch", ylabel="perplexity", ylim=(6.5, 10))
axes.legend();

# %% [markdown]
# ## What the network remembers
#
# The state is an argument of the model and comes out of each call. So the words can be given one by one, and the
# probabilities of the next word can be read off after each. After a verb that always has an object the network expects
# a noun; behind a complete sentence it expects one of the nouns that begin a sentence.

# %%
model, vocab = run.predictor().model, grammar.vocab
words, state, rows = "woman smash plate man sleep cat".split(), model.begin_state(1), []
for word in words:
    logits, state = model(mx.nd.array([[vocab[word]]], dtype="int32"), state)     # (1, 1, V): one step
    rows.append(mx.nd.softmax(logits[0, 0]).asnumpy())
order = sorted(range(len(vocab)), key=lambda index: grammar.categories[vocab.idx_to_token[index]])

figure, axes = plt.subplots(figsize=(9, 3))
image = axes.imshow(np.array(rows)[:, order], cmap="Blues", aspect="auto", vmin=0, vmax=0.4)
axes.set_yticks(range(len(words)), [f"... {word}" for word in words])
axes.set_xticks(range(len(order)), [vocab.idx_to_token[index] for index in order], rotation=90)
axes.set_title("probability of the next word")
figure.colorbar(image);

# %% [markdown]
# The words that behave alike get alike vectors, although nobody has named the categories. Two directions of the
# embedding, found by a singular value decomposition, show this.

# %%
vectors = model.collect_params(".*embed.*weight")
vectors = next(iter(vectors.values())).data().asnumpy()
vectors = vectors - vectors.mean(axis=0)
places = vectors @ np.linalg.svd(vectors)[2][:2].T
figure, axes = plt.subplots(figsize=(7, 4.5))
for word, (across, up) in zip(vocab.idx_to_token, places):
    is_verb = grammar.categories[word].startswith("VERB")
    axes.text(across, up, word, color="tab:red" if is_verb else "tab:blue", ha="center")
axes.set(xlim=(places[:, 0].min() - 1, places[:, 0].max() + 1), ylim=(places[:, 1].min() - 1, places[:, 1].max() + 1),
         title="vectors of words: nouns blue, verbs red");

# %% [markdown]
# ## Text from the model
#
# `predict` draws words one after the other, each from the probabilities that the words before it give. Lower
# `temperature` draws likelier words.

# %%
print(run.predict("woman", length=30, seed=1))

# %% [markdown]
# ## What to try next
#
# - Your own text: `data={"train": text, "valid": ..., "test": ...}` with `data: {name: characters}` or `words`.
# - Another encoder: `rnn`, `gru`, `jordan`, `tdnn`. Jordan's network remembers its outputs only; see how far from the
#   best possible perplexity that leaves it.
# - A longer memory: `bptt` is the number of steps that the gradient goes back.
# - Shakespeare by characters: `gluon-rnn train language_model/shakespeare_lstm`.
