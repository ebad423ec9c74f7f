"""``python -m scripts.results`` is the command ``gluon-rnn results``; its code is in `gluon_rnn.cli.results`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("results")

if __name__ == "__main__":
    run_command(main)
