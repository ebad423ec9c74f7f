"""``python -m scripts.train`` is the command ``gluon-rnn train``; its code is in `gluon_rnn.cli.train`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("train")

if __name__ == "__main__":
    run_command(main)
