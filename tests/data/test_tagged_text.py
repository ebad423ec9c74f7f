"""CoNLL-U: the awkward cases of the format, vocabularies, spelling, and each thing that can be wrong.

Tests `gluon_rnn/answers/tags.py` too.
"""
import gzip

import pytest

from gluon_rnn.data import Conllu, read_conllu

pytest.importorskip("conllu", reason="the library conllu is in the extra: pip install gluon_rnn[data]")

REST = "_\t_\t_\t_\t_"
TEXT = f"""# sent_id = 1
# text = I can't go
1\tI\ti\tPRON\tPRP\t{REST}
2-3\tcan't\t_\t_\t_\t{REST}
2\tca\tcan\tAUX\tMD\t{REST}
3\tn't\tnot\tPART\tRB\t{REST}
3.1\tever\tever\tADV\tRB\t{REST}
4\tgo\tgo\tVERB\tVB\t{REST}

# text = New York #1
1\tNew York\tNew York\tPROPN\tNNP\t{REST}
2\t#\t#\tSYM\t$\t{REST}
3\t1\t1\tNUM\tCD\t{REST}
"""
WORDS = [("I", "ca", "n't", "go"), ("New York", "#", "1")]


@pytest.fixture
def write(tmp_path):
    def write(text, name="text.conllu"):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(tmp_path / name)
    return write


@pytest.mark.parametrize("text, name", [
    (TEXT, "text.conllu"), (TEXT, "text.conllu.gz"), ("\ufeff" + TEXT, "text.conllu"),
    (TEXT.replace("\n", "\r\n"), "text.conllu"), (TEXT.replace("\n\n", "\n\n \n\n") + "\n\n", "text.conllu"),
    (TEXT.rstrip("\n"), "text.conllu"), ("\n\n" + TEXT, "text.conllu"),
], ids=["plain", "gzip", "byte order mark", "CRLF", "empty lines", "no last newline", "empty lines first"])
def test_words_are_lines_with_plain_numbers(write, text, name):
    sentences = read_conllu(write(text, name))
    assert [sentence.words for sentence in sentences] == WORDS
    assert [sentence.tags for sentence in sentences] == [("PRON", "AUX", "PART", "VERB"), ("PROPN", "SYM", "NUM")]


def test_the_other_column_and_another_encoding(write):
    assert read_conllu(write(TEXT), "xpos")[0].tags == ("PRP", "MD", "RB", "VB")
    latin = write(TEXT.replace("\tgo\t", "\tgé\t").encode("latin-1"))
    assert read_conllu(latin, encoding="latin-1")[0].words[3] == "gé"
    with pytest.raises(ValueError, match="text.conllu: byte .* is not utf-8; set encoding"):
        read_conllu(latin)


@pytest.mark.parametrize("wrong, message", [
    ("4 go", "text.conllu: line 8: expected 10 columns with tabs between them, got 1"),
    (f"4\tgo\tgo\tVERB\tVB\t{REST}\t_", "line 8: expected 10 columns .* got 11"),
    (f"four\tgo\tgo\tVERB\tVB\t{REST}", "line 8: Failed parsing field 'id'"),
    (f"4\tgo\tgo\t_\tVB\t{REST}", "line 8: the word 'go' has no upos; choose the other column"),
    (f"4\tgo  on\tgo\tVERB\tVB\t{REST}", "line 8: the word 'go  on' has two spaces in a row"),
])
def test_a_bad_line_is_named(write, wrong, message):
    right = f"4\tgo\tgo\tVERB\tVB\t{REST}"
    with pytest.raises(ValueError, match=message):
        read_conllu(write(TEXT.replace(right, wrong)))


def test_files_without_sentences_and_wrong_columns(write):
    with pytest.raises(ValueError, match="no sentence in this file"):
        read_conllu(write("# text = nothing\n\n"))
    with pytest.raises(ValueError, match="column must be 'upos' or 'xpos', got 'tag'"):
        read_conllu(write(TEXT), "tag")


def lines(*sentences):
    """Return CoNLL-U of sentences in the notation ``"word/TAG word/TAG"``."""
    return "\n".join("".join(f"{number}\t{word}\t_\t{tag}\t_\t{REST}\n" for number, (word, tag) in
                             enumerate((item.rsplit("/", 1) for item in sentence.split()), start=1))
                     for sentence in sentences)


def test_vocabularies_are_of_the_training_split(write):
    data = Conllu(write(lines("The/DET the/DET cat/NOUN"), "a"), write(lines("The/DET dog/NOUN ran/VERB"), "b"),
                  min_freq=2, lowercase=True)
    encoder = data.encoder
    assert data.splits == ("train", "valid") and encoder.tags == ["DET", "NOUN", "VERB"]
    assert encoder.words.idx_to_token == ["<unk>", "the"]                 # "cat" is rare
    assert encoder.word_ids(["THE", "cat", "dog"]).tolist() == [1, 0, 0]
    assert set(encoder.chars.idx_to_token) == {"<unk>", *"Thecat"}        # characters keep their case
    assert encoder.spell("hd").tolist() == [encoder.chars["h"], 0]
    assert encoder.tag_ids(["VERB", "DET"]).tolist() == [2, 0]
    cased = Conllu(write(lines("The/DET the/DET"), "a"), write(lines("a/X"), "b")).encoder
    assert len(set(cased.word_ids(["The", "the", "THE"]).tolist())) == 3


def test_long_words_keep_their_ends(write):
    path = write(lines("abcdefghijkl/X abcde/X"), "a")
    encoder = Conllu(path, path, max_word_length=5).encoder
    assert "".join(encoder.chars.idx_to_token[index] for index in encoder.spell("abcdefghijkl")) == "abckl"
    assert len(encoder.spell("abcde")) == 5 and encoder.spell("abcde") is encoder.spell("abcde")


@pytest.mark.parametrize("longest, kept", [(1, "a"), (2, "al"), (3, "abl"), (11, "abcdefhijkl")])
def test_a_long_word_is_cut_to_the_length_asked_for(write, longest, kept):
    path = write(lines("abcdefghijkl/X"), "a")
    encoder = Conllu(path, path, max_word_length=longest).encoder
    assert "".join(encoder.chars.idx_to_token[index] for index in encoder.spell("abcdefghijkl")) == kept


def test_duplicates_are_counted_and_dropped(write):
    paths = [write(lines(*sentences), name) for name, sentences in (
        ("a", ["a/X b/X", "c/X", "d/X", "d/Y"]), ("b", ["c/X", "e/X"]), ("c", ["d/X", "a/X", "d/X"]))]
    data = Conllu(*paths)
    assert data.duplicates == {"valid": 1, "test": 2} and len(data.sequences("train")) == 4
    data = Conllu(*paths, drop_duplicates=True)
    assert data.duplicates == {"valid": 1, "test": 2}                     # as they are in the files
    assert [sentence.words for sentence in data.sequences("train")] == [("a", "b")]
    with pytest.raises(ValueError, match="no split 'dev' in this data set"):
        data.sequences("dev")


@pytest.mark.real_data
def test_english_web_treebank(data_root):
    sentences = read_conllu(data_root / "ud_english_ewt" / "en_ewt-ud-dev.conllu.gz")
    assert len(sentences) == 2001 and sum(len(sentence.words) for sentence in sentences) == 25147
    assert len({tag for sentence in sentences for tag in sentence.tags}) == 17


def test_a_treebank_whose_texts_are_withheld_is_refused(tmp_path):
    rows = "".join(f"{number}\t_\t_\tNOUN\tNN" + 5 * "\t_" + "\n" for number in (1, 2))
    sign = "1\t_\t_\tSYM\tX" + 5 * "\t_"                                # alone it may be one
    (tmp_path / "a.conllu").write_text(f"{sign}\n\n{rows}\n")
    with pytest.raises(ValueError, match="line 4: all words of the sentence are '_', as in a treebank whose texts are"):
        read_conllu(str(tmp_path / "a.conllu"))
