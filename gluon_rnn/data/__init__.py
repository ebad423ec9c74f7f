"""Data sets and the batches made of them."""
from .batches import BPTTBatches
from .buckets import Buckets, pad
from .elman import ElmanGrammar
from .piano_roll import PianoRoll, read_rolls, transpose
from .tagged_text import Conllu, Sentence, TagEncoder, read_conllu
from .text import Characters, Words, encode, tokenize

__all__ = ["BPTTBatches", "Buckets", "Characters", "Conllu", "ElmanGrammar", "PianoRoll", "Sentence", "TagEncoder",
           "Words", "encode", "pad", "read_conllu", "read_rolls", "tokenize", "transpose"]
