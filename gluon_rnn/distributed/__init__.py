"""Training on several machines: who takes part, who is still there, and sums of gradients by MXNet's KVStore.

`variables.py` reads and writes the variables that say what a process is. `hub.py` and `member.py` are a channel of
small messages beside ps-lite's: it agrees on numbers, and ends everybody where one process is gone, which ps-lite does
not. `cluster.py` is what the training loop knows of all this.
"""
