"""``python -m scripts.predict`` is the command ``gluon-rnn predict``; its code is in `gluon_rnn.cli.predict`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("predict")

if __name__ == "__main__":
    run_command(main)
