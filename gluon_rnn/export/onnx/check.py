"""Is the ONNX model well formed, and does ONNX Runtime give with it what it should?"""
import numpy as np
import onnx

__all__ = ["check", "check_structure", "difference", "run", "DifferentAnswers"]


class DifferentAnswers(ValueError):
    """ONNX Runtime and the given answers differ by more than the tolerance."""


def check_structure(model):
    """Check an ``onnx.ModelProto`` strictly: every node against its operator, all shapes and types by inference.

    Raises
    ------
    onnx.checker.ValidationError, onnx.shape_inference.InferenceError
    """
    onnx.checker.check_model(model, full_check=True)


def run(model, inputs):
    """Return what ONNX Runtime computes, a list of arrays.

    Parameters
    ----------
    model : onnx.ModelProto, bytes or path
    inputs : dict of str to array
        Those that the model does not read are left out.
    """
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3                                        # no warnings of what it optimises
    content = model.SerializeToString() if isinstance(model, onnx.ModelProto) else model
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = {entry.name for entry in session.get_inputs()}
    return session.run(None, {key: np.asarray(value) for key, value in inputs.items() if key in names})


def difference(model, inputs, expected):
    """Return the largest absolute difference between ONNX Runtime's outputs and the `expected` ones.

    Infinite if a shape or type differs, or if one is NaN where the other is not.
    """
    found = run(model, inputs)
    if len(found) != len(expected):
        return float("inf")
    return max((_distance(ours, np.asarray(theirs)) for ours, theirs in zip(found, expected)), default=0.0)


def check(model, inputs, expected, tolerance=1e-5):
    """Check a model's form and its answers.

    Parameters
    ----------
    inputs : dict of str to array
    expected : list of array
        The answers, in the order of the model's outputs.
    tolerance : float
        Largest difference allowed, relative to the largest number expected where that is above 1.

    Returns
    -------
    float
        The largest absolute difference.

    Raises
    ------
    DifferentAnswers
        If it is above the tolerance.
    """
    check_structure(model)
    worst = difference(model, inputs, expected)
    largest = max((float(np.nanmax(np.abs(answer), initial=0.0)) for answer in map(np.asarray, expected)), default=0.0)
    if not worst <= tolerance * max(1.0, largest):
        shapes = {key: np.asarray(value).shape for key, value in inputs.items()}
        raise DifferentAnswers(f"the ONNX model differs from the expected answers by {worst:.3g} where at most "
                               f"{tolerance * max(1.0, largest):.3g} was expected, for inputs of shapes {shapes}; "
                               "please report the symbol")
    return worst


def _distance(ours, theirs):
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return float("inf")
    ours, theirs = ours.astype("float64"), theirs.astype("float64")
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))         # infinities of one sign are no difference
    gaps = np.where(same, 0.0, np.abs(ours - theirs))
    return float("inf") if np.isnan(gaps).any() else float(gaps.max(initial=0.0))
