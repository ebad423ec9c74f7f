"""``python -m scripts.compare`` is the command ``gluon-rnn compare``; its code is in `gluon_rnn.cli.compare`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("compare")

if __name__ == "__main__":
    run_command(main)
