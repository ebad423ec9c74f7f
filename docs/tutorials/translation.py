# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Translation
#
# The task `translation` trains a sequence-to-sequence network: an encoder reads a sentence, a decoder writes another
# one, and attention lets the decoder look at the words of the source.
#
# ## The problem
#
# Number words are to become digits: *two hundred and five* is *2 0 5*. Words and digits do not stand in the same order
# or number: *hundred* writes nothing by itself, and a missing word may write a 0.

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import numpy as np

ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen").split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(number):
    """Return a number below 1,000 in English words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f" {ONES[number % 10]}" if number % 10 else "")
    rest = f" and {in_words(number % 100)}" if number % 100 else ""
    return f"{ONES[number // 100]} hundred{rest}"


def in_digits(number):
    """Return the digits of a number, blanks between them."""
    return " ".join(str(number))


numbers = np.random.default_rng(0).permutation(1000)
parts = {"train": numbers[:700], "valid": numbers[700:800], "test": numbers[800:]}
data = {name: [(in_words(number), in_digits(number)) for number in part] for name, part in parts.items()}
data["test"][:4]

# %% [markdown]
# ## Training
#
# The numbers of the test split do not occur in training, so the network cannot have learnt them by heart.

# %%
run = gluon_rnn.train({
    "task": {"name": "translation", "beam_size": 3},
    "data": {"name": "parallel_text", "batch_size": 32, "eval_batch_size": 100},
    "model": {"attention": "luong", "embed_size": 32,
              "encoder": {"name": "gru", "hidden_size": 32, "bidirectional": True},
              "decoder": {"name": "gru", "hidden_size": 32}},
    "training": {"epochs": 20, "clip_norm": 1.0,
                 "optimizer": {"name": "adam", "learning_rate": 0.01}, "schedule": {"name": "cosine"}},
}, data=data)
run.scores

# %% [markdown]
# ## What the figure means
#
# BLEU compares sequences of one to four words of the translation with those of the reference; 100 is equal. It is made
# for long texts with many right answers. Here each number has exactly one, so the share of numbers that are right in
# every digit says more.

# %%
translations = run.predict([words for words, _ in data["test"]])
right = [translation.text == digits for translation, (_, digits) in zip(translations, data["test"])]
print(f"{np.mean(right):.1%} of {len(right)} numbers that the network has never seen are right")
for translation, (words, digits) in zip(translations, data["test"]):
    if translation.text != digits:
        print(f"    {words}: {translation.text} instead of {digits}")

# %% [markdown]
# The mistakes are mostly short numbers. Nine numbers in ten have *hundred* in them, so training has shown few without.
#
# ## What the network remembers
#
# The decoder remembers what it has written, and where in the number it is. What stands in the source it need not
# remember: attention looks it up. Each row of the picture is a digit that was written, each column a word of the
# source; the brighter, the more the decoder looked there. The encoder reads both ways, so what it says at a word
# knows of the neighbours of this word: a digit may be found beside the word that names it.

# %%
run.predict(["four hundred and seven", "nine hundred and eighty two"], picture=run.path / "two.png")
figure, axes = plt.subplots(figsize=(10, 5))
axes.imshow(plt.imread(run.path / "two.png"))
axes.axis("off");

# %% [markdown]
# ## What to try next
#
# - `attention: none`: the state between encoder and decoder has to hold the whole number. How much worse is it?
# - `attention: bahdanau`: the decoder looks before it steps, not after.
# - Numbers up to 9,999 in the test split only. The network fails there: it has learnt lengths that it has seen.
# - Real data: `gluon-rnn train translate/eng_fra_luong` (English to French).
