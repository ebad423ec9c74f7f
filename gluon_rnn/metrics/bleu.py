"""BLEU by sacrebleu.

References
----------
Papineni, Roukos, Ward, Zhu (2002), BLEU: a method for automatic evaluation of machine translation.
Post (2018), A call for clarity in reporting BLEU scores: sacrebleu.
"""
__all__ = ["bleu"]


def bleu(translations, references):
    """Return the BLEU of a corpus, 0 to 100, by sacrebleu with its own settings (tokenizer 13a, with capitals).

    Parameters
    ----------
    translations : list of str
    references : list of list of str
        All right translations of each sentence, one or more.

    Raises
    ------
    ValueError
        If sacrebleu is not installed.
    """
    try:
        import sacrebleu
    except ImportError as error:
        raise ValueError("BLEU needs sacrebleu; install the extra of this package: "
                         "pip install gluon_rnn[data]") from error
    most = max(map(len, references))
    streams = [[row[index] if index < len(row) else None for row in references] for index in range(most)]
    return sacrebleu.BLEU().corpus_score(list(translations), streams).score
