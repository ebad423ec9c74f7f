"""The loss graph of a language model."""
from mxnet import gluon

from gluon_rnn.training.algorithms import EmbeddedTransition, transition_of

__all__ = ["LanguageModelLoss"]


class LanguageModelLoss(gluon.HybridBlock):
    """A language model and its loss in one graph.

    Parameters
    ----------
    model : LanguageModel
    exact : bool, default False
        The model's cross-entropy, as an evaluation wants it, where its output layer trains on samples.
    ends : bool, default False
        Targets may have fewer steps than tokens: those behind the last of them, as truncated windows have.

    Inputs/Outputs
    --------------
    tokens, target (T, N), what the output layer's `arrays` gave for the target, and states -> summed loss in nats,
    shape (1,), and new states. Around an encoder without states: no states in, and the loss alone.
    """

    def __init__(self, model, exact=False, ends=False, **kwargs):
        super().__init__(**kwargs)
        self.model, self._options = model, {"exact": exact, "ends": ends}
        self._carries_states = bool(model.state_info())

    def hybrid_forward(self, F, tokens, target, *others):
        if not self._carries_states:
            return self.model.loss(tokens, target, [], *others, **self._options)[0]
        *arrays, states = others
        return self.model.loss(tokens, target, states, *arrays, **self._options)

    # ---- for learning algorithms that do not go back through this graph -------------------------------------------

    def states_after(self, tokens, states):
        """Return the states behind tokens (T, N), as `gluon_rnn.training.algorithms.windows.WindowStep` asks."""
        return self.model.states_after(tokens, states)

    def transition(self):
        """Return a step of embedding and encoder, for RTRL and UORO; ValueError where there are no derivatives of it.

        A dropout in them would make another network of every step.
        """
        model = self.model
        model.check_same_at_every_step()
        return EmbeddedTransition(transition_of(model.encoder), model.embedding_weight)

    def output_loss(self, outputs, target, *arrays):
        """Return the summed loss (1,) of the encoder's outputs (1, N, H) at a step with targets (1, N)."""
        return self.model.output_loss(outputs, target, *arrays)
