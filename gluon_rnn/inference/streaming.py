"""Outputs of a causal model for an input that arrives in pieces: states are carried from one piece to the next."""
import mxnet as mx

__all__ = ["outputs", "require_causal"]


def require_causal(model, advice):
    """Raise ValueError, with `advice`, for a model whose output at a step depends on later steps."""
    if not model.causal:
        raise ValueError(f"{type(model).__name__} answers after the whole sequence, so it cannot answer step by step; "
                         f"{advice}")


def outputs(model, pieces):
    """Yield the outputs of a causal model for each piece of one sequence.

    Parameters
    ----------
    model : SequenceBlock
    pieces : iterable of tuples of NDArray
        The inputs of each call, (t, 1) or (t, 1, C), and the further sequences that the model takes.

    Yields
    ------
    NDArray
        Outputs of a piece. All of them concatenated equal the outputs of one call with the whole sequence.
    """
    device = model.collect_params().list_ctx()[0]
    states = model.begin_state(1, ctx=device)
    for piece in pieces:
        inputs, *signals = (array.as_in_context(device) for array in piece)
        lengths = [mx.nd.array([inputs.shape[0]], ctx=device)] if signals else []
        results, states = model(inputs, states, *lengths, *signals)
        yield results
