"""Vectors of trained models as tables: which table of which model, without special tokens, beside each other."""
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.answers.vector_table import VectorTable
from gluon_rnn.data.word2vec_text import write_vectors
from gluon_rnn.vectors import compare, vectors_of


def test_a_language_model_whose_output_layer_keeps_clusters():
    table, model = vectors_of("lstm_200_wikitext2"), gluon_rnn.load("lstm_200_wikitext2")
    whole, vocab = model.model.embedding().asnumpy(), model.assets.vocab
    assert len(table) == len(vocab) - 2 and table.size == 200 and "<unk>" not in table and "<eos>" not in table
    for word in ("the", table.words[20000]):
        np.testing.assert_array_equal(table.vectors[table.place(word)], whole[vocab[word]])


@pytest.mark.parametrize("name, table, parameter, word", [
    ("bilstm_char_crf_ewt_upos", None, "word_embedding.weight", "house"),
    ("bilstm_char_crf_ewt_upos", "word_embedding.weight", "word_embedding.weight", "house"),
    ("lstm_512x2_shakespeare", None, "embedding_weight", "e")])
def test_other_models_of_texts(name, table, parameter, word):
    found, model = vectors_of(name, table), gluon_rnn.load(name)
    (_, tokens), = model.named_axes(model.assets, model.model)[parameter]
    np.testing.assert_array_equal(found.vectors[found.place(word)],
                                  model.arrays()[parameter][tokens.index(word)].asnumpy())
    assert " " not in found and "\n" not in found


def test_what_has_no_vectors_of_words():
    with pytest.raises(ValueError, match="narx_gas_furnace: a model of the task 'forecasting' .* has no embedding"):
        vectors_of("narx_gas_furnace")
    with pytest.raises(ValueError, match="there is no table 'embeding_weight'; did you mean 'embedding_weight'"):
        vectors_of("lstm_512x2_shakespeare", "embeding_weight")
    with pytest.raises(ValueError, match="no model of the zoo has this name"):
        vectors_of("lstm_200_wikitext3")


def test_tables_are_compared_on_the_words_that_all_have(tmp_path):
    angles = {"a": 0.0, "b": 0.3, "c": 0.7, "d": 0.5}
    one = VectorTable(list(angles), [[np.cos(angle), np.sin(angle)] for angle in angles.values()])
    write_vectors(tmp_path / "other.txt", VectorTable(["d", "c", "b", "a"], np.eye(4)[:, :3] + 0.1))
    other = vectors_of(tmp_path / "other.txt").chosen(["d", "c", "a"])
    pairs = [("a", "c", 1.0), ("a", "d", 3.0), ("c", "d", 2.0), ("a", "b", 9.0)]
    lines = compare({"one": one, "other": other}, ["a"], pairs, 1)
    assert lines[:2] == ["one    3 words, 2 numbers each", "other  3 words, 3 numbers each"]
    assert lines[2:4] == ["a:", f"  one    d {np.cos(0.5):.2f}"] and "b" not in lines[4].split()
    # by angle: a c 0.7, a d 0.5, c d 0.2; ranks of the cosines 1, 2, 3 and of the judgements 1, 3, 2
    assert lines[5] == "one    Spearman correlation 0.500 on 3 of 4 pairs"
    with pytest.raises(ValueError, match="'b' is not among the 3 words"):
        compare({"one": one, "other": other}, ["b"])
    with pytest.raises(ValueError, match="there are no vectors of words|none of 0 words"):
        compare({"one": one, "other": VectorTable(["z"], [[1.0, 0]])})
