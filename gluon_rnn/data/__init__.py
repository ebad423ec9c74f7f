"""Data sets and the batches made of them."""
from .batches import BPTTBatches
from .buckets import Buckets, pad
from .elman import ElmanGrammar
from .labelled_text import LabelledText, TextReader
from .text import Characters, Words, encode, tokenize

__all__ = ["BPTTBatches", "Buckets", "Characters", "ElmanGrammar", "LabelledText", "TextReader", "Words", "encode",
           "pad", "tokenize"]
