"""Data sets and the batches made of them."""
from .batches import BPTTBatches
from .elman import ElmanGrammar
from .scaling import Scaler, SeriesScaler
from .series import Recording, SeriesSet, TimeSeries
from .systems import NARMA, MackeyGlass, Plant
from .tables import SeriesFormat
from .text import Characters, Words, encode, tokenize
from .windows import WindowBatch, Windows

__all__ = ["BPTTBatches", "Characters", "ElmanGrammar", "MackeyGlass", "NARMA", "Plant", "Recording", "Scaler",
           "SeriesFormat", "SeriesScaler", "SeriesSet", "TimeSeries", "WindowBatch", "Windows", "Words", "encode",
           "tokenize"]
