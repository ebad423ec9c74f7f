"""What a pipeline knows of a network."""

__all__ = ["Network"]


class Network:
    """Base class of all that computes outputs for a pipeline: a live block, or a graph of a bundle.

    A subclass writes `begin_state`, `__call__` and, for tasks that search with a beam, `rows`, for series `join`.

    Attributes
    ----------
    causal : bool
        Whether outputs at a step depend on that step and earlier ones only, so that states may be carried from call to
        call.
    name : str
        What messages call the network.
    """

    causal = True
    name = "the model"

    def begin_state(self, batch_size):
        """Return the states of `batch_size` sequences before their first step, a list."""
        raise NotImplementedError(f"{type(self).__name__} must define begin_state()")

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return outputs and new states.

        Parameters
        ----------
        inputs : (T, N) int32 or (T, N, C) float32 NumPy array
        states : list, optional
            What `begin_state` or another call gave; opaque but for `rows` and `join`. None starts from `begin_state`.
        valid_length : (N,) float32 NumPy array, optional
            Steps of each row; None means all T. What follows them changes nothing.
        signals : NumPy arrays
            Further sequences that the network takes.

        Returns
        -------
        outputs : NumPy array, or tuple of them where a graph has several
            (T, N, K), 0 past `valid_length`, or (N, K) of a network with one output for a whole sequence.
        states : list
            Of each row those after its last valid step.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__()")

    def stepping(self, batch_size):
        """Return a network for calls of few steps, each with the states of the call before; by default this one."""
        return self

    def outputs(self, inputs, valid_length=None, *signals):
        """Return the outputs of whole sequences; a network that has a cheaper way to them overrides this."""
        return self(inputs, None, valid_length, *signals)[0]

    def rows(self, states, indices):
        """Return the states of the rows `indices` (n,) of the batch, in their order; a row may be taken repeatedly."""
        raise NotImplementedError(f"{type(self).__name__} must define rows()")

    def join(self, parts):
        """Return the states of several batches, a list of such lists, as those of one batch, in their order."""
        raise NotImplementedError(f"{type(self).__name__} must define join()")
