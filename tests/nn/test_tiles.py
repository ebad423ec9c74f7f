"""Products in tiles against one product, of all kinds of sizes."""
import numpy as np
import pytest

from gluon_rnn.nn import tiles


@pytest.mark.parametrize("rows", [1, 7, 60, 61, 200])
@pytest.mark.parametrize("size, columns", [(1, 1), (5, 31), (512, 32), (30, 33), (512, 96), (3, 64), (40000, 32)])
def test_is_the_product(rows, size, columns):
    rng = np.random.default_rng(0)
    left, matrix = rng.standard_normal((rows, size)), rng.standard_normal((size, columns))
    out = np.full((rows, columns), np.nan)
    tiles.multiply(left, tiles.cut(matrix), out)
    np.testing.assert_allclose(out, left @ matrix, rtol=0, atol=1e-10)    # sums of at most 40,000 numbers, float64


def test_writes_between_other_columns_and_nowhere_else():
    rng = np.random.default_rng(1)
    left, matrix = rng.standard_normal((90, 512)), rng.standard_normal((512, 70))
    around = np.full((90, 100), 7.0)
    tiles.multiply(left, tiles.cut(matrix), around[:, 20:90])
    np.testing.assert_allclose(around[:, 20:90], left @ matrix, rtol=0, atol=1e-10)
    assert (around[:, :20] == 7).all() and (around[:, 90:] == 7).all()


def test_says_for_which_processors_it_is_fast(monkeypatch):
    library = type("Library", (), {"architecture": "Haswell"})
    controller = type("Controller", (), {"select": lambda self, **_: self, "lib_controllers": [library]})
    monkeypatch.setattr(tiles.threadpoolctl, "ThreadpoolController", controller)
    try:
        for architecture, is_fast in (("Haswell", False), ("SkylakeX", True)):
            library.architecture = architecture
            tiles.are_fast.cache_clear()
            assert tiles.are_fast() is is_fast
    finally:
        tiles.are_fast.cache_clear()
