"""``python -m scripts.evaluate`` is the command ``gluon-rnn evaluate``; its code is in `gluon_rnn.cli.evaluate`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("evaluate")

if __name__ == "__main__":
    run_command(main)
