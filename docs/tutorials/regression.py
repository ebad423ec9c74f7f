# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Regression
#
# The task `regression` estimates one or more real values for a whole sequence.
#
# ## The problem
#
# The *adding problem* (Hochreiter & Schmidhuber 1997) is the standard test of long memory. Each step has a random number
# between 0 and 1 and a mark. Two steps of the sequence are marked; the answer is the sum of their two numbers. Everything
# else has to be ignored, and the first number has to be kept until the second one comes.

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np
import pandas as pd

LENGTH = 30
data = gluon_rnn.data.AddingProblem(length=LENGTH, train=1, valid=1, test=2000)
example, answer = data.inputs("test")[0], data.targets("test")[0]                         # (T, 2), (1,)
figure, axes = plt.subplots(figsize=(8, 2.5))
axes.bar(range(LENGTH), example[:, 0], color=np.where(example[:, 1] > 0, "tab:red", "lightgray"))
axes.set(xlabel="step", ylabel="number", title=f"the sum of the two marked numbers is {answer[0]:.2f}");

# %% [markdown]
# ## Training

# %%
run = gluon_rnn.train({
    "task": "regression",
    "data": {"name": "adding_problem", "length": LENGTH, "train": 10000, "valid": 500, "test": 2000,
             "batch_size": 50, "eval_batch_size": 500},
    "model": {"encoder": {"name": "lstm", "hidden_size": 32}},
    "training": {"epochs": 10, "clip_norm": 1.0,
                 "optimizer": {"name": "adam", "learning_rate": 0.01}, "schedule": {"name": "cosine"}},
})
run

# %% [markdown]
# ## What the figure means
#
# The mean squared error has the unit of the target, squared. Answering 1 always, the mean of all sums, has an error of
# 1/6 = 0.167: the variance of a sum of two such numbers. A network that has learnt nothing about the marks stays
# there for a while, and then the error drops.

# %%
print(f"always the mean  {1 / 6:.4f}")
for name, scores in {**run.results["baselines"], "this network": run.scores}.items():
    print(name, {key: round(value, 4) for key, value in scores.items()})

# %%
metrics = run.metrics
found = pd.read_csv(run.path / "predictions.csv")
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
left.semilogy(metrics["epoch"], metrics["valid_loss"], marker=".")
left.set(xlabel="epoch", ylabel="validation loss")
right.plot(found["sum"], found["sum_estimated"], ".", markersize=2)
right.plot([0, 2], [0, 2], color="black", linewidth=0.5)
right.set(xlabel="sum", ylabel="estimate");

# %% [markdown]
# ## What the network remembers
#
# The encoder of the model gives an output after each step. Some of its units are flat until a mark comes, jump there,
# and keep their value. These are the memory of the first number.

# %%
outputs = run.predictor().model.encoder(mx.nd.array(example[:, None]))[:, 0].asnumpy()                # (T, H)
marks = np.flatnonzero(example[:, 1])
jumps = abs(outputs[marks[0]] - outputs[marks[0] - 1]) if marks[0] else abs(outputs[0])
figure, axes = plt.subplots(figsize=(8, 3))
axes.plot(outputs[:, np.argsort(-jumps)[:5]])
for mark in marks:
    axes.axvline(mark, color="tab:red", linestyle=":")
axes.set(xlabel="step", ylabel="output of a unit", title="the five units that the first mark changes most");

# %% [markdown]
# ## What to try next
#
# - `length: 100`: `gluon-rnn train regression/adding_lstm` has the figures. How long can it be for `rnn`?
# - `model: {encoder: {name: tdnn, ...}}` with a context shorter than the sequence cannot do it. Why?
# - Your own data: `data: {name: trajectory_values}` and `data=(sequences, values)`, arrays (T, C) and one row of values
#   for each.
