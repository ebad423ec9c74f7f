"""What single units do over a text: which vary most, and which follow something that can be counted in the text.

References
----------
Karpathy, Johnson and Fei-Fei (2015), Visualizing and understanding recurrent networks, figure 2: a text coloured by
the activation of one cell; cells that follow the position in the line, or stay on within quotes.
"""
import dataclasses

import numpy as np
import pandas as pd

__all__ = ["Unit", "UnitActivations", "line_ends", "text_signals"]

#: tokens behind which a line of text ends
LINE_ENDS = ("\n", "<eos>", "</s>", "")
_QUOTE = '"'


@dataclasses.dataclass(frozen=True)
class Unit:
    """One unit: the name of its state, its number from 0, and why it is shown."""

    state: str
    number: int
    why: str = ""

    def __str__(self):
        return f"{self.state}, unit {self.number}"


@dataclasses.dataclass
class UnitActivations:
    """Activations of all units over a text.

    Parameters
    ----------
    sequences : list of lists of str
        Tokens of each text, M together.
    values : dict of (M, H) arrays
        By state, such as "layer 1 c", the last layer last.
    signals : dict of (M,) arrays
        What is counted in the text, by name; see `text_signals`.
    joiner : str
        What stands between two tokens of the text: "" for characters.
    chosen : list of Unit
        Those of pictures and table; `choose` fills it in.
    """

    sequences: list
    values: dict
    signals: dict
    joiner: str = " "
    chosen: list = dataclasses.field(default_factory=list)

    @property
    def tokens(self):
        """All tokens in order, a list of M str."""
        return [token for tokens in self.sequences for token in tokens]

    def activation(self, unit):
        """Return the activation of a `Unit` at each token, (M,)."""
        return self.values[unit.state][:, unit.number]

    def correlations(self, state, signal):
        """Return Pearson's correlation of each unit with a signal, (H,); 0 for a unit that never changes."""
        values = np.asarray(self.values[state], np.float64)
        values = values - values.mean(axis=0)
        signal = np.asarray(self.signals[signal], np.float64)
        signal = signal - signal.mean()
        scale = np.linalg.norm(values, axis=0) * np.linalg.norm(signal)
        return np.divide(values.T @ signal, scale, out=np.zeros(len(scale)), where=scale > 1e-12)

    def tracking(self, signal):
        """Return the `Unit` of all states whose correlation with a signal is largest in size."""
        found = {state: self.correlations(state, signal) for state in self.values}
        state = max(found, key=lambda name: np.abs(found[name]).max())
        number = int(np.abs(found[state]).argmax())
        return Unit(state, number, f"correlation {found[state][number]:.2f} with {signal}")

    def most_varying(self, state, count):
        """Return the `count` units of a state with the largest standard deviation over the text."""
        deviations = np.asarray(self.values[state], np.float64).std(axis=0)
        return [Unit(state, int(number), f"standard deviation {deviations[number]:.2f}")
                for number in np.argsort(-deviations, kind="stable")[:count]]

    def choose(self, state=None, numbers=None, varying=2):
        """Fill in `chosen`, and return self.

        Parameters
        ----------
        state : str, optional
            Default the last one.
        numbers : list of int, optional
            Units of this state. By default that which follows each signal best, of any state, and the `varying` units
            of this state that vary most.

        Raises
        ------
        ValueError
            If there is no such state or unit.
        """
        state = list(self.values)[-1] if state is None else state
        if state not in self.values:
            raise ValueError(f"the model has no state {state!r}; choose one of {', '.join(map(repr, self.values))}")
        size = self.values[state].shape[1]
        for number in numbers or ():
            if not 0 <= number < size:
                raise ValueError(f"units of {state!r} are 0 to {size - 1}, got {number}")
        found = [Unit(state, number, "chosen") for number in numbers or ()]
        if not numbers:
            found = [*map(self.tracking, self.signals), *self.most_varying(state, varying)]
        self.chosen = list({(unit.state, unit.number): unit for unit in reversed(found)}.values())[::-1]
        return self

    def table(self):
        """Return a pandas.DataFrame: token, the signals, and a column for each chosen unit, "layer 1 c, unit 3"."""
        return pd.DataFrame({"token": self.tokens, **self.signals,
                             **{str(unit): self.activation(unit) for unit in self.chosen}})

    def summary(self):
        """Return a sentence for each chosen unit."""
        return "\n".join(f"{unit}: {unit.why}" for unit in self.chosen)


def line_ends(sequences):
    """Return whether a line of text ends behind each of M tokens, (M,) bool: at the end of a text, or by the token."""
    return np.array([token in LINE_ENDS or place == len(tokens) - 1
                     for tokens in sequences for place, token in enumerate(tokens)], bool)


def text_signals(sequences, characters):
    """Return what can be counted in a text, at each of its M tokens in order.

    Parameters
    ----------
    sequences : list of lists of str
        Tokens of each text; a newline, ``<eos>`` or an empty token ends a line.
    characters : bool
        Whether tokens are characters: then there are positions in a word, and quotes.

    Returns
    -------
    dict of (M,) float64 arrays
        "position in line": tokens since it began, 0 at the first. "position in word": characters since the last
        one that is no letter, 0 there. "within quotes": 1 from an opening quote to the character before the
        closing one. Signals that never change are left out, and the position in a text of one line.
    """
    parts = [_counted(tokens, characters) for tokens in sequences]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if line_ends(sequences).sum() < 2:
        del found["position in line"]
    return {name: values for name, values in found.items() if values.min() < values.max()}


def _counted(tokens, characters):
    line, word, quotes, place, letters, within = [], [], [], 0, 0, 0
    for token in tokens:
        letters = letters + 1 if token.isalpha() else 0
        within = 1 - within if token == _QUOTE else within
        for values, value in ((line, place), (word, letters), (quotes, within)):
            values.append(float(value))
        place = 0 if token in LINE_ENDS else place + 1
    found = {"position in line": np.array(line)}
    return {**found, "position in word": np.array(word), "within quotes": np.array(quotes)} if characters else found
