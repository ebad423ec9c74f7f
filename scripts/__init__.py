"""Commands: ``python -m scripts.train`` and its neighbours. Thin; the logic is in `gluon_rnn`."""
