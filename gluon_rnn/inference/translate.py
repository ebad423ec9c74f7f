"""Translation of sentences by trained models; see `gluon_rnn.answers.translation`."""
from gluon_rnn.answers import translation
from gluon_rnn.answers.attention_picture import attention_picture, draw_attention
from gluon_rnn.answers.translation import Ensemble, Translation
from gluon_rnn.inference.live import translation_networks

__all__ = ["Translation", "Translator", "attention_picture", "draw_attention"]


class Translator(translation.Translator):
    """A trained `Seq2Seq`, or an ensemble whose probabilities are averaged, with its vocabularies.

    Parameters
    ----------
    models : Seq2Seq or list of Seq2Seq
        Initialised; their parameters may change between calls.
    source_vocab, target_vocab : gluonnlp.Vocab
    tokenizer : SentenceTokenizer

    Notes
    -----
    A call is that of `gluon_rnn.answers.translation.Translator`.
    """

    def __init__(self, models, source_vocab, target_vocab, tokenizer):
        networks = translation_networks(models if isinstance(models, list) else [models])
        super().__init__(Ensemble.of(networks), source_vocab, target_vocab, tokenizer)
