"""What a run of a translation model leaves behind: scores beside those of simple methods, translations, attention."""
import numpy as np

from gluon_rnn.inference.translate import attention_picture
from gluon_rnn.metrics.baselines.translation import translation_baselines
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.task import Report

__all__ = ["report"]


def report(task, path, limit=None):
    """Translate the final split of a task by beam search; write ``translations.tsv`` and a picture of attention."""
    split, count = task.final_split, 10 * limit if limit else None
    scores = task.evaluate(split, limit)
    scores["bleu"], references, translations = task.bleu(split, count, **task.beam)
    if task.beam["mbr"]:
        scores["bleu_beam"] = task.bleu(split, count, **{**task.beam, "mbr": False})[0]
    scores["bleu_greedy"] = task.bleu(split, count, beam_size=1)[0]
    rows = [[t.source, t.text, *references[t.source]] for t in translations]
    (path / "translations.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    examples = [rows[index] for index in np.linspace(0, len(rows) - 1, min(8, len(rows))).astype(int)]
    exhibits = [Exhibit("translations.tsv", f"Translations of the {split} split",
                        header=("source", "translation", "references"))]
    if task.model.attention is not None:
        longest = sorted({row[0] for row in examples}, key=len)[-4:]
        attention_picture(task.translator(longest, **task.beam), path / "attention.png")
        exhibits.insert(0, Exhibit("attention.png", "Attention", "Where the model looks: for each sentence a field of "
                                   f"source words by written words, dark where attention is high, of {len(longest)} "
                                   "sentences."))
    text = "\n".join(f"    {source} -> {written}   ({' | '.join(wanted)})" for source, written, *wanted in examples)
    return Report(split, scores, translation_baselines(task.data, references), f"examples:\n{text}", exhibits)
