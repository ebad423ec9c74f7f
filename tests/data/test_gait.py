"""Walking: angles against the sum written out, phases that go on, noise of the strength that was asked for."""
import math

import numpy as np
import pytest

from gluon_rnn.data import GaitSeries, GaitWalkers
from gluon_rnn.data.gait import JOINTS, draw_walker, walk


def angle(mean, harmonics, phase):
    """Return one angle, term by term."""
    return mean + sum(a * math.cos(k * phase) + c * math.sin(k * phase) for k, (a, c) in enumerate(harmonics, start=1))


def test_without_variety_angles_are_those_of_the_table():
    walker = draw_walker(np.random.default_rng(0), variety=0)
    phases = np.linspace(-3, 9, 25)
    expected = [[angle(*joint, phase) for joint in JOINTS.values()] for phase in phases]
    np.testing.assert_allclose(walker.angles(phases), expected, rtol=1e-12)
    assert walker.cadence == 0.9


def test_curves_have_the_known_shape():
    phases = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    hip, knee, ankle = draw_walker(np.random.default_rng(0), variety=0).angles(phases).T
    maxima = [place for place in range(400) if knee[place - 1] < knee[place] >= knee[(place + 1) % 400]]
    assert [round(knee[place]) for place in maxima] == pytest.approx([19, 61], abs=3)
    assert 0.45 < hip.argmin() / 400 < 0.55 and 25 < hip.max() < 35
    assert 0.6 < ankle.argmin() / 400 < 0.7 and -22 < ankle.min() < -14


def test_a_delay_shifts_the_whole_curve_of_a_joint():
    """Without offset, amplitude and small changes, what is left of variety turns harmonic k by k times one angle."""
    rng = np.random.default_rng(5)
    rng.uniform(-1, 1), rng.standard_normal(3)                            # the order of draw_walker
    amplitude, small = 1 + 0.1 * rng.standard_normal((3, 1, 1)), 1 + 0.1 * rng.standard_normal((3, 4, 2))
    delays = 0.1 * rng.standard_normal(3)
    walker = draw_walker(np.random.default_rng(5))
    for joint, (_, waves) in enumerate(JOINTS.values()):
        own = np.array(waves) * amplitude[joint] * small[joint]
        expected = [angle(0, own, phase - delays[joint]) for phase in (0.0, 1.0, 4.0)]
        found = walker.angles(np.array([0.0, 1.0, 4.0]))[:, joint] - walker.means[joint]
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_steady_walking_repeats_itself_every_stride():
    walker = draw_walker(np.random.default_rng(1))
    frames = walk(walker, 300, np.random.default_rng(2), rate=100 * walker.cadence, wander=0, noise=0)
    np.testing.assert_allclose(frames[100:], frames[:-100], atol=1e-9)    # 100 frames a stride
    assert np.ptp(frames, axis=0).min() > 10


def test_noise_and_wander_have_their_strength():
    walker, frames = draw_walker(np.random.default_rng(1)), 20_000
    clean, noisy = (walk(walker, frames, np.random.default_rng(3), noise=noise) for noise in (0, 0.5))
    # the deviation of 60,000 normal numbers is known to 0.5 / sqrt(120,000)
    assert (noisy - clean).std() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(120_000))
    calm, restless = (walk(walker, 2000, np.random.default_rng(3), wander=wander, noise=0) for wander in (0, 0.2))
    np.testing.assert_allclose(np.abs(calm[0] - restless[0]).max(), 0, atol=8)          # one frame apart at most
    assert np.abs(calm - restless).max() > 20


def test_both_sets_have_the_same_walkers_and_standardised_pieces():
    series, pieces = GaitSeries(walkers=3, frames=60, train=2), GaitWalkers(walkers=3, train=4, valid=2, test=3)
    assert [walker.cadence for walker in series.people] == [walker.cadence for walker in pieces.people]
    assert [len(series.recordings(split)) for split in series.splits] == [6, 3, 6]
    assert pieces.labels == ["walker 0", "walker 1", "walker 2"]
    assert [len(pieces.items(split)) for split in pieces.splits] == [12, 6, 9]
    train = np.stack(pieces.inputs("train")).astype(np.float64).reshape(-1, 3)
    np.testing.assert_allclose([train.mean(axis=0), train.std(axis=0)], [np.zeros(3), np.ones(3)], atol=1e-6)


def test_seeds_and_sizes():
    first, again, other = (GaitSeries(2, 30, seed=seed) for seed in (1, 1, 2))
    more = GaitSeries(2, 30, train=7, seed=1)
    for split in first.splits:
        y = first.recordings(split)[0].y
        np.testing.assert_array_equal(y, again.recordings(split)[0].y)
        assert (y != other.recordings(split)[0].y).all()
    np.testing.assert_array_equal(first.recordings("test")[1].y, more.recordings("test")[1].y)
    assert (first.recordings("train")[0].y != first.recordings("test")[0].y).all()


@pytest.mark.parametrize("arguments, message", [
    ({"frames": 0}, "frames must be"), ({"noise": -1}, "noise must be a number of at least 0, got -1"),
    ({"wander": True}, "wander must be"), ({"variety": float("inf")}, "variety must be")])
def test_wrong_arguments(arguments, message):
    for cls in (GaitSeries, GaitWalkers):
        with pytest.raises(ValueError, match=message):
            cls(**arguments)


def test_one_walker_is_no_class():
    with pytest.raises(ValueError, match="walkers must be at least 2"):
        GaitWalkers(walkers=1)
