"""Words a second of word vectors, ours beside gensim's, in processes that take turns.

By default on the training text of WikiText-2, skip-gram and CBOW, with one thread and with two.
"""
import argparse
import os

from gluon_rnn.benchmark.word_vectors import CASE, line, run
from gluon_rnn.cli.process import run_command
from gluon_rnn.public_data import data_root


def main(argv=None):
    """Print a line for each architecture and number of threads."""
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmark_word_vectors",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--text", default=os.path.join(data_root(), "wikitext-2", "train.txt.gz"))
    parser.add_argument("--gensim-python", metavar="PATH", help="the interpreter that has gensim, if it is another one")
    parser.add_argument("--architectures", nargs="+", default=["skip_gram", "cbow"], choices=["skip_gram", "cbow"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=3, help="timings of each; the median counts (default: 3)")
    options = parser.parse_args(argv)
    print(f"# {', '.join(f'{key} {value}' for key, value in CASE.items())}; medians of {options.repeat}; load "
          f"{os.getloadavg()[0]:.1f}", flush=True)
    for row in run(options.text, options.architectures, options.threads, options.repeat, options.gensim_python):
        print(line(row), flush=True)
    return 0


if __name__ == "__main__":
    run_command(main)
