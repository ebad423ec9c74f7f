"""Tables of labelled texts: quotes that enclose and quotes that do not, a blank as delimiter."""
import csv

import pytest

from gluon_rnn.data import LabelledText
from gluon_rnn.data.text_table import TextTable

TEXTS = ['she said "no"', "a, b", "two\nlines", "plain", '"all" of it', 'a ""b', "tab\there"]


@pytest.fixture
def read(tmp_path):
    def read(text, columns=("text", "label"), delimiter="\t", header=False, quoting="auto"):
        (tmp_path / "a.tsv").write_text(text, encoding="utf-8", newline="")
        return TextTable(columns, delimiter, header, "utf-8", quoting).read(str(tmp_path / "a.tsv"))
    return read


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
@pytest.mark.parametrize("style", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("quoting", ["auto", "csv"])
def test_what_the_csv_module_writes_comes_back(read, tmp_path, delimiter, style, quoting):
    with open(tmp_path / "b.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=style)
        writer.writerow(["text", "label"])
        writer.writerows([text, str(number % 2)] for number, text in enumerate(TEXTS))
    found = read((tmp_path / "b.csv").read_text(encoding="utf-8"), delimiter=delimiter, header=True, quoting=quoting)
    assert found == (TEXTS, [str(number % 2) for number in range(len(TEXTS))])


@pytest.mark.parametrize("text, texts", [
    ('"great" he said\t1\nfine\t0\n', ['"great" he said', "fine"]), ('"good"\t1\nfine\t0\n', ['"good"', "fine"]),
    ('5" disk\t1\n"\t0\n', ['5" disk', '"']), ('a ""b"" c\t1\n', ['a ""b"" c']),
    ('"good"\t1\n"fine"\t0\n', ["good", "fine"]), ('"a ""b"" c"\t1\nd\t0\n', ['a "b" c', "d"])])
def test_quotes_enclose_where_that_is_certain(read, text, texts):
    assert read(text)[0] == texts
    assert read(text, quoting="none")[0] == [line.split("\t")[0] for line in text.splitlines()]


@pytest.mark.parametrize("columns, line", [(("label", "text"), "pos a very good film"),
                                           (("text", "label"), "a very good film pos"),
                                           (("id", "text", "label"), "7 a very good film pos")])
def test_a_blank_separates_the_label_from_a_sentence(read, columns, line):
    assert read(f"{line}\n{line}\n", columns, " ") == (["a very good film"] * 2, ["pos"] * 2)


def test_messages_name_the_key_that_helps(read):
    with pytest.raises(ValueError, match="line 2: expected label and text separated by '\\\\t', got 'pos,a b'; .* for "
                                         "example delimiter: ','"):
        read("pos\ta\npos,a b\n", ("label", "text"))
    with pytest.raises(ValueError, match="or quoting: csv if quotes enclose fields"):
        read('"a, b",1\n"c" d,e,0\n', delimiter=",")
    with pytest.raises(ValueError, match="line 3: a field in quotes is not closed.*quoting: none"):
        read('"a, b",1\nc,0\n"d,0\n', delimiter=",", quoting="csv")
    with pytest.raises(ValueError, match="quoting must be one of auto, csv, none, got 'all'"):
        read("a\t1\n", quoting="all")


def test_a_data_set_of_an_export_with_quotes(tmp_path):
    (tmp_path / "a.csv").write_text('text,label\n"good, really",pos\n"bad ""film""",neg\n' "fine,pos\ndull,neg\n")
    data = LabelledText(train=str(tmp_path / "a.csv"), valid=str(tmp_path / "a.csv"), delimiter=",", header=True)
    assert data.items("train") == ["good, really", 'bad "film"', "fine", "dull"]
