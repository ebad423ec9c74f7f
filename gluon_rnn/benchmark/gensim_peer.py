"""gensim's Word2Vec as a peer of the benchmark of word vectors: a script for the interpreter that has gensim.

It is given one argument, a dict in JSON, and prints {"seconds": ..., "version": ...}; it knows nothing of this package.
"""
import gzip
import json
import sys
import time


def lines_of(path):
    """Return the lines of a text as lists of words, without ``<unk>``, in pieces that gensim takes whole."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
        lines = [[word for word in line.split() if word != "<unk>"] for line in file]
    return [line[start:start + 10000] for line in lines for start in range(0, len(line), 10000)]


def main(case):
    """Train one epoch and print how long it took; the vocabulary is counted before."""
    import gensim
    from gensim.models import Word2Vec
    lines = lines_of(case["text"])
    model = Word2Vec(vector_size=case["size"], window=case["window"], min_count=case["min_freq"],
                     sg=int(case["architecture"] == "skip_gram"), negative=case["negatives"], sample=case["subsample"],
                     workers=case["threads"], epochs=1, seed=1)
    model.build_vocab(lines)
    begun = time.perf_counter()
    model.train(lines, total_examples=model.corpus_count, epochs=1)
    print(json.dumps({"seconds": time.perf_counter() - begun, "version": gensim.__version__}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
