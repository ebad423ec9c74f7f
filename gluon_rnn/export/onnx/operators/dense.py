"""Products of matrices: FullyConnected, dot, batch_dot."""
from gluon_rnn.export.onnx.shaping import reshape, transpose
from gluon_rnn.export.onnx.translators import translates


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
    rest = 1
    for length in tensor.shape[1:]:
        rest = None if rest is None or length is None else rest * length
    if rest is None:
        return builder.add("Flatten", tensor, axis=1)
    return reshape(builder, tensor, (tensor.shape[0], rest), copied={0: 0})
