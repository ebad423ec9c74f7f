"""``python -m scripts.export`` is the command ``gluon-rnn export``; its code is in `gluon_rnn.cli.export`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("export")

if __name__ == "__main__":
    run_command(main)
