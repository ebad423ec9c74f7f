"""Outputs of a causal network for an input that arrives in pieces: states are carried from one piece to the next."""

__all__ = ["outputs", "require_causal", "require_one"]


def require_causal(network, advice):
    """Raise ValueError, with `advice`, for a network whose output at a step depends on later steps."""
    if not network.causal:
        raise ValueError(f"{network.name} answers after the whole sequence, so it cannot answer step by step; {advice}")


def require_one(networks):
    """Return the only one of `networks`; ValueError for an ensemble."""
    if len(networks) > 1:
        raise ValueError(f"one run streams, got an ensemble of {len(networks)}; load one of them alone")
    return networks[0]


def outputs(network, pieces):
    """Yield the outputs of a causal network for each piece of one sequence.

    Parameters
    ----------
    network : gluon_rnn.answers.network.Network
    pieces : iterable of tuples of NumPy arrays
        The inputs of each call, (t, 1) or (t, 1, C), and the further sequences that the network takes.

    Yields
    ------
    NumPy array, or tuple of them
        Outputs of a piece. All of them concatenated equal the outputs of one call with the whole sequence.
    """
    network = network.stepping(1)
    states = network.begin_state(1)
    for inputs, *signals in pieces:
        results, states = network(inputs, states, None, *signals)
        yield results
