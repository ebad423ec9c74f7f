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
# The *adding problem* (Hochreiter & Schmidhuber 1997) is the standard test of long memory. Each step has a random
# number between 0 and 1 and a mark. Two steps of the sequence are marked; the answer is the sum of their two numbers.
# Everything else has to be ignored, and the first number has to be kept until the second one comes.

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np
import pandas as pd

LENGTH = 20
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
    "data": {"name": "adding_problem", "length": LENGTH, "train": 6000, "valid": 500, "test": 2000,
             "batch_size": 50, "eval_batch_size": 500},
    "model": {"encoder": {"name": "lstm", "hidden_size": 32}},
    "training": {"epochs": 8, "clip_norm": 1.0,
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
# In 100 sequences the marks are put at steps 5 and 15. Now one number is changed by 0.5: once the marked one at step 5,
# once its neighbour at step 6. How far does this move the outputs of the LSTM, step by step? The marked number is
# remembered to the end, the other one is hardly noticed.

# %%
model = run.predictor().model
rng = np.random.default_rng(0)
steps = np.zeros((LENGTH, 100, 2))                                                        # (T, N, number and mark)
steps[:, :, 0], steps[[5, 15], :, 1] = rng.uniform(0, 0.5, (LENGTH, 100)), 1


def change(step):
    """Return the mean distance (T,) that the outputs move when the number at a step grows by 0.5."""
    changed = steps.copy()
    changed[step, :, 0] += 0.5
    before, after = (model.encoder(mx.nd.array(inputs)).asnumpy() for inputs in (steps, changed))
    return np.linalg.norm(after - before, axis=2).mean(axis=1)


figure, axes = plt.subplots(figsize=(8, 3))
axes.plot(change(5), marker=".", label="the marked number at step 5 is changed")
axes.plot(change(6), marker=".", label="the unmarked number at step 6 is changed")
axes.axvline(15, color="tab:red", linestyle=":", label="the second mark")
axes.set(xlabel="step", ylabel="change of the output")
axes.legend();

# %% [markdown]
# ## What to try next
#
# - `length: 100`: `gluon-rnn train regression/adding_lstm` has the figures. How long can it be for `rnn`?
# - `model: {encoder: {name: tdnn, ...}}` with a context shorter than the sequence cannot do it. Why?
# - Your own data: `data: {name: trajectory_values}` and `data=(sequences, values)`, arrays (T, C) and one row of values
#   for each.
