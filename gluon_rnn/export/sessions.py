"""Streams through a causal network: each keeps its states, and many of them go through one call. Needs no MXNet."""
import numpy as np

__all__ = ["Session", "step_together"]


class Session:
    """One stream. ``session.step(chunk)`` goes on from where the step before ended.

    Parameters
    ----------
    network : GraphNetwork
        Causal, time-major.

    Attributes
    ----------
    states : list of arrays
        Of a batch of one.
    steps : int
        Read so far.

    Raises
    ------
    ValueError
        If the network looks ahead.
    """

    def __init__(self, network):
        if not network.causal:
            raise ValueError("this model looks ahead (causal is false), so no stream can go through it step by step; "
                             "pass whole sequences to the bundle")
        self.network = network
        self.reset()

    def reset(self):
        """Go back to the beginning."""
        self.states, self.steps = self.network.begin_state(1), 0

    def step(self, chunk):
        """Return the outputs (t, ...) of a chunk: ids (t,) or features (t, C); states move on by t steps."""
        return step_together([self], [chunk])[0]


def step_together(sessions, chunks):
    """Return the outputs of a chunk for each session, by one call of their network.

    Parameters
    ----------
    sessions : list of Session
        Of one network, each once.
    chunks : list of (t_i,) or (t_i, C) arrays
        Of any lengths above 0.

    Returns
    -------
    list of (t_i, ...) arrays; for a network with one output for a whole sequence, its output so far.

    Raises
    ------
    ValueError
        If the sessions are of several networks, one is there twice, or a chunk does not fit. No state has moved then.
    """
    networks = {id(session.network) for session in sessions}
    if len(networks) != 1 or len({id(session) for session in sessions}) != len(sessions):
        raise ValueError(f"one call takes sessions of one network, each once; got {len(sessions)} of {len(networks)} "
                         "networks")
    if len(chunks) != len(sessions):
        raise ValueError(f"there are {len(sessions)} sessions and {len(chunks)} chunks; pass one for each")
    network, lengths = sessions[0].network, np.array([len(chunk) for chunk in chunks])
    # not the first one's: that of whole numbers would cut the fractions of the others off
    dtype = np.result_type(*{np.asarray(chunk).dtype for chunk in chunks})
    inputs = np.zeros((lengths.max(), len(chunks), *np.shape(chunks[0])[1:]), dtype=dtype)
    for row, chunk in enumerate(chunks):
        inputs[:len(chunk), row] = chunk
    outputs, states = network(inputs, network.join([session.states for session in sessions]), lengths)
    for row, session in enumerate(sessions):
        session.states, session.steps = network.rows(states, [row]), session.steps + int(lengths[row])
    if "T" not in network.graph["outputs"][0]["shape"]:
        return list(outputs)
    return [outputs[:length, row] for row, length in enumerate(lengths)]
