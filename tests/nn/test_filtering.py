"""Minimal filtering against the sum over offsets that it stands for."""
import numpy as np
import pytest

from gluon_rnn.nn import filtering, tiles

OFFSETS = [(-1, 2), (0, 1), (-4, -2), (-2, -1, 0), (-3, 0, 3), (1, 3, 5)]


def run(seen, offsets, weight, steps):
    outputs = np.full((steps, seen.shape[1], len(weight)), np.nan)
    cut = [tiles.cut(matrix) for matrix in filtering.matrices(weight)]
    finished = []
    done = filtering.filtered(seen, offsets, cut, finished.append, outputs)
    assert sum(map(len, finished)) == done and np.isnan(outputs[done:]).all()
    return outputs[:done]


@pytest.mark.parametrize("steps", [1, 2, 11, 36, 37])
@pytest.mark.parametrize("offsets", OFFSETS, ids=str)
def test_is_the_sum_over_offsets(monkeypatch, offsets, steps):
    monkeypatch.setattr(filtering, "_ROWS", 20)                           # several pieces
    rng, gap = np.random.default_rng(0), offsets[1] - offsets[0]
    seen = rng.standard_normal((steps + offsets[-1] - offsets[0], 3, 4))
    weight = rng.standard_normal((5, len(offsets), 4))
    outputs = run(seen, offsets, weight, steps)
    assert len(outputs) == steps - steps % (2 * gap)
    for t, found in enumerate(outputs):
        expected = sum(seen[t + offset - offsets[0]] @ weight[:, place].T for place, offset in enumerate(offsets))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("offsets", OFFSETS, ids=str)
def test_what_is_not_a_number_stays_with_the_outputs_that_see_it(offsets):
    rng = np.random.default_rng(0)
    seen = rng.standard_normal((40 + offsets[-1] - offsets[0], 2, 3))
    seen[20, 0] = np.nan
    outputs = run(seen, offsets, rng.standard_normal((4, len(offsets), 3)), 40)
    blind = [t for t in range(len(outputs)) if 20 not in [t + offset - offsets[0] for offset in offsets]]
    assert np.isfinite(outputs[:, 1]).all() and np.isfinite(outputs[blind]).all()
    assert np.isnan(outputs).any()


def test_only_two_or_three_evenly_spaced_steps():
    assert all(map(filtering.is_filter, OFFSETS))
    assert not any(map(filtering.is_filter, [(0,), (-3, -1, 0), (-3, -2, -1, 0)]))
