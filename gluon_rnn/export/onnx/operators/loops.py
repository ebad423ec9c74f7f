"""Loops: ``_foreach`` as a Scan, its body a graph of its own that reads what it captures as it is."""
import itertools

from gluon_rnn.export.onnx.translators import translate, translates


@translates("_foreach")
def foreach(builder, node):
    """Scan over the data along their first axis; the builder puts whatever does not change before the loop."""
    attrs, body_graph = node.attrs, node.subgraphs[0]
    places = [tuple(attrs[key]) for key in ("in_data_locs", "in_state_locs", "remain_locs")]
    count, outputs = len(places[0]), int(attrs["num_out_data"])
    data, states = node.inputs[:count], node.inputs[count:count + len(places[1])]
    inputs = [(state.shape, state.dtype) for state in states] + [(one.shape[1:], one.dtype) for one in data]
    with builder.body(inputs) as body:
        before, slices = _sized(builder, body.inputs, states, data)
        given = [*slices, *before, *node.inputs[count + len(states):]]
        by_place = dict(zip(itertools.chain(*places), given))
        results = translate(builder, body_graph, [by_place[place] for place in range(len(by_place))])
        body.outputs = [*results[outputs:], *results[:outputs]]
    builder.prefix = node.name
    found = builder.add("Scan", *states, *data, outputs=len(states) + outputs, body=body.graph, num_scan_inputs=count)
    found = found if isinstance(found, list) else [found]
    return [*found[len(states):], *found[:len(states)]]


def _sized(builder, inputs, states, data):
    """Return the body's states and slices of data with their shapes at the example sizes."""
    before = [builder.describe(entry, sizes=state.sizes) for entry, state in zip(inputs, states)]
    slices = [builder.describe(entry, sizes=one.sizes and tuple(shape[1:] for shape in one.sizes))
              for entry, one in zip(inputs[len(states):], data)]
    return before, slices
