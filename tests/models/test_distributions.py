"""Output heads against scipy.stats, the pinball loss by hand, and central differences."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from scipy import stats

from gluon_rnn.models.distributions import distributions, make_distribution
from tests.gradients import assert_slopes
from tests.reference import rounding

LEVELS = (0.05, 0.25, 0.5, 0.9)


def make(name):
    return make_distribution(name, LEVELS if name == "quantile" else None)


def numbers(head, shape=(4, 3, 2), scale=1.5):
    raw = np.random.randn(*shape[:-1], shape[-1] * head.parameters_per_output) * scale
    return mx.nd.array(raw, dtype="float64"), mx.nd.array(np.random.randn(*shape), dtype="float64")


def columns(head, raw):
    """The P numbers of each output: column k * P + p is number p of output k."""
    count = head.parameters_per_output
    return [raw.asnumpy()[..., p::count] for p in range(count)]


def softplus(a):
    return np.log1p(np.exp(a))


def scipy_of(name, parts):
    if name == "gaussian":
        return stats.norm(parts[0], softplus(parts[1]) + 1e-4)
    return stats.t(np.minimum(2.01 + softplus(parts[2]), 200), parts[0], softplus(parts[1]) + 1e-4)


@pytest.mark.parametrize("name", ["gaussian", "student_t"])
def test_loss_is_the_negative_log_density_of_scipy(name):
    head = make(name)
    raw, target = numbers(head)
    want = -scipy_of(name, columns(head, raw)).logpdf(target.asnumpy())
    np.testing.assert_allclose(head.loss(mx.nd, raw, target).asnumpy(), want, rtol=0, atol=1e-8)
    graph = head.loss(mx.sym, mx.sym.var("raw"), mx.sym.var("target"))
    got = graph.bind(mx.cpu(), {"raw": raw, "target": target}).forward()[0]
    np.testing.assert_allclose(got.asnumpy(), want, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", ["gaussian", "student_t"])
def test_quantiles_are_those_of_scipy(name):
    head = make(name)
    raw, _ = numbers(head)
    levels = [0.01, 0.5, 0.975]
    got = head.quantiles(raw, levels)
    assert got.shape == (4, 3, 2, 3)
    for i, level in enumerate(levels):
        np.testing.assert_allclose(got[..., i], scipy_of(name, columns(head, raw)).ppf(level), rtol=0, atol=1e-9)


def test_many_degrees_of_freedom_stay_exact_in_float32():
    head = make("student_t")
    raw = np.random.randn(50, 1, 3).astype("float32")
    raw[..., 2] = 1e4                                                     # log G(1e4) has no digits left for a loss
    target = np.random.randn(50, 1, 1).astype("float32")
    got = head.loss(mx.nd, mx.nd.array(raw), mx.nd.array(target)).asnumpy()
    raw, target = raw.astype("float64"), target.astype("float64")
    scale = softplus(raw[..., 1:2]) + 1e-4
    want = -stats.t(200, raw[..., :1], scale).logpdf(target)
    # log G(100) = 359 is rounded twice, and so are its sums with the other terms. The scale is off by two roundings of
    # numbers of size 1, for softplus is log(1 + exp); the loss is off by d loss / d scale times that.
    square = ((target - raw[..., :1]) / scale) ** 2
    slope = np.abs(1 - 201 * square / (200 + square)) / scale
    error = rounding("float32", 4, 359 + np.abs(want).max()) + rounding("float32", 2) * slope
    assert (np.abs(got - want) <= error).all(), (got - want, error)


def pinball(level, target, quantile):
    error = target - quantile
    return error * level if error > 0 else error * (level - 1)


def test_quantile_loss_is_the_mean_pinball_loss_of_quantiles_in_order():
    head = make("quantile")
    raw, target = numbers(head)
    a, loss = columns(head, raw), head.loss(mx.nd, raw, target).asnumpy()
    expected = [a[2] - softplus(a[1]) - softplus(a[0]), a[2] - softplus(a[1]), a[2], a[2] + softplus(a[3])]
    np.testing.assert_allclose(head.quantiles(raw, LEVELS), np.stack(expected, axis=-1), rtol=0, atol=1e-12)
    for index in np.ndindex(*target.shape):
        want = np.mean([pinball(q, target.asnumpy()[index], e[index]) for q, e in zip(LEVELS, expected)])
        assert loss[index] == pytest.approx(want, abs=1e-10)
    wide = head.quantiles(raw * 20, LEVELS)
    assert (np.diff(wide, axis=-1) >= -rounding("float64", 2, wide)).all()      # they cross by rounding alone


def test_pinball_loss_is_least_at_the_empirical_quantile():
    head = make_distribution("quantile", (0.5, 0.9))
    values = np.sort(np.random.randn(99))
    target = mx.nd.array(values[:, None, None], dtype="float64")
    losses = []
    for candidate in values[49:]:
        distance = candidate - values[49]                                 # softplus^-1 of it
        a = np.log(np.expm1(max(distance, 1e-12)))
        raw = mx.nd.array(np.tile([values[49], a], (99, 1, 1)), dtype="float64")
        losses.append(head.loss(mx.nd, raw, target).sum().asscalar())
    assert values[49:][np.argmin(losses)] == np.quantile(values, 0.9, method="inverted_cdf")


@pytest.mark.parametrize("name", distributions.names())
def test_gradients_are_central_differences(name):
    head = make(name)
    raw, target = numbers(head, (2, 2, 2))
    raw.attach_grad()
    with autograd.record():
        loss = head.loss(mx.nd, raw, target).sum()
    loss.backward()
    # MXNet finds the derivative of log G with constants in float32, two of them here, each times 1/2
    known = rounding("float32", 2) if name == "student_t" else 0
    assert_slopes(lambda: head.loss(mx.nd, raw, target), {name: (raw, raw.grad.asnumpy())}, known)


@pytest.mark.parametrize("name", distributions.names())
def test_shift_moves_the_mean_and_nothing_else(name):
    head = make(name)
    raw, offset = numbers(head)
    target = mx.nd.random.normal(shape=offset.shape, dtype="float64")
    moved = head.shift(mx.nd, raw, offset)
    assert moved.shape == raw.shape
    want = head.mean(mx.nd, raw) + offset
    np.testing.assert_allclose(head.mean(mx.nd, moved).asnumpy(), want.asnumpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(head.loss(mx.nd, moved, target + offset).asnumpy(),
                               head.loss(mx.nd, raw, target).asnumpy(), rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", ["gaussian", "student_t", "quantile"])
def test_samples_have_the_quantiles(name):
    head = make(name)
    raw = np.tile(np.random.randn(1, 1, head.parameters_per_output), (20000, 1, 1))
    drawn = head.sample(raw, np.random.default_rng(3))
    assert drawn.shape == (20000, 1, 1)
    wanted = head.quantiles(raw[:1], [0.2, 0.5, 0.8])[0, 0, 0]
    below = [(drawn <= want).mean() for want in wanted]
    np.testing.assert_allclose(below, [0.2, 0.5, 0.8], atol=0.015)        # four standard deviations of 20,000 draws
    np.testing.assert_array_equal(drawn, head.sample(raw, np.random.default_rng(3)))


@pytest.mark.parametrize("call,message", [
    (lambda: make_distribution("gausian"), "unknown distribution 'gausian'; did you mean 'gaussian'"),
    (lambda: make_distribution("point", (0.5,)), "quantiles are the levels of distribution 'quantile', and distribution"
                                                 " is 'point'"),
    (lambda: make_distribution("quantile", (0.1, 0.9)), "must rise and include 0.5"),
    (lambda: make_distribution("quantile", (0.5, 0.1)), "must rise and include 0.5"),
    (lambda: make_distribution("quantile", (0.5, 1.0)), "numbers between 0 and 1"),
    (lambda: make("quantile").quantiles(np.zeros((1, 1, 4)), [0.95]), "quantiles from 0.05 to 0.9, got levels"),
    (lambda: make("point").quantiles(np.zeros((1, 1, 1)), [0.5]), "point predictions have no bands"),
    (lambda: make("point").sample(np.zeros((1, 1, 1)), None), "point predictions have no bands"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
