"""Which entries of a block's parameters a weight decay may touch."""
import mxnet as mx

from gluon_rnn.nn.fused import FusedLayer

__all__ = ["decay_masks"]


def decay_masks(block):
    """Return {parameter name: mask that broadcasts to it}: 1 where weights decay, 0 where a bias stands.

    A fused layer keeps weights and biases in one vector, where Gluon's ``wd_mult`` cannot tell them apart; this mask
    can. Other parameters of one axis (biases, gains) do not decay.
    """
    masks = {}
    for layer in _fused_layers(block):
        for index in range(layer.num_layers):
            masks[layer._reg_params[f"l{index}_parameters"].name] = layer.decay_mask(index)
    for name, parameter in block.collect_params().items():
        if name not in masks:
            masks[name] = mx.nd.full((1,), float(len(parameter.shape) > 1), dtype=parameter.dtype)
    return masks


def _fused_layers(block):
    if isinstance(block, FusedLayer):
        yield block
    for child in block._children.values():
        yield from _fused_layers(child)
