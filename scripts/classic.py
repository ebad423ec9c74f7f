"""``python -m scripts.classic`` is the command ``gluon-rnn classic``; its code is in `gluon_rnn.cli.classic`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("classic")

if __name__ == "__main__":
    run_command(main)
