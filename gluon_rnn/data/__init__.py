"""Data sets and the batches made of them."""
from .audio import AudioFolder, AudioReader
from .batches import BPTTBatches
from .buckets import Buckets, pad
from .elman import ElmanGrammar
from .labelled_text import LabelledText, TextReader
from .text import Characters, Words, encode, tokenize
from .trajectories import Trajectories, TrajectoryReader

__all__ = ["AudioFolder", "AudioReader", "BPTTBatches", "Buckets", "Characters", "ElmanGrammar", "LabelledText",
           "TextReader", "Trajectories", "TrajectoryReader", "Words", "encode", "pad", "tokenize"]
