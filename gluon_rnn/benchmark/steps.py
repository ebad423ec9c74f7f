"""Where the time of a training step goes: layers, output layer, loss, clipping, optimiser, data, and the host.

Run as a module with a recipe and a number of steps: one JSON object comes out, see `measure`. Each recipe has a process
of its own, in which MXNet runs its operators one by one: those that it joins for speed have no times of their own.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

__all__ = ["PARTS", "RECIPES", "header", "line", "measure", "operators", "run", "shares"]

RECIPES = ["classify/sst2_lstm", "tag/ewt_upos_words", "tag/ewt_upos_chars", "translate/eng_fra_none",
           "translate/eng_fra_luong", "translate/eng_fra_bahdanau", "language_model/shakespeare_lstm"]
#: "host" is the time in which neither an operator runs nor data are made; operators beside each other count twice
PARTS = ["layers", "output layer", "loss", "clipping", "optimiser", "data", "host"]
# Events of MXNet's engine that are no work.
_WAITS = ("WaitForVar", "DeleteVariable")
_BACKWARD, _PRODUCT, _NORM = "_backward_", "FullyConnected", ("dot", "multi_sum_sq")


def run(recipes, steps):
    """Yield (recipe, what `measure` returns) of each of `recipes`."""
    for recipe in recipes:
        command = [sys.executable, "-m", "gluon_rnn.benchmark.steps", recipe, str(steps)]
        environment = dict(os.environ, MXNET_EXEC_BULK_EXEC_TRAIN="0")
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        yield recipe, json.loads(answer.splitlines()[-1])


def measure(recipe, steps):
    """Train so many steps to warm up, and as many that are measured.

    Returns
    -------
    dict
        ``seconds`` of a step with its data, and ``shares`` {part: share of it} of `PARTS`.
    """
    import mxnet as mx

    from gluon_rnn import recipe_files, recipes
    from gluon_rnn.training.loop import Loop
    loop = Loop(recipes.build_task(recipes.load(recipe_files.find(recipe))))
    batches = _for_ever(loop.task)
    states = loop.task.begin_states(loop.config.data.batch_size, loop.devices)
    states, *_ = _train(loop, batches, states, steps)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "profile.json")
        # Without aggregate_stats the operators of a graph have no names.
        mx.profiler.set_config(profile_all=True, aggregate_stats=True, filename=path)
        mx.profiler.set_state("run")
        _, seconds, data = _train(loop, batches, states, steps)
        mx.profiler.set_state("stop")
        mx.profiler.dump()
        with open(path, encoding="utf-8") as file:
            found = operators(json.load(file)["traceEvents"])
    return {"seconds": seconds / steps, "shares": shares(found, seconds, data)}


def _for_ever(task):
    epoch = 0
    while True:
        yield from task.train_batches(epoch)
        epoch += 1


def _train(loop, batches, states, steps):
    """Return the states behind so many steps, and the seconds of all of it and of the batches."""
    import mxnet as mx
    data, begun = 0.0, time.perf_counter()
    for number in range(steps):
        mx.nd.waitall()              # in training the updates of a step run while the next batch is made
        before = time.perf_counter()
        batch = next(batches)
        data += time.perf_counter() - before
        states = loop.step(batch, states, loop.schedule(number + 1))[2]
    mx.nd.waitall()
    return states, time.perf_counter() - begun, data


def operators(events):
    """Return (name, seconds) of each operator that ran, in the order they began, from the events of MXNet's profiler.

    Parameters
    ----------
    events : list of dict
        ``traceEvents`` of its file: one with ``"ph": "B"`` where an operator begins, one with ``"E"`` where it ends,
        times in microseconds.
    """
    begun, found = {}, []
    for event in events:
        if event.get("cat") != "operator" or event["name"] in _WAITS:
            continue
        place = event["tid"], event["name"]
        if event["ph"] == "B":
            begun[place] = event["ts"]
        elif event["ph"] == "E" and place in begun:
            start = begun.pop(place)
            found.append((start, event["name"], (event["ts"] - start) / 1e6))
    return [(name, seconds) for _, name, seconds in sorted(found)]


def shares(found, seconds, data):
    """Return {part: share of `seconds`} of the `PARTS`.

    Parameters
    ----------
    found : list of (str, float)
        What `operators` returns of some steps.
    seconds, data : float
        Of these steps altogether, and of making their batches.

    Notes
    -----
    A step runs forward, backward, to the gradient's norm and through the optimiser, and the operators' names tell where
    each begins. The last `FullyConnected` of the forward pass and the first one of the backward pass are the output
    layer; what runs between both is the loss. A model without any has all of it among the layers, and so has an output
    layer of several products, such as an adaptive softmax, apart from these two.
    """
    totals = dict.fromkeys(PARTS, 0.0)
    step = []
    for name, taken in found:
        if name.endswith("_update"):
            _add_step(totals, step)
            step = []
            totals["optimiser"] += taken
        else:
            step.append((name, taken))
    _add_step(totals, step)
    totals["data"] = data
    totals["host"] = max(0.0, seconds - sum(totals.values()))
    return {part: total / seconds for part, total in totals.items()}


def _add_step(totals, step):
    """Add the operators of one step in front of its updates to `totals`."""
    names = [name for name, _ in step]
    backward = [number for number, name in enumerate(names) if name.startswith(_BACKWARD)]
    if not backward:                                                      # between two updates
        totals["optimiser"] += sum(taken for _, taken in step)
        return
    output, output_back = _output_layer(names)
    for number, (name, taken) in enumerate(step):
        # MXNet may begin the norm of one gradient before it has found the last one.
        is_norm = number > output_back and name in _NORM or number > backward[-1] and name != "add_n"
        part = ("output layer" if number in (output, output_back) else "loss" if output < number < output_back else
                "clipping" if is_norm else "layers")
        totals[part] += taken


def _output_layer(names):
    """Return where the output layer is among the operators of a step, forward and backward; -1 where there is none."""
    if _PRODUCT not in names or _BACKWARD + _PRODUCT not in names:
        return -1, -1
    back = names.index(_BACKWARD + _PRODUCT)
    return max((number for number, name in enumerate(names[:back]) if name == _PRODUCT), default=-1), back


_RECIPE = "{:<36}{:>10}"


def header():
    """Return the heading of the table."""
    return _RECIPE.format("recipe", "ms/step") + "".join(f"{part:>14}" for part in PARTS)


def line(recipe, found):
    """Return one line of the table: milliseconds of a step, and the share of each part."""
    return (_RECIPE.format(recipe, f"{1e3 * found['seconds']:.1f}")
            + "".join(f"{found['shares'][part]:>14.1%}" for part in PARTS))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
