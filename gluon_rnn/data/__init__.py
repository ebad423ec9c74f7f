"""Data sets and the batches made of them."""
from .batches import BPTTBatches
from .buckets import Buckets, pad
from .elman import ElmanGrammar
from .labelled_text import LabelledText, TextReader
from .parallel_text import ParallelText, Ragged
from .scaling import Scaler, SeriesScaler
from .sentences import SentenceTokenizer
from .series import Recording, SeriesSet, TimeSeries
from .systems import NARMA, MackeyGlass, Plant
from .tables import SeriesFormat
from .text import Characters, Words, encode, tokenize
from .windows import WindowBatch, Windows

__all__ = ["BPTTBatches", "Buckets", "Characters", "ElmanGrammar", "LabelledText", "MackeyGlass", "NARMA",
           "ParallelText", "Plant", "Ragged", "Recording", "Scaler", "SentenceTokenizer", "SeriesFormat",
           "SeriesScaler", "SeriesSet", "TextReader", "TimeSeries", "WindowBatch", "Windows", "Words", "encode", "pad",
           "tokenize"]
