"""Let a trained language model write."""
from gluon_rnn.cli.options import add_checkpoint, add_run

EXAMPLE = 'gluon-rnn generate runs/quickstart-1 --prefix "woman" --length 20 --seed 1'


def run(options):
    """Print the prefix and its continuation, each token as soon as it is drawn."""
    from gluon_rnn.runs import load_run
    from gluon_rnn.tasks.language_model.predictor import stream_text
    trained = load_run(options.run, options.checkpoint)
    trained.check_task("language_model")
    for piece in stream_text(trained.model, trained.assets, options.length, options.prefix,
                             temperature=options.temperature, top_k=options.top_k, top_p=options.top_p,
                             seed=options.seed):
        print(piece, end="", flush=True)
    print()
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("--prefix", default="", help="text to continue; default: the model begins by itself")
    parser.add_argument("--length", type=int, default=300, help="tokens to write (default 300)")
    parser.add_argument("--temperature", type=float, default=1.0, help="below 1 safer, above 1 wilder, 0 the likeliest")
    parser.add_argument("--top-k", type=int, help="draw from the so many likeliest tokens only")
    parser.add_argument("--top-p", type=float, help="draw from the likeliest tokens with this probability together")
    parser.add_argument("--seed", type=int, help="the same seed gives the same text; default: another text each time")
    add_checkpoint(parser)

