"""Let a trained language model write: ``python -m scripts.generate RUN --prefix "To be"``."""
import argparse

from scripts._cli import run_command


def main(argv=None):
    """Print the prefix and its continuation, each token as soon as it is drawn."""
    arguments = _parser().parse_args(argv)
    from gluon_rnn.runs import load_run
    from gluon_rnn.tasks.language_model.predictor import stream_text
    run = load_run(arguments.run, arguments.checkpoint)
    for piece in stream_text(run.model, run.assets, arguments.length, arguments.prefix,
                             temperature=arguments.temperature, top_k=arguments.top_k, top_p=arguments.top_p,
                             seed=arguments.seed):
        print(piece, end="", flush=True)
    print()
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m scripts.generate", description=__doc__)
    parser.add_argument("run", metavar="RUN", help="folder that scripts.train printed last")
    parser.add_argument("--prefix", default="", help="text to continue; default: the model begins by itself")
    parser.add_argument("--length", type=int, default=300, help="tokens to write (default 300)")
    parser.add_argument("--temperature", type=float, default=1.0, help="below 1 safer, above 1 wilder, 0 the likeliest")
    parser.add_argument("--top-k", type=int, help="draw from the so many likeliest tokens only")
    parser.add_argument("--top-p", type=float, help="draw from the likeliest tokens with this probability together")
    parser.add_argument("--seed", type=int, help="the same seed gives the same text; default: another text each time")
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best")
    return parser


if __name__ == "__main__":
    run_command(main)
