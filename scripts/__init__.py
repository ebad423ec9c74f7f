"""The commands of `gluon_rnn.cli` as modules: ``python -m scripts.train`` is ``gluon-rnn train``."""
