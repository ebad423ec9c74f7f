"""Data sets and the batches made of them."""
from .batches import BPTTBatches
from .buckets import Buckets, pad
from .elman import ElmanGrammar
from .piano_roll import PianoRoll, read_rolls, transpose
from .text import Characters, Words, encode, tokenize

__all__ = ["BPTTBatches", "Buckets", "Characters", "ElmanGrammar", "PianoRoll", "Words", "encode", "pad", "read_rolls",
           "tokenize", "transpose"]
