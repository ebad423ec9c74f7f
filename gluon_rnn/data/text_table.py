"""Lines of a table with a text and a label: columns, delimiters, fields in quotes."""
import csv
import io

from gluon_rnn.answers.checks import quotes_hint
from gluon_rnn.data.readers import read_text

__all__ = ["QUOTING", "TextTable"]

QUOTING = ("auto", "csv", "none")


class TextTable:
    """How the lines of a table are read.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns in their order, among them "text" and "label".
    delimiter : str
        Where it is blank (" "), the text may have it too: a line is split so often as there are columns to the left and
        to the right of the text.
    header : bool
        Whether the first line names the columns.
    encoding : str
    quoting : {"auto", "csv", "none"}
        Whether ``"`` around a field belong to it ("none"), or enclose one that may have delimiters, line ends and
        ``""`` for a quote ("csv"). "auto" is "csv" where the file is certain to be so: all fields that begin with a
        quote are whole ones, and one of them has a delimiter, a line end or ``""``, or every text is in quotes.
    """

    def __init__(self, columns, delimiter, header, encoding, quoting="auto"):
        columns = list(columns)
        if not all(isinstance(name, str) for name in columns):
            raise ValueError(f"columns must be texts, got {columns}{quotes_hint(columns)}")
        if sorted(set(columns) & {"text", "label"}) != ["label", "text"] or len(set(columns)) < len(columns):
            raise ValueError(f"columns must name each column once, 'text' and 'label' among them, got {columns}")
        if quoting not in QUOTING:
            raise ValueError(f"quoting must be one of {', '.join(QUOTING)}, got {quoting!r}")
        if quoting == "csv" and len(delimiter) != 1:
            raise ValueError(f"quoting: csv needs a delimiter of one character, got {delimiter!r}")
        self._columns, self._delimiter, self._header, self._encoding = columns, delimiter, header, encoding
        self._quoting = quoting
        self._text, self._label = columns.index("text"), columns.index("label")

    def read(self, path):
        """Return the texts and the labels of the table at `path`, two lists of str; ValueError names file and line."""
        content = read_text(path, self._encoding)
        quoted = self._quoting == "csv" or (self._quoting == "auto" and self._is_quoted(content))
        texts, labels = [], []
        for number, fields, line in self._quoted_rows(path, content) if quoted else self._plain_rows(content):
            if self._header and number == 1:
                continue
            fields = [field.strip() for field in fields]
            if len(fields) != len(self._columns) or not (fields[self._text] and fields[self._label]):
                raise ValueError(f"{path}: line {number}: expected {' and '.join(self._columns)} separated by "
                                 f"{self._delimiter!r}, got {_shorten(line)!r}; mend the line, or set columns and "
                                 f"delimiter to what the file has{self._advice(line)}")
            texts.append(fields[self._text])
            labels.append(fields[self._label])
        return texts, labels

    def _plain_rows(self, content):
        for number, line in enumerate(content.split("\n"), start=1):
            if line.strip():
                yield number, self._fields(line), line

    def _fields(self, line):
        """Return the fields of a line without quotes."""
        if not self._delimiter.isspace() or self._delimiter == "\t":
            return line.split(self._delimiter)
        behind = len(self._columns) - 1 - self._text
        fields = line.strip().split(self._delimiter, self._text)
        return [*fields[:-1], *fields[-1].rsplit(self._delimiter, behind)] if behind else fields

    def _quoted_rows(self, path, content):
        reader = csv.reader(io.StringIO(content, newline=""), delimiter=self._delimiter, strict=True)
        before, lines = csv.field_size_limit(len(content) + 1), content.split("\n")
        begin = 1
        try:
            for fields in reader:
                if any(field.strip() for field in fields):
                    yield begin, fields, lines[begin - 1]
                begin = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(f"{path}: line {begin}: a field in quotes is not closed as it should be ({error}); mend "
                             "it, or set quoting: none") from None
        finally:
            csv.field_size_limit(before)

    def _is_quoted(self, content):
        if '"' not in content or len(self._delimiter) != 1:
            return False
        rows, certain = [], False
        try:
            for _, fields, line in self._quoted_rows("", content):
                rows.append(fields)
                # what only quotes can put into a field: the signs that end one, or a quote that was written twice
                certain = certain or any(sign in field for field in fields for sign in (self._delimiter, "\n")) or any(
                    field.startswith('"') and '""' in field.strip()[1:-1] for field in line.split(self._delimiter))
        except ValueError:                                                # a quote that is no pair: no such file
            return False
        if any(len(fields) != len(self._columns) for fields in rows):
            return False
        texts = [line.split(self._delimiter) for line in content.split("\n") if line.strip()]
        places = [fields[self._text].strip() for fields in texts if len(fields) == len(self._columns)]
        in_quotes = bool(places) and all(len(text) > 1 and text[0] == text[-1] == '"' for text in places[self._header:])
        return certain or in_quotes

    def _advice(self, line):
        """Return which key may read a line with too many or too few fields."""
        if '"' in line and self._quoting != "csv":
            return ", or quoting: csv if quotes enclose fields"
        near = [repr(sign) for sign in ("\t", ",", ";", "|", " ") if sign in line and sign != self._delimiter]
        return f", for example delimiter: {near[0]}" if near and self._delimiter not in line else ""


def _shorten(line, limit=60):
    return line if len(line) <= limit else line[:limit] + "..."
