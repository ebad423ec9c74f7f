"""Measured speed beside other libraries: recurrent layers, and a language model's training step.

`worker` is one peer in a process of its own, `peers` starts and asks them, `layers` and `language_model` say what is
measured and how the result reads.
"""
