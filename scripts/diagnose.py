"""``python -m scripts.diagnose`` is the command ``gluon-rnn diagnose``; its code is in `gluon_rnn.cli.diagnose`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("diagnose")

if __name__ == "__main__":
    run_command(main)
