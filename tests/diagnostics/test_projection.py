"""Principal components against the eigenvectors of the covariance."""
import numpy as np
import pytest

from gluon_rnn.diagnostics import principal_components


def test_components_are_eigenvectors_of_the_covariance():
    vectors = np.random.normal(size=(30, 5)) @ np.random.normal(size=(5, 5))
    coordinates, shares = principal_components(vectors)
    values, components = np.linalg.eigh(np.cov(vectors.T))
    for number in range(2):
        own = (vectors - vectors.mean(axis=0)) @ components[:, -1 - number]
        own *= np.sign(components[np.abs(components[:, -1 - number]).argmax(), -1 - number])
        np.testing.assert_allclose(coordinates[:, number], own, atol=1e-10)
    np.testing.assert_allclose(shares, values[::-1][:2] / values.sum())


def test_points_on_a_line_have_one_component():
    coordinates, shares = principal_components(np.outer([-1.0, 0, 3], [3, 4]) + 7, count=3)
    np.testing.assert_allclose(coordinates[:, 0], 5 * (np.array([-1, 0, 3]) - 2 / 3))
    np.testing.assert_allclose(coordinates[:, 1:], 0, atol=1e-12)
    assert shares == pytest.approx([1, 0, 0])


def test_equal_vectors_have_no_variance():
    coordinates, shares = principal_components(np.ones((4, 3)))
    assert not coordinates.any() and not shares.any()
