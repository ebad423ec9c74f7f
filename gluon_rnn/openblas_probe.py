"""Which kernels the installed OpenBLAS libraries take, and whether their products are right; run as a script.

``python openblas_probe.py`` imports nothing of the package. It prints one line of JSON,
``{"architectures": {file: core type}, "wrong": [what failed]}``. `gluon_rnn.openblas` runs it in a process of its own,
since OpenBLAS reads ``OPENBLAS_CORETYPE`` once, when it loads, and a core type that the processor cannot run ends the
process.
"""
import ctypes
import importlib.util
import json
import pathlib
import sys

# Rows, inner size, columns: no multiples of a kernel's block, one row and one column, and sizes of recurrent layers.
SIZES = ((1, 1, 1), (3, 7, 5), (17, 33, 65), (63, 129, 31), (1, 200, 801), (200, 127, 1), (35, 201, 403))
_ROW_MAJOR, _NO_TRANSPOSE = 101, 111


def main():
    """Print what the libraries are and which products are wrong."""
    library = mxnet_library()
    wrong = numpy_faults() + (mxnet_faults(library) if library else [])
    from threadpoolctl import threadpool_info
    found = {pathlib.Path(info["filepath"]).name: info.get("architecture", "")
             for info in threadpool_info() if info["internal_api"] == "openblas"}
    print(json.dumps({"architectures": found, "wrong": wrong}))


def mxnet_library():
    """Return MXNet's own OpenBLAS, loaded without MXNet, or None where its wheel brings none."""
    spec = importlib.util.find_spec("mxnet")
    files = sorted(pathlib.Path(spec.origin).parent.glob("libopenblas*.so*")) if spec and spec.origin else []
    return ctypes.CDLL(str(files[0])) if files else None


def numpy_faults():
    """Return the products of NumPy that are wrong, in float32 and float64, as text."""
    import numpy as np
    return [f"numpy {dtype} {size}" for dtype in ("float32", "float64") for size in SIZES
            if not _is_right(*_matrices(size, dtype), lambda a, b: np.matmul(a, b))]


def mxnet_faults(library):
    """Return the products of MXNet's OpenBLAS that are wrong, in float32, as text."""
    def product(a, b):
        import numpy as np
        result = np.empty((len(a), b.shape[1]), "float32")
        one, zero = ctypes.c_float(1), ctypes.c_float(0)
        (rows, inner), columns = a.shape, b.shape[1]
        library.cblas_sgemm(_ROW_MAJOR, _NO_TRANSPOSE, _NO_TRANSPOSE, rows, columns, inner, one, _pointer(a), inner,
                            _pointer(b), columns, zero, _pointer(result), columns)
        return result
    return [f"mxnet float32 {size}" for size in SIZES if not _is_right(*_matrices(size, "float32"), product)]


def _matrices(size, dtype):
    import numpy as np
    rows, inner, columns = size
    rng = np.random.default_rng(inner)
    return rng.standard_normal((rows, inner)).astype(dtype), rng.standard_normal((inner, columns)).astype(dtype)


def _is_right(a, b, product):
    """Compare with a sum that takes no BLAS, within the bound k u |A| |B| of a sum of k rounded terms, doubled."""
    import numpy as np
    exact = np.einsum("ik,kj->ij", a.astype("longdouble"), b.astype("longdouble"))
    bound = 2 * a.shape[1] * np.finfo(a.dtype).eps * np.einsum("ik,kj->ij", abs(a).astype("longdouble"),
                                                               abs(b).astype("longdouble"))
    return bool((abs(product(a, b) - exact) <= bound).all())


def _pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


if __name__ == "__main__":
    del sys.path[0]             # the folder of this file, whose modules have names that others may look for
    main()
