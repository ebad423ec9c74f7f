# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Forecasting and system identification
#
# The task `forecasting` learns how measured outputs follow from inputs and from their own past. The same model predicts
# one step ahead, several steps ahead, or runs freely as a simulation.
#
# ## The problem
#
# Example 2 of Narendra & Parthasarathy (1990) is a nonlinear plant of second order:
#
#     z[t+1] = z[t] z[t-1] (z[t] + 2.5) / (1 + z[t]² + z[t-1]²) + u[t]
#
# We see the input u and a measurement of z with noise of standard deviation 0.3. Two questions, which are not the same:
#
# - **One step ahead** (open loop): what comes next, given all measurements up to now?
# - **Free run** (closed loop): what does the plant do under a new input, when nothing is measured any more?

# %%
import gluon_rnn  # before mxnet: it prepares the process
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from gluon_rnn.data.systems import plant

NOISE = 0.3


def measure(steps, rng, u=None):
    """Return the input and the measured output of the plant, a table; by default the input is held for 5 steps."""
    u = np.repeat(rng.uniform(-1.5, 1.5, steps // 5), 5) if u is None else u
    return pd.DataFrame({"u": u, "y": plant(u, np.zeros(steps)) + NOISE * rng.standard_normal(steps)})


rng = np.random.default_rng(0)
sine = np.sin(2 * np.pi * np.arange(300) / 25) + 0.5 * np.sin(2 * np.pi * np.arange(300) / 60)
data = {"train": [measure(500, rng) for _ in range(3)], "valid": measure(300, rng), "test": measure(300, rng, sine)}
data["test"].head(3).round(3)

# %% [markdown]
# ## Training
#
# A NARX network is a feedforward network of delayed inputs and outputs: y[t+1] from y[t], y[t-1] and u[t]. Its memory
# is these lags, no more. In training, `feedback` decides what stands in the place of the past outputs:
#
# - `open_loop`: the measured ones. Each step is a separate problem, training is fast. But the noise of the measurements
#   is in the inputs of the network then, and the network learns to distrust them.
# - `closed_loop`: the predictions of the network itself, as in a free run. Training minimises the simulation error.

# %%
def train(feedback, epochs):
    """Return the run of a NARX with the lags of the plant."""
    return gluon_rnn.train({
        "task": {"name": "forecasting", "feedback": feedback},
        "data": {"name": "time_series", "inputs": ["u"], "targets": ["y"], "batch_size": 16, "bptt": 40,
                 "stride": 8},
        "model": {"name": "narx", "input_lag": 0, "input_delay": 1, "output_lag": 2, "hidden_sizes": [32]},
        "training": {"epochs": epochs, "eval_interval": 10, "clip_norm": 1.0,
                     "optimizer": {"name": "adam", "learning_rate": 0.01}, "schedule": {"name": "cosine"}},
    }, data=data)


open_loop = train("open_loop", 60)
closed_loop = train("closed_loop", 60)

# %% [markdown]
# ## What the figure means
#
# The root mean squared error has the unit of y. No free run can be better than the noise, 0.3: even the plant itself is
# that far from its measurements. *Persistence* says that nothing changes; *linear ARX* is the best linear model with
# the same lags. A figure one step ahead always flatters: compare the free runs.

# %%
rows = {**open_loop.results["baselines"], "NARX, open loop": open_loop.scores,
        "NARX, closed loop": closed_loop.scores}
pd.DataFrame(rows).T[["open_loop_rmse", "free_run_rmse"]].round(3)

# %% [markdown]
# The network that was trained in open loop is the better one step ahead, the one that was trained in closed loop is the
# better simulation. Each is good at what it was trained for.

# %%
u, y = data["test"]["u"].to_numpy(), data["test"]["y"].to_numpy()
truth = plant(u, np.zeros(len(u)))
start = open_loop.predictor().assets.washout
shown = slice(0, 120)

figure, axes = plt.subplots(figsize=(9, 3.5))
axes.plot(y[start:][shown], ".", color="lightgray", label="measured")
axes.plot(truth[start:][shown], color="black", linewidth=1, label="the plant without noise")
for name, run in {"open loop": open_loop, "closed loop": closed_loop}.items():
    axes.plot(run.predict(u, y, steps_ahead=None)[shown, 0], label=f"free run, trained in {name}")
axes.set(xlabel="step", ylabel="y", ylim=(-2, 7.5))
axes.legend(ncol=2);

# %% [markdown]
# ## From one step to many
#
# `steps_ahead=n` starts from measured values at every n-th step and runs freely in between. How the error grows with n
# shows which model to take for which horizon.

# %%
horizons = [1, 2, 3, 5, 8, 12, 20]
figure, axes = plt.subplots(figsize=(6, 3.5))
for name, run in {"open loop": open_loop, "closed loop": closed_loop}.items():
    errors = [np.sqrt(np.mean((run.predict(u, y, steps_ahead=n)[:, 0] - y[start:]) ** 2)) for n in horizons]
    axes.plot(horizons, errors, marker="o", label=f"trained in {name}")
axes.axhline(NOISE, color="black", linestyle=":", label="noise of the measurement")
axes.set(xlabel="n, re-anchored every n steps", ylabel="root mean squared error")
axes.legend();

# %% [markdown]
# ## What the network remembers
#
# A NARX remembers exactly the lags that it is given. Does it use them rightly? What a model leaves unexplained must not
# depend on the past. `residuals.png` of a run shows the correlation of the residuals with themselves and with the
# input; outside the bands there is something to be learnt.

# %%
figure, axes = plt.subplots(figsize=(10, 4))
axes.imshow(plt.imread(open_loop.path / "residuals.png"))
axes.axis("off");

# %% [markdown]
# ## What to try next
#
# - `noise` inside the plant instead of on the measurement (`plant(u, noise)`): then the open loop is right, and the
#   order of the two models turns round.
# - `output_lag: 6` in open loop: the network averages over more measurements. It is better one step ahead.
# - A recurrent network with a state of its own: `model: {name: forecaster, encoder: {name: gru, hidden_size: 8}}`.
# - `distribution: gaussian`: bands around the predictions.
# - Real data: `gluon-rnn train identify/gas_furnace_narx`, `gluon-rnn train identify/cascaded_tanks_gru`.
