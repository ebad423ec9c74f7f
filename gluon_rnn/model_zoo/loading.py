"""Getting models of the zoo by name, as a block, and listing them."""
import pandas as pd

from gluon_rnn.model_zoo import entries

__all__ = ["get_model", "list_models"]


def get_model(name, pretrained=False, ctx=None, root=None):
    """Return a model of the zoo as a Gluon block.

    Parameters
    ----------
    name : str
        One of `list_models`.
    pretrained : bool, default False
        Whether its parameters are loaded. Otherwise the block is new and not initialised: the same sizes, to be trained
        anew.
    ctx : mxnet.Context or list of them, optional
        Where the loaded parameters go; the CPU by default.
    root : str or Path, optional
        Where weights go that are not in the package but under ``GLUON_RNN_REPO``; default ``models`` in the cache
        folder.

    Returns
    -------
    HybridBlock
        Not hybridized. What its inputs are, and what turns text or sound into them, is in the class of its task:
        ``gluon_rnn.load(name)`` returns a predictor that takes and gives units and words of the data.

    Raises
    ------
    ValueError
        If there is no such model, it names the nearest three; if a file is not the one of the card.
    """
    entry = entries.get(name, root)
    predictor = entry.predictor_class
    assets = predictor.assets_class.from_texts(entry.read)
    model = predictor.build_model(predictor.plan_model(entry.config.model), assets)
    if pretrained:
        entry.load_parameters(model, ctx)
    return model


def list_models(pattern="*", pretrained=False, detail=False):
    """Return the names of the zoo's models.

    Parameters
    ----------
    pattern : str, default "*"
        A shell pattern, such as ``"*lstm*"``.
    pretrained : bool, default False
        Whether to leave out models whose weights are neither here nor, with ``GLUON_RNN_REPO`` set, elsewhere.
    detail : bool, default False
        Whether to return what the cards say, a `pandas.DataFrame` with a row for each name.

    Returns
    -------
    list of str, or pandas.DataFrame
    """
    found = [entry for entry in map(entries.get, entries.names(pattern)) if not pretrained or entry.has_weights]
    if not detail:
        return [entry.name for entry in found]
    rows = [_row(entry.card) for entry in found]
    return pd.DataFrame(rows, index=pd.Index([entry.name for entry in found], name="name"), columns=list(_COLUMNS))


#: column of `list_models(detail=True)` -> what a card has for it
_COLUMNS = {
    "summary": lambda card: card.about.summary, "task": lambda card: card.task,
    "family": lambda card: ", ".join(card.family), "data": lambda card: card.data.name,
    "licence": lambda card: card.data.licence, "metric": lambda card: card.figure.metric,
    "better": lambda card: card.about.better, "value": lambda card: card.figure.value,
    "mean": lambda card: card.figure.mean, "sd": lambda card: card.figure.sd,
    "seeds": lambda card: len(card.figure.seeds), "parameters": lambda card: card.parameters,
    "dtype": lambda card: card.storage.dtype, "bytes": lambda card: card.bytes,
    "recipe": lambda card: card.about.recipe,
}


def _row(card):
    return {column: value(card) for column, value in _COLUMNS.items()}
