"""``python -m scripts.benchmark`` is the command ``gluon-rnn benchmark``; its code is in `gluon_rnn.cli.benchmark`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("benchmark")

if __name__ == "__main__":
    run_command(main)
