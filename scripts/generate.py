"""``python -m scripts.generate`` is the command ``gluon-rnn generate``; its code is in `gluon_rnn.cli.generate`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("generate")

if __name__ == "__main__":
    run_command(main)
