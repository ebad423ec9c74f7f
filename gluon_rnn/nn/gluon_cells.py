"""What `gluon_rnn.nn.unroll.Unrolled` has to know of the cells of `mxnet.gluon.rnn`."""
from mxnet import gluon

__all__ = ["as_hybrid", "check_cell", "sizes", "unfused"]


def as_hybrid(cell):
    """Return `cell`, a `SequentialRNNCell` as the hybrid one with the same cells in it: only blocks of that kind nest.

    Everything else is returned as it is.
    """
    if not isinstance(cell, gluon.rnn.SequentialRNNCell):
        return cell
    hybrid = gluon.rnn.HybridSequentialRNNCell(prefix=cell.prefix, params=cell.params)
    for child in cell._children.values():
        hybrid.add(as_hybrid(child))
    return hybrid


def check_cell(cell):
    """Raise ValueError for a cell that keeps something on itself from step to step, or that cannot take one step."""
    for one in _all_cells(cell):
        name = type(one).__name__
        if isinstance(one, gluon.rnn.BidirectionalCell):
            raise ValueError(f"{name} reads a sequence from its end too and cannot be stepped through; make an "
                             "Unrolled of each of its two cells and a gluon_rnn.nn.Bidirectional of both")
        if isinstance(one, gluon.rnn.ZoneoutCell) and one.zoneout_outputs:
            raise ValueError(f"{name} with zoneout_outputs keeps its last output on itself, which a loop cannot carry; "
                             "use gluon_rnn.nn.ZoneoutCell, or zoneout_states")
        if isinstance(one, gluon.contrib.rnn.VariationalDropoutCell):
            raise ValueError(f"{name} keeps its masks on itself, which a loop cannot carry; use the dropout (drop_h) "
                             "of a layer")


def sizes(cell):
    """Return (hidden_size, output_size) of `cell`, each None where it does not say."""
    children = list(getattr(cell, "_children", {}).values())
    if isinstance(cell, gluon.rnn.ModifierCell):
        return sizes(cell.base_cell)
    if isinstance(cell, (gluon.rnn.SequentialRNNCell, gluon.rnn.HybridSequentialRNNCell)):
        known = [pair for pair in map(sizes, children) if pair[1] is not None]
        return known[-1] if known else (None, None)
    hidden = getattr(cell, "hidden_size", getattr(cell, "_hidden_size", None))
    return hidden, getattr(cell, "output_size", getattr(cell, "_projection_size", hidden))


def _all_cells(cell):
    yield cell
    for child in getattr(cell, "_children", {}).values():
        yield from _all_cells(child)


def unfused(layer):
    """Return a stack of Gluon's cells on the parameters of a `gluon_rnn.nn.fused.FusedLayer`."""
    stack = gluon.rnn.HybridSequentialRNNCell(prefix=layer.prefix, params=layer.params)
    with stack.name_scope():
        for index in range(layer.num_layers):
            if index and layer._dropout:
                stack.add(gluon.rnn.DropoutCell(layer._dropout))
            cells = [_cell(layer, f"{direction}{index}_") for direction in "lr"[:1 + layer.bidirectional]]
            stack.add(gluon.rnn.BidirectionalCell(*cells) if layer.bidirectional else cells[0])
    return stack


def _cell(layer, prefix):
    kinds = {"lstm": gluon.rnn.LSTMCell, "gru": gluon.rnn.GRUCell}
    options = {} if layer.mode in kinds else {"activation": layer.mode[len("rnn_"):]}
    names = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
    options.update({f"{name}_initializer": layer._reg_params[prefix + name].init for name in names})
    return kinds.get(layer.mode, gluon.rnn.RNNCell)(layer.hidden_size, prefix=prefix, **options)
