"""``python -m scripts.vectors`` is the command ``gluon-rnn vectors``; its code is in `gluon_rnn.cli.vectors`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("vectors")

if __name__ == "__main__":
    run_command(main)
