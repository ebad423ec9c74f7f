"""Products of matrices: FullyConnected, dot, batch_dot, and the attention's division by the root of the size."""
import numpy as np

from gluon_rnn.export.onnx.shaping import reshape, scalar, transpose
from gluon_rnn.export.onnx.translators import refused, translates


@translates("FullyConnected")
def fully_connected(builder, node):
    """Gemm for (N, C), which adds the bias itself; MatMul with the weight turned round beforehand for (T, N, C)."""
    data, weight, bias = (*node.inputs, None)[:3]
    if node.attrs.get("flatten", True) and data.ndim != 2:
        data = flattened(builder, data)
    if data.ndim == 2:
        return builder.add("Gemm", data, weight, bias, transB=1)
    product = builder.add("MatMul", data, transpose(builder, weight, (1, 0)))
    return product if bias is None else builder.add("Add", product, bias)


def flattened(builder, tensor):
    """Return (N, ...) as (N, all the rest)."""
    if tensor.ndim == 2:
        return tensor
    if tensor.ndim == 1 or None in tensor.shape[1:]:
        return builder.add("Flatten", tensor, axis=1)
    example = None if tensor.sizes is None else tuple((shape[0], int(np.prod(shape[1:]))) for shape in tensor.sizes)
    return reshape(builder, tensor, (tensor.shape[0], int(np.prod(tensor.shape[1:]))), example)


@translates("Flatten")
def flatten(builder, node):
    return flattened(builder, node.inputs[0])


@translates("dot")
def dot(builder, node):
    """The last axis of the first with the first axis of the second, as MXNet multiplies more than two dimensions."""
    a, b = node.inputs
    turned = node.attrs.get("transpose_a", False), node.attrs.get("transpose_b", False)
    if (turned[0] and a.ndim > 2) or (turned[1] and b.ndim > 2):
        raise refused(node, "transposes an array of more than two dimensions; use batch_dot, or transpose it before")
    if turned[0]:
        a = transpose(builder, a, tuple(range(a.ndim))[::-1])
    if turned[1]:
        b = transpose(builder, b, tuple(range(b.ndim))[::-1])
    if b.ndim > 2:
        b = reshape(builder, b, (b.shape[0], _product(b.shape[1:])))
    product = builder.add("MatMul", a, b)
    if product.ndim == len(node.output_shapes[0]):
        return product
    return reshape(builder, product, node.output_shapes[0], node.output_sizes[0], node.inputs)


def _product(lengths):
    return None if None in lengths else int(np.prod(lengths))


@translates("batch_dot", "_linalg_gemm2")
def batch_dot(builder, node):
    if node.attrs.get("axis", -2) != -2:
        raise refused(node, f"has axis {node.attrs['axis']}, but matrices must be the last two axes; transpose before")
    tensors = [_last_two_turned(builder, tensor) if node.attrs.get(f"transpose_{letter}", False) else tensor
               for letter, tensor in zip("ab", node.inputs)]
    product, alpha = builder.add("MatMul", *tensors), float(node.attrs.get("alpha", 1.0))
    return product if alpha == 1 else builder.add("Mul", product, scalar(builder, alpha, product.dtype))


def _last_two_turned(builder, tensor):
    axes = list(range(tensor.ndim))
    return transpose(builder, tensor, [*axes[:-2], axes[-1], axes[-2]])


@translates("_contrib_div_sqrt_dim")
def div_sqrt_dim(builder, node):
    data = node.inputs[0]
    if data.shape[-1] is None:
        raise refused(node, "divides by the root of an axis of free length; give that axis a size")
    return builder.add("Div", data, scalar(builder, data.shape[-1] ** 0.5, data.dtype))
