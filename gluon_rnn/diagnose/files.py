"""Pictures, tables and pages of what instruments found."""
from gluon_rnn import diagnostics
from gluon_rnn.diagnostics.coloured_text import ColouredText, coloured_figure, coloured_page
from gluon_rnn.diagnostics.saliency_plots import channel_figure, lag_figure
from gluon_rnn.diagnostics.state_plots import dendrogram_figure, embedding_figure, state_figure
from gluon_rnn.diagnostics.unit_activations import line_ends
from gluon_rnn.files import write_text

__all__ = ["write"]

_FIGURES = {"gradient": diagnostics.gradient_figure, "jacobian": diagnostics.jacobian_figure,
            "gates": diagnostics.gate_figure, "truncation": diagnostics.truncation_figure}
#: answers of a picture: texts, and sequences of numbers; the page and the table have all
_TEXTS, _SERIES = 6, 4
#: mean length of lines of characters that stand in two columns
_SHORT = 60


def write(name, part, folder):
    """Write the files of what the instrument `name` found into a folder: ``NAME.csv``, ``NAME.png`` and others."""
    _table(part.table(), folder / f"{name}.csv")
    more = {"states": _states, "embeddings": _embeddings, "units": _units, "saliency": _saliency}
    if name in more:
        more[name](part, folder)
    else:
        _FIGURES[name](part, folder / f"{name}.png")


def _table(table, path):
    table.to_csv(path, index=False)


def _states(part, folder):
    state_figure(part, folder / "states.png")
    dendrogram_figure(part, folder / "states_dendrogram.png")
    _table(part.linkage_table(), folder / "states_linkage.csv")


def _embeddings(part, folder):
    embedding_figure(part, folder / "embeddings.png")
    _table(part.neighbour_table(), folder / "embeddings_neighbours.csv")


def _units(part, folder):
    texts = [ColouredText(f"{unit}: {unit.why}", part.sequences, part.activation(unit), part.joiner)
             for unit in part.chosen]
    characters = sum(map(len, part.tokens)) / line_ends(part.sequences).sum()
    short = characters < _SHORT and not part.joiner
    coloured_figure(texts, folder / "units.png", columns=2 if short else 1, width=120 if short else 100,
                    most=20 if short else 10)
    write_text(folder / "units.html", coloured_page(
        texts, "Units over a text", "The activation of a unit at each token: red above 0, blue below, white or black "
        "at 0, in units of its own largest values. Point at a token for its number."))


def _saliency(part, folder):
    asked, picture = part.question, folder / "saliency.png"
    if part.by_lag:
        lag_figure(part.found, asked.channels, asked.meaning, picture)
    elif asked.tokens is None:
        channel_figure(part.found, asked.titles[:_SERIES], asked.lengths, asked.channels, picture)
    else:
        ways = {"integrated gradients": part.found.integrated, "gradient x input": part.found.gradient_input}
        texts = [ColouredText(f"{title}; {way}", [tokens], values[:len(tokens), row].sum(axis=1), asked.joiner)
                 for row, (title, tokens) in enumerate(zip(asked.titles, asked.tokens))
                 for way, values in ways.items()]
        coloured_figure(texts[:2 * _TEXTS], picture, columns=2, width=130)
        write_text(folder / "saliency.html", coloured_page(
            texts, "What answers rest on", f"Of each token its share of the {asked.meaning}: red speaks for the "
            "answer, blue against it. Point at a token for its number."))
