"""``python -m scripts.launch`` is the command ``gluon-rnn launch``; its code is in `gluon_rnn.cli.launch`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("launch")

if __name__ == "__main__":
    run_command(main)
