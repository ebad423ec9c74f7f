"""Data sets and the batches made of them."""
from .batches import BPTTBatches
from .elman import ElmanGrammar
from .text import Characters, Words, encode, tokenize

__all__ = ["BPTTBatches", "Characters", "ElmanGrammar", "Words", "encode", "tokenize"]
