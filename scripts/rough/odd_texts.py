"""Odd texts: labelled lines, CoNLL-U, running text with long lines, NULs, byte order marks and other encodings."""
import gzip

from scripts.rough.cases import REFUSED, Case, Either

__all__ = ["KINDS"]

_WORDS = ("der", "alte", "Mann", "sieht", "na\u00efve", "\u017elut\u00fd", "k\u016f\u0148", "12", "U+2028\u2028x",
          "x\u0085y", "don't", "a-b")
_PLAIN = ("the", "old", "man", "sees", "a", "dog", "12", "don't", "a-b")
_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252")


def _written(folder, random, text, name="odd.txt", encodings=_ENCODINGS):
    """Write a text with some line ends, in some encoding, packed or not; return path, keys and what was done."""
    end, encoding = str(random.choice(["\n", "\n", "\r\n", "\r"])), str(random.choice(encodings))
    packed, last = random.integers(4) == 0, random.integers(2)
    text = text.rstrip("\n") + "\n" if last else text.rstrip("\n")
    content = text.replace("\n", end).encode(encoding)
    if encoding == "utf-16-le" and random.integers(2):
        content = "\ufeff".encode(encoding) + content
    path = folder / (name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
    keys = {} if encoding in ("utf-8", "utf-8-sig") else {"encoding": encoding}
    return path, keys, f"{encoding}, {end!r}"


def _sentence(random, words=_PLAIN, most=7):
    return " ".join(str(random.choice(words)) for _ in range(int(random.integers(1, most))))


# ---- labelled text -------------------------------------------------------------------------------------------------


def labelled(folder, random):
    """A table of labelled texts, with delimiters in quoted fields, blank lines, or a blank as delimiter."""
    count, way = int(random.integers(8, 30)), int(random.integers(4))
    rows = [(_sentence(random), ("good", "bad")[number % 2]) for number in range(count)]
    keys = {}
    if way == 0:
        lines = [f"{label} {text}" for text, label in rows]
        keys.update(columns=["label", "text"], delimiter=" ")
    elif way == 1:
        rows = [(f"{text}, he said\n\"so\"" if number % 3 == 0 else text, label)
                for number, (text, label) in enumerate(rows)]
        lines = ['"{}",{}'.format(text.replace('"', '""'), label) for text, label in rows]
        keys.update(delimiter=",", quoting=str(random.choice(["auto", "csv"])))
    elif way == 2:
        rows = [(f'"{text}' if number % 3 == 0 else text, label) for number, (text, label) in enumerate(rows)]
        lines = [f"{text}\t{label}" for text, label in rows]
    else:
        lines = ["number;text;label", *(f"{number};{text};{label}" for number, (text, label) in enumerate(rows))]
        keys.update(columns=["number", "text", "label"], delimiter=";", header=True)
    if way != 1 and random.integers(2):
        lines[3:3] = ["", "   "]
    path, more, what = _written(folder, random, "\n".join(lines))
    return Case(f"labelled text {way}, {what}", path, lambda: _labelled(path, {**keys, **more}),
                [[text for text, _ in rows], [label for _, label in rows]])


def broken_labelled(folder, random):
    """Labelled texts that cannot be a classifier's: a line without label, one class, measurements, no table."""
    rows = [[_sentence(random), ("good", "bad")[number % 2]] for number in range(30)]
    way, keys, edit = int(random.integers(9)), {}, None
    row = int(random.integers(1, 29))
    if way == 0:
        rows[row] = [rows[row][0]]
    elif way == 1:
        rows[row][1] = "  "
    elif way == 2:
        rows = [[text, "good"] for text, _ in rows]
    elif way == 3:
        rows = [[text, f"{random.normal():.4f}"] for text, _ in rows]
    elif way == 4:
        keys = {"delimiter": ",", "quoting": "csv"}
        rows[row][0] = '"never closed'
    elif way == 5:
        rows[row] = [*rows[row], "one more"]
    elif way == 6:
        rows[row] = ["word " * 120_000, "good"]
    else:
        edit = (b"", b"\x93\xff\xfe\x00 \n" * 40)[way - 7]
    path = folder / "odd.tsv"
    text = "\n".join(keys.get("delimiter", "\t").join(row) for row in rows)
    path.write_bytes(text.encode() if edit is None else edit)
    return Case(f"labelled text, fault {way}", path, lambda: _labelled(path, keys), REFUSED)


def _labelled(path, keys):
    from gluon_rnn.data.labelled_text import LabelledText
    data = LabelledText(train=str(path), valid=str(path), **keys)
    return [data.items("train"), [data.labels[number] for number in data.targets("train")]]


def class_files(folder, random):
    """A file a class, whose names differ in their endings, their beginnings, or their folders."""
    names = (("polarity.pos", "polarity.neg"), ("pos.txt", "neg.txt"), ("pos/all.txt", "neg/all.txt"),
             ("reviews.pos.txt", "reviews.neg.txt"))[int(random.integers(4))]
    lines = [[_sentence(random) for _ in range(12)] for _ in names]
    for name, texts in zip(names, lines):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("\n".join(texts) + "\n")
    pattern = folder / {"polarity.pos": "polarity.*", "pos/all.txt": "*/all.txt"}.get(names[0], "*.txt")
    expected = sorted((text, label) for texts, label in zip(lines, ("pos", "neg")) for text in texts)
    return Case(f"class files {names}", pattern, lambda: sorted(zip(*_labelled(pattern, {}))), expected)


# ---- CoNLL-U -------------------------------------------------------------------------------------------------------


def conllu(folder, random):
    """A treebank with contractions, empty nodes, comments, several blank lines, and sometimes a fault."""
    lines, expected, fault = [], [], int(random.integers(14))
    for number in range(int(random.integers(3, 9))):
        words = [str(word) for word in random.choice(_WORDS[:8], size=int(random.integers(2, 6)))]
        tags = [str(tag) for tag in random.choice(["NOUN", "VERB", "X"], size=len(words))]
        lines += [f"# sent_id = {number}", "# text = # no comment"]
        for place, (word, tag) in enumerate(zip(words, tags), start=1):
            if random.integers(5) == 0:
                lines.append("\t".join([f"{place}-{place + 1}", word * 2, *["_"] * 8]))
            lines.append("\t".join([str(place), word, "_", tag, "_", "_", "0", "root", "_", "_"]))
            if random.integers(6) == 0:
                lines.append("\t".join([f"{place}.1", "empty", "_", "NOUN", *["_"] * 6]))
        lines += [""] * int(random.integers(1, 3))
        expected.append([tuple(words), tuple(tags)])
    word = next(place for place, line in enumerate(lines) if line.startswith("1\t"))
    faults = {0: lambda line: line.replace("\t", " "), 1: lambda line: line.rpartition("\t")[0],
              2: lambda line: line.replace("NOUN", "_").replace("VERB", "_").replace("\tX\t", "\t_\t"),
              3: lambda line: "1\t\t" + line.split("\t", 2)[2], 4: lambda line: "one" + line[1:]}
    if fault in faults:
        lines[word] = faults[fault](lines[word])
    elif fault == 5:
        lines = ["\t".join([line.split("\t")[0], "_", *line.split("\t")[2:]]) if "\t" in line else line
                 for line in lines]
    path, keys, what = _written(folder, random, "\n".join(lines) + "\n", "odd.conllu", _ENCODINGS[:5])
    return Case(f"CoNLL-U, {what}, fault {fault}", path, lambda: _conllu(path, keys),
                REFUSED if fault < 6 else expected)


def _conllu(path, keys):
    from gluon_rnn.data.tagged_text import read_conllu
    return [[sentence.words, sentence.tags] for sentence in read_conllu(path, "upos", **keys)]


# ---- running text --------------------------------------------------------------------------------------------------


def running(folder, random):
    """A running text, also of one line of a megabyte, with NULs, odd line separators, and marks in its middle."""
    way, unit = int(random.integers(5)), str(random.choice(["words", "characters"]))
    lines = [_sentence(random) for _ in range(int(random.integers(10, 40)))]
    if way == 0:
        lines = [" ".join(lines * 2000)[:2**20].strip()]
    elif way == 1:
        lines[2] += " a\0b \0"
    elif way == 2:
        lines[1:1] = ["", "  ", "\t"]
    elif way == 3:
        lines[1] += " x\fy z\vw"
    path, keys, what = _written(folder, random, "\n".join(lines))
    text = "\n".join(lines)
    ended = _ends_in_newline(path, keys)
    words = [word for line in lines for word in [*line.split(), "<eos>"]]
    expected = words if unit == "words" else text.rstrip("\n") + "\n" * ended
    expected = Either(expected) if way == 1 else expected
    return Case(f"running {unit}, way {way}, {what}", path, lambda: _running(path, keys, unit), expected)


def _ends_in_newline(path, keys):
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    return content.decode(keys.get("encoding", "utf-8")).endswith(("\n", "\r"))


def _running(path, keys, unit):
    from gluon_rnn.data.text import Characters, Words
    data = (Words if unit == "words" else Characters)(train=str(path), valid=str(path), **keys)
    tokens = [data.vocab.idx_to_token[number] for number in data.ids("train")]
    return tokens if unit == "words" else "".join(tokens)


def broken_text(folder, random):
    """A text that is empty, in another encoding, packed badly, or unpacks to far too much."""
    way, path, keys = int(random.integers(6)), folder / "odd.txt", {}
    content = ("\n".join(_sentence(random, _WORDS[4:7]) for _ in range(20)) + "\n").encode("cp1250", "replace")
    if way == 0:
        content = b""
    elif way == 1:
        content = b"\xef\xbb\xbf"
    elif way == 2:
        path, content = folder / "odd.txt.gz", gzip.compress(content * 40)[:-int(random.integers(1, 30))]
    elif way == 3:
        path, content = folder / "odd.txt.gz", gzip.compress(b"word " * 20_000_000, 1)
    elif way == 4:
        keys = {"encoding": "utf-16"}
        content += b"x" * (1 - len(content) % 2)
    path.write_bytes(content)
    unit = str(random.choice(["words", "characters"]))
    return Case(f"text, fault {way}", path, lambda: _running(path, keys, unit), REFUSED)


KINDS = (labelled, labelled, broken_labelled, broken_labelled, class_files, conllu, conllu, running,
         running, broken_text)
