"""Word vectors of a trained model of texts: neighbours, similarity, a file that other tools read.

NAME is a run, a model of the zoo, or a file of vectors as word2vec writes them. Several are compared on the words that
all of them have.
"""
from gluon_rnn.cli.options import add_checkpoint

EXAMPLE = "gluon-rnn vectors runs/quickstart-1 --nearest woman see --count 3 --output vectors.txt"
INTERMIXED = True


def run(options):
    """Print sizes, neighbours and correlations, and write the vectors of a single model."""
    from gluon_rnn.data.readers import read_text
    from gluon_rnn.data.word2vec_text import write_vectors
    from gluon_rnn.metrics.word_similarity import read_pairs
    from gluon_rnn.vectors import compare, vectors_of
    if options.output is not None and len(options.names) > 1:
        raise ValueError(f"--output {options.output}: a file holds the vectors of one model, and {len(options.names)} "
                         "are named; name one")
    if options.count < 1:
        raise ValueError(f"--count: expected a number of at least 1, got {options.count}")
    pairs = None if options.similarity is None else read_pairs(read_text(options.similarity), options.similarity)
    tables = {name: vectors_of(name, options.table, options.checkpoint) for name in options.names}
    for line in compare(tables, options.nearest, pairs, options.count):
        print(line, flush=True)
    if options.output is not None:
        (table,) = tables.values()
        write_vectors(options.output, table)
        print(f"written to {options.output}")
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("names", metavar="NAME", nargs="+", help="run, zoo model, or file of vectors")
    parser.add_argument("--nearest", metavar="WORD", nargs="+", action="extend", default=[],
                        help="words whose neighbours are shown")
    parser.add_argument("--count", type=int, default=8, help="neighbours of each word (default: 8)")
    parser.add_argument("--similarity", metavar="FILE", help="pairs of words and how similar people found them: "
                                                             "Spearman's correlation with the cosines")
    parser.add_argument("--output", metavar="FILE", help="where the vectors go, as text; packed if it ends in .gz")
    parser.add_argument("--table", metavar="NAME", help="the embedding, where a model has several, such as "
                                                        "source_embedding.weight")
    add_checkpoint(parser)
