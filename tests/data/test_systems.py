"""Generated systems: the equations by hand, exact solutions, convergence, known noise, seeds."""
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from gluon_rnn.data import NARMA, MackeyGlass, Plant
from gluon_rnn.data.systems import mackey_glass, narma, plant
from gluon_rnn.registry import datasets


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_narma_fulfils_its_equation(noise):
    recording, = NARMA(steps=500, train=1, noise=noise).recordings("train")
    u, y = recording.x[:, 0], recording.y[:, 0]
    residual = np.array([y[t + 1] - (0.3 * y[t] + 0.05 * y[t] * y[t - 9:t + 1].sum() + 1.5 * u[t - 9] * u[t] + 0.1)
                         for t in range(9, 499)])
    if noise == 0:
        np.testing.assert_allclose(residual, 0, atol=1e-15)
    else:
        assert residual.std() == pytest.approx(noise, rel=0.15)   # 490 draws: 3 % is one standard deviation
        assert abs(np.corrcoef(residual, u[9:499])[0, 1]) < 0.2


def test_narma_by_hand():
    # from rest, u = 0.4 throughout: 0.1, then 0.3 * 0.1 + 0.05 * 0.1 * 0.1 + 0.1; u_{t-9} is 0 until t = 9
    y = narma(np.full(12, 0.4), np.zeros(12))
    np.testing.assert_allclose(y[:3], [0, 0.1, 0.1305], atol=1e-15)
    steady = y[9]
    assert y[10] == pytest.approx(0.3 * steady + 0.05 * steady * y[:10].sum() + 1.5 * 0.16 + 0.1, abs=1e-15)


def test_narma_stays_in_its_regime_and_gives_up_where_there_is_none():
    data = NARMA(steps=3000, train=6)
    for part in data.recordings("train"):
        assert part.y.min() > 0 and part.y.max() < 2 and part.x.min() >= 0 and part.x.max() <= 0.5
    diverging = narma(np.full(400, 0.5), np.zeros(400))      # the largest input for ever: no bounded solution
    assert len(diverging) < 400 and np.isfinite(diverging).all()
    with pytest.raises(ValueError, match="left its stable regime"):
        NARMA(steps=500, noise=2.0)


def test_mackey_glass_is_exact_while_the_history_is_constant():
    # up to tau the delayed value is the history h: x' = c - b x, with x(0) = h
    h, c = 1.2, 0.2 * 1.2 / (1 + 1.2 ** 10)
    t = np.arange(171) * 0.1
    exact = c / 0.1 + (h - c / 0.1) * np.exp(-0.1 * t)
    np.testing.assert_allclose(mackey_glass(h, 17), exact, rtol=1e-9)   # (b step)^4 / 120 for each unit of time


def test_mackey_glass_against_the_method_of_steps():
    # independent: on [tau, 2 tau] the delayed value is the exact solution above, which scipy integrates
    h, c = 0.7, 0.2 * 0.7 / (1 + 0.7 ** 10)

    def slope(t, x):
        late = c / 0.1 + (h - c / 0.1) * np.exp(-0.1 * (t - 17))
        return 0.2 * late / (1 + late ** 10) - 0.1 * x

    start = c / 0.1 + (h - c / 0.1) * np.exp(-1.7)
    expected = solve_ivp(slope, (17, 34), [start], rtol=1e-12, atol=1e-13, method="DOP853").y[0, -1]
    assert mackey_glass(h, 34)[-1] == pytest.approx(expected, abs=1e-8)


def test_mackey_glass_converges_with_the_fourth_order():
    fine = mackey_glass(0.9, 102, 0.0125)[-1]
    errors = [abs(mackey_glass(0.9, 102, step)[-1] - fine) for step in (0.2, 0.1, 0.05)]
    assert np.log2(errors[0] / errors[1]) > 3.5 and np.log2(errors[1] / errors[2]) > 3.5
    assert errors[1] < 1e-6


@pytest.mark.parametrize("sampling", [1, 6])
def test_mackey_glass_recordings_are_on_the_attractor(sampling):
    part, = MackeyGlass(steps=300, sampling=sampling).recordings("train")
    assert part.x.shape == (300, 0) and part.y.shape == (300, 1)
    assert 0.2 < part.y.min() < 0.6 and 1.2 < part.y.max() < 1.4    # the well-known range of tau = 17
    every = MackeyGlass(steps=300 * sampling).recordings("train")[0].y
    np.testing.assert_array_equal(part.y, every[::sampling])


def test_mackey_glass_refuses_a_tau_between_steps():
    with pytest.raises(ValueError, match="multiple of step"):
        MackeyGlass(tau=17.03)


def equation(y, u):
    """The plant's right side for t = 1 to T - 2."""
    return y[1:-1] * y[:-2] * (y[1:-1] + 2.5) / (1 + y[1:-1] ** 2 + y[:-2] ** 2) + u[1:-1]


def test_plant_by_hand():
    # y_1 = u_0; y_2 = u_1, as z_0 = 0; y_3 = 1 * 1 * 3.5 / 3 + 0
    np.testing.assert_allclose(plant(np.array([1.0, 1, 0, 0]), np.zeros(4)), [0, 1, 1, 3.5 / 3], atol=1e-15)


def test_equation_error_is_what_the_equation_leaves():
    data = Plant(steps=4000, noise=0.1)
    part = data.recordings("test")[0]
    u, y = part.x[:, 0], part.y[:, 0]
    assert data.noise == 0.1 and data.free_run_noise is None
    assert np.sqrt(np.mean((y[2:] - equation(y, u)) ** 2)) == pytest.approx(0.1, rel=0.05)   # 1.1 % is one deviation


def test_output_error_is_what_a_free_run_of_the_plant_leaves():
    data = Plant(steps=4000, noise=0.1, noise_model="output_error")
    part = data.recordings("test")[0]
    u, y = part.x[:, 0], part.y[:, 0]
    assert data.noise == data.free_run_noise == 0.1
    assert np.sqrt(np.mean((y - plant(u, np.zeros(4000))) ** 2)) == pytest.approx(0.1, rel=0.05)
    assert np.sqrt(np.mean((y[2:] - equation(y, u)) ** 2)) > 0.12   # fed with noisy y it is not the best


def test_sine_is_for_the_test_split_only():
    data = Plant(steps=100, test_input="sine")
    np.testing.assert_allclose(data.recordings("test")[0].x[:, 0], np.sin(2 * np.pi * np.arange(100) / 25))
    assert data.recordings("valid")[0].x.std() > 1


SYSTEMS = [("narma", ["u"], ["y"]), ("mackey_glass", [], ["x"]), ("plant", ["u"], ["y"])]


@pytest.mark.parametrize("name, inputs, targets", SYSTEMS)
def test_seeds_and_splits(name, inputs, targets):
    data = datasets.build(name, steps=50, train=2, valid=1, test=1, seed=3)
    assert data.splits == ("train", "valid", "test") and (data.input_names, data.target_names) == (inputs, targets)
    parts = [part for split in data.splits for part in data.recordings(split)]
    assert all(len(part) == 50 and part.start == 0 for part in parts)
    assert len({part.y[-1, 0] for part in parts}) == 4               # no two are the same
    again = datasets.build(name, steps=50, train=5, valid=1, test=1, seed=3)
    np.testing.assert_array_equal(again.recordings("test")[0].y, parts[-1].y)   # whatever is drawn for training
    other = datasets.build(name, steps=50, train=2, valid=1, test=0, seed=4)
    assert other.splits == ("train", "valid") and other.recordings("train")[0].y[-1, 0] != parts[0].y[-1, 0]


@pytest.mark.parametrize("arguments, sentence", [
    (dict(steps=5), "steps must be"), (dict(train=0), "train must be"), (dict(seed=-1), "seed must be"),
    (dict(noise=-1.0), "noise must be"), (dict(noise_model="output-error"), "did you mean 'output_error'"),
    (dict(test_input="sin"), "did you mean 'sine'"), (dict(test=-1), "test must be"),
])
def test_mistakes(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Plant(**arguments)
