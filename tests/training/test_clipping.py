"""Clipping by the norm of each layer against NumPy, on whole steps, the manual backward pass among them."""
import math

import numpy as np
import pytest

from gluon_rnn.training.clipping import LayerClipping, layer_of
from gluon_rnn.training import loop
from gluon_rnn.recipes import build_task
from tests.reference import EXACT, rounding
from tests.training.test_step import SCALARS, gradients, make_step, one_step, values  # noqa: F401

LAYERS = ("encoder._unfused.0", "encoder._unfused.1", "embedding", "output")


def norms_of(slopes):
    return {layer: math.sqrt(sum((slope ** 2).sum() for name, slope in slopes.items() if layer_of(name) == layer))
            for layer in LAYERS}


@pytest.mark.parametrize("clip_norm", [None, 0.02])
@pytest.mark.parametrize("device", ["cpu(0)", "cpu(0),cpu(1)"])
def test_each_layer_is_scaled_by_itself_and_then_all_of_them(make_step, clip_norm, device):  # noqa: F811
    limit = 0.02
    run, data, target = make_step({"training.clip_norm_per_layer": limit, "training.clip_norm": clip_norm})
    before, slopes = values(run), gradients(run, data, target)
    norms = norms_of(slopes)
    assert min(norms.values()) < limit < max(norms.values())              # some layers are clipped, and others not
    scales = {layer: min(1, limit / norm) for layer, norm in norms.items()}
    after_layers = math.sqrt(sum((norms[layer] * scales[layer]) ** 2 for layer in LAYERS))
    total = min(1, clip_norm / after_layers) if clip_norm else 1
    _, norm, _ = one_step(run, data, target)
    # squares of some hundred numbers are added in float32
    error = rounding("float32", sum(value.size for value in before.values()))
    assert norm == pytest.approx(math.sqrt(sum(value ** 2 for value in norms.values())), rel=error)   # not clipped
    for name, after in values(run).items():
        expected = 0.5 * total * scales[layer_of(name)] * slopes[name]
        np.testing.assert_allclose(before[name] - after, expected, rtol=SCALARS + 2 * error, atol=EXACT["atol"])


def test_the_manual_backward_pass_is_clipped_alike():
    """NARX on a CPU has gradients in NumPy; with `reference` the same recipe takes MXNet's."""
    from tests.recipes import changed
    raw = {"task": {"name": "forecasting", "washout": 3}, "data": {"name": "narma", "steps": 400, "bptt": 10},
           "model": {"input_lag": 2, "output_lag": 2, "hidden_sizes": [4]},
           "training": {"clip_norm_per_layer": 1e-3, "optimizer": {"name": "sgd", "learning_rate": 0.1}}}
    ends = []
    for backend in ("auto", "reference"):
        run = loop.Loop(build_task(changed(raw, {"model.backend": backend} if backend == "reference" else {})))
        assert hasattr(run.step.graph, "loss_and_gradients")
        batch = next(iter(run.task.train_batches(0)))
        assert (run.step.graph.loss_and_gradients(*batch.arrays) is None) == (backend == "reference")
        before = values(run)
        run.step(batch, [[]], 0.1)
        ends.append({name: before[name] - value for name, value in values(run).items()})
    moved = {}
    for name, step in ends[0].items():
        scale = max(1e-4, np.abs(step).max())
        np.testing.assert_allclose(step, ends[1][name], rtol=0, atol=1e-3 * scale)    # float32 sums in another order
        moved[layer_of(name)] = moved.get(layer_of(name), 0) + (step.astype("float64") ** 2).sum()
    assert max(moved.values()) == pytest.approx((0.1 * 1e-3) ** 2, rel=1e-3)


def test_a_function_of_arrays():
    arrays = [np.array([3.0, 4.0]), np.array([0.0, 12.0]), np.array([0.3])]
    clip = LayerClipping(["a.weight", "a.bias", "b.weight"], 1.3)
    assert clip([[array] for array in arrays], 1.0) == pytest.approx(math.hypot(1.3, 0.3))
    np.testing.assert_allclose(np.concatenate(arrays), [0.3, 0.4, 0, 1.2, 0.3])


@pytest.mark.parametrize("name, layer", [
    ("encoder.l0_parameters", "encoder.l0"), ("encoder._unfused.0.i2h_weight", "encoder._unfused.0"),
    ("encoder.l1.h2r_weight", "encoder.l1"), ("embedding_weight", "embedding"), ("crf.transitions", "crf.transitions"),
    ("output.bias", "output"), ("encoder.l0.peephole_i", "encoder.l0.peephole_i")])
def test_names_of_layers(name, layer):
    assert layer_of(name) == layer
