"""Scalers: what fitting makes of data, inversion, constant columns, an exact way through JSON, training data only.

Tests `gluon_rnn/answers/scaling.py` too.
"""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gluon_rnn.data import Recording, Scaler, SeriesScaler

NUMBERS = st.floats(-1e6, 1e6)
TABLES = arrays.arrays(np.float64, st.tuples(st.integers(2, 20), st.integers(1, 3)), elements=NUMBERS)


def test_standard_and_minmax_by_hand():
    rows = [np.array([[1.0, 10], [3, 10]]), np.array([[5.0, 40]])]
    standard, minmax = Scaler().fit(rows), Scaler("minmax").fit(rows)
    np.testing.assert_allclose(standard.offset, [3, 20])
    np.testing.assert_allclose(standard.scale, [np.sqrt(8 / 3), np.sqrt(200)])
    np.testing.assert_allclose(minmax.transform([[1, 10], [5, 40], [3, 25]]), [[-1, -1], [1, 1], [0, 0]])
    np.testing.assert_array_equal(Scaler("none").fit(rows).transform([[7, 8]]), [[7, 8]])


@given(TABLES, st.sampled_from(["standard", "minmax", "none"]))
def test_scalers_invert(rows, kind):
    scaler = Scaler(kind).fit([rows])
    size = np.abs(rows).max(axis=0)
    # two roundings of numbers as large as the column's largest
    assert (np.abs(scaler.inverse(scaler.transform(rows)) - rows) <= 8e-16 * size).all()
    differences = scaler.inverse_scale(scaler.transform(rows[1:]) - scaler.transform(rows[:1]))
    assert (np.abs(differences - (rows[1:] - rows[:1])) <= 2e-15 * size).all()


@given(TABLES, st.sampled_from(["standard", "minmax", "none"]))
def test_json_is_exact(rows, kind):
    scaler = Scaler(kind).fit([rows])
    back = Scaler.from_json(scaler.to_json())
    assert back == scaler and back.kind == kind
    assert back.offset.tobytes() == scaler.offset.tobytes() and back.scale.tobytes() == scaler.scale.tobytes()


@pytest.mark.parametrize("kind", ["standard", "minmax"])
@pytest.mark.parametrize("value", [0.0, 0.1, -3e5])
def test_a_constant_column_becomes_zero_and_keeps_its_unit(kind, value):
    scaler = Scaler(kind).fit([np.full((7, 1), value)])       # the mean of seven times 0.1 is not 0.1
    assert scaler.transform([[value]]) == 0 and scaler.scale == 1
    assert scaler.inverse([[2.0]]) == value + 2


def test_a_column_that_differs_by_rounding_alone_is_constant():
    scaler = Scaler().fit([np.array([[0.1 + 0.2, 1e-200], [0.3, 0]])])
    np.testing.assert_array_equal(scaler.scale, [1, 1])


def test_any_leading_axes_and_nan_passes():
    scaler = Scaler().fit([np.array([[0.0, 1], [2, 5]])])
    values = np.random.randn(4, 3, 2)
    np.testing.assert_allclose(scaler.transform(values)[2, 1], scaler.transform(values[2, 1]))
    assert np.isnan(scaler.transform([[np.nan, 0]])).tolist() == [[True, False]]


def test_mistakes():
    with pytest.raises(ValueError, match="did you mean 'standard'"):
        Scaler("standardise")
    with pytest.raises(ValueError, match="not fitted"):
        Scaler().transform([[1.0]])
    with pytest.raises(ValueError, match="1 that are not finite"):
        Scaler().fit([np.array([[1.0], [np.nan]])])
    with pytest.raises(ValueError, match="fitted on 2 columns"):
        Scaler().fit([np.zeros((3, 2))]).transform([[1.0]])


def test_series_scaler_sees_its_recordings_only_and_survives_json():
    train = [Recording("a", np.random.randn(9, 2), np.random.randn(9, 1)),
             Recording("b", np.random.randn(5, 2), np.random.randn(5, 1))]
    test = Recording("c", np.full((4, 2), 1e9), np.full((4, 1), 1e9), 2)
    scaler = SeriesScaler.fit(train, ["u", "v"], ["y"])
    rows = np.concatenate([part.y for part in train])
    assert scaler.y.offset == rows.mean() and scaler.y.scale == rows.std()
    scaled = scaler.transform(test)
    assert (scaled.name, scaled.start, scaled.x.shape) == ("c", 2, (4, 2)) and test.y[0, 0] == 1e9
    np.testing.assert_allclose(scaler.inverse_targets(scaled.y), test.y, rtol=1e-15)
    np.testing.assert_allclose(scaler.inverse_deviations([2.0]), 2 * rows.std(axis=0))
    back = SeriesScaler.from_json(scaler.to_json())
    assert back == scaler and (back.input_names, back.target_names) == (["u", "v"], ["y"])


def test_series_scaler_without_inputs():
    scaler = SeriesScaler.fit([Recording("a", np.zeros((3, 0)), np.array([[1.0], [2], [3]]))], [], ["y"], "minmax")
    assert scaler.transform(Recording("b", np.zeros((2, 0)), np.array([[3.0], [1]]))).y.tolist() == [[1], [-1]]
    assert SeriesScaler.from_json(scaler.to_json()) == scaler
