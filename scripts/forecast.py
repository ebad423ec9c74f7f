"""``python -m scripts.forecast`` is the command ``gluon-rnn forecast``; its code is in `gluon_rnn.cli.forecast`."""
from gluon_rnn.cli.main import script
from gluon_rnn.cli.process import run_command

main = script("forecast")

if __name__ == "__main__":
    run_command(main)
