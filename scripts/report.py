"""``python -m scripts.report`` is the command ``gluon-rnn report``; its code is in `gluon_rnn.cli.report`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("report")

if __name__ == "__main__":
    run_command(main)
