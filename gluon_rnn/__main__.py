"""``python -m gluon_rnn`` is the command ``gluon-rnn``."""
from gluon_rnn.cli.main import start

if __name__ == "__main__":
    start()
