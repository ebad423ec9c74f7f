"""Pictures of what a translation model attended to."""
from gluon_rnn.answers.sentences import MARK

__all__ = ["attention_picture", "draw_attention"]


def attention_picture(translations, path=None):
    """Draw the attention weights of translations: dark is 0, bright is 1.

    Parameters
    ----------
    translations : list of Translation
        One panel each.
    path : Path, optional
        File of the PNG.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a translation has no weights.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # pyplot would set a backend for the process
    from matplotlib.figure import Figure
    if not translations or any(translation.weights is None for translation in translations):
        raise ValueError("there are no attention weights to draw; take a model with attention luong or bahdanau")
    columns = min(2, len(translations))
    rows = -(-len(translations) // columns)
    figure = Figure(figsize=(5 * columns, 4.5 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, translation in zip(figure.subplots(rows, columns, squeeze=False).ravel(), translations):
        draw_attention(axes, translation)
    for axes in figure.axes[len(translations):]:
        axes.set_visible(False)
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure


def draw_attention(axes, translation):
    """Draw the attention weights of one `Translation` into `axes` of matplotlib: source tokens across, its own down."""
    axes.imshow(translation.weights, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(translation.source_tokens)), _labels(translation.source_tokens), rotation=60)
    axes.set_yticks(range(len(translation.tokens)), _labels(translation.tokens))


def _labels(tokens):
    """Return tokens for matplotlib: without marks of joined tokens, with "$" escaped."""
    return [token.replace(MARK, "").replace("$", r"\$") for token in tokens]
