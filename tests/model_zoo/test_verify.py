"""`verify.py` computes a figure anew, and says reproduced, differs, or that the data are not here."""
import re
import shutil

import mxnet as mx
import pytest

from gluon_rnn.model_zoo import verify as verification
from gluon_rnn.model_zoo.cards import read_card, write_card
from gluon_rnn.model_zoo.entries import CARD
from gluon_rnn.fetch import sha256_of
from gluon_rnn.model_zoo.verify import verify, verify_all
from tests.model_zoo.conftest import NAME


def with_new_sums(entry):
    """Write the card of a model whose files were changed on purpose."""
    card = read_card(entry.folder / CARD)
    for name, file in card.files.items():
        file.sha256, file.bytes = sha256_of(entry.folder / name), (entry.folder / name).stat().st_size
    write_card(entry.folder / CARD, card)


@pytest.mark.parametrize("quick", [False, True])
def test_reproduced(entry, quick):
    verdict = verify(NAME, quick)
    assert verdict.status == "reproduced" and ("first 2 batches" in verdict.text) == quick
    assert f"{entry.card.figure.value:.6g}" in verdict.text


def test_other_weights_differ(entry):
    path = str(entry.folder / "weights.params")
    arrays = mx.nd.load(path)
    mx.nd.save(path, {name: array * 1.5 for name, array in arrays.items()})
    with_new_sums(entry)
    assert verify(NAME).status == "differs"


def test_other_data_differ(entry):
    path = entry.folder / "recipe.yaml"
    path.write_text(re.sub(r"^( *)train: 1$", r"\1train: 2", path.read_text(), flags=re.MULTILINE))
    with_new_sums(entry)
    verdict = verify(NAME)
    assert verdict.status == "differs" and "the data have changed, or are others" in verdict.text


def test_a_damaged_model_does_not_keep_the_others_from_being_evaluated(entry, zoo):
    copy = zoo / "gru_damaged"
    shutil.copytree(entry.folder, copy)
    (copy / "weights.params").write_bytes(b"?")
    verdicts = list(verify_all(["gru_damaged", NAME], quick=True))
    assert [verdict.status for verdict in verdicts] == ["not evaluated", "reproduced"]
    assert "has the SHA-256" in verdicts[0].text


def test_missing_data_are_named_with_the_command(entry, monkeypatch, tmp_path):
    path = entry.folder / "recipe.yaml"
    files = "name: time_series\n  path: ${data_root}/names/Arabic.txt\n"
    path.write_text(path.read_text().replace("name: narma\n", files))
    with_new_sums(entry)
    monkeypatch.setenv("GLUON_RNN_DATA", str(tmp_path))
    monkeypatch.setattr(verification.recipes, "build_task", lambda *given: pytest.fail("data were read"))
    assert str(verify(NAME)) == (f"{NAME}: data not here: {tmp_path} lacks names/Arabic.txt; fetch it with: gluon-rnn "
                                 "data fetch names")
