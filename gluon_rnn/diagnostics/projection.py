"""Many numbers a row as two or three: principal components."""
import numpy as np

__all__ = ["NothingToShowError", "principal_components"]


class NothingToShowError(ValueError):
    """A model or its data have nothing that an instrument could look at."""


def principal_components(vectors, count=2):
    """Return the coordinates of vectors along their principal components, by singular values.

    Parameters
    ----------
    vectors : (n, H) array
    count : int, default 2
        At most min(n, H); further columns are 0.

    Returns
    -------
    coordinates : (n, count) float64 array
        Of the vectors less their mean. Signs are such that the largest weight of each component is above 0.
    shares : (count,) float64 array
        Of the variance of all H numbers; 0 where all vectors are equal.

    References
    ----------
    Jolliffe (2002), Principal component analysis, section 3.5.
    """
    centred = np.asarray(vectors, np.float64)
    centred = centred - centred.mean(axis=0)
    left, singular, components = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(components[np.arange(len(components)), np.abs(components).argmax(axis=1)])
    coordinates = np.zeros((len(centred), max(count, len(singular))))
    coordinates[:, :len(singular)] = left * singular * signs
    variances = np.zeros(max(count, len(singular)))
    variances[:len(singular)] = singular ** 2
    total = variances.sum()
    return coordinates[:, :count], variances[:count] / (total if total else 1.0)
