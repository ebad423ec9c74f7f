"""Which families of networks a recipe's model belongs to: a tagger may be an LSTM, bidirectional, and have a CRF."""
from gluon_rnn.parts import NESTED
from gluon_rnn.registry import encoders

__all__ = ["ENCODERS", "FAMILIES", "families_of"]

#: registered name of an encoder -> family
ENCODERS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "peephole_lstm": "peephole LSTM",
            "layer_norm_lstm": "layer-norm LSTM", "projected_lstm": "projected LSTM", "zoneout_lstm": "zoneout LSTM",
            "zoneout_gru": "zoneout GRU", "reset_before_gru": "reset-before GRU", "jordan": "Jordan", "tdnn": "TDNN",
            "qrnn": "QRNN", "sru": "SRU", "min_gru": "minGRU", "min_lstm": "minLSTM", "lru": "LRU",
            "skip": "skip connections"}
_MODELS = {"ar": "AR", "narx": "NARX", "ctc": "CTC"}
#: all families, in the order in which a card names them
FAMILIES = (*ENCODERS.values(), *_MODELS.values(), "bidirectional", "attention", "CRF")


def families_of(config):
    """Return the families of a recipe's model, a list in the order of `FAMILIES`.

    Parameters
    ----------
    config : gluon_rnn.config.Config
        Checked, so that its model has a name.
    """
    model = config.model.arguments
    parts = [model[key] for key, registry in NESTED.items() if model.get(key) and registry is encoders]
    found = {_MODELS.get(config.model.name)}
    for part in parts:
        found |= _of_encoder(part)
    if config.model.name == "tagger" and any(_reads_both_ways_by_default(part) for part in parts):
        found.add("bidirectional")
    if config.model.name == "seq2seq" and model.get("attention", "luong") not in (None, "none"):
        found.add("attention")
    if model.get("crf"):
        found.add("CRF")
    return [family for family in FAMILIES if family in found]


def _reads_both_ways_by_default(part):
    return "bidirectional" not in part and "bidirectional" in encoders.parameters(part["name"])


def _of_encoder(part):
    """Return the families of an encoder's section; "bidirectional" has cells of another one."""
    if part["name"] == "bidirectional":
        cell = part.get("cell", encoders.parameters("bidirectional")["cell"].default)
        return {ENCODERS[cell], "bidirectional"}
    return {ENCODERS[part["name"]], *(["bidirectional"] if part.get("bidirectional") else [])}
