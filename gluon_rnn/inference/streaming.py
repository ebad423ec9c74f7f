"""Answers of a causal model while its input is still being made: states are carried from one piece to the next."""
import mxnet as mx

__all__ = ["outputs", "require_causal"]


def require_causal(model, advice):
    """Raise ValueError, with `advice`, for a model whose answer at a step depends on later steps."""
    if not model.causal:
        raise ValueError(f"{type(model).__name__} answers when it has seen the whole sequence, so it cannot answer "
                         f"step by step; {advice}")


def outputs(model, pieces):
    """Yield what a causal model says after each piece of one sequence.

    Parameters
    ----------
    model : SequenceBlock
    pieces : iterable of tuples of NDArray
        The inputs of each call, (t, 1) or (t, 1, C), and what else the model takes behind its states and lengths.

    Yields
    ------
    NDArray
        Of the model's outputs; with those before them, the same numbers as for the whole sequence in one call.
    """
    device = model.collect_params().list_ctx()[0]
    states = model.begin_state(1, ctx=device)
    for piece in pieces:
        inputs, *signals = (array.as_in_context(device) for array in piece)
        lengths = [mx.nd.array([inputs.shape[0]], ctx=device)] if signals else []
        results, states = model(inputs, states, *lengths, *signals)
        yield results
