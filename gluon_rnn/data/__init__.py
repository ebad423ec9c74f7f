"""Data sets and the batches made of them."""
from .audio import AudioFolder
from .audio_reader import AudioReader
from .batches import BPTTBatches
from .buckets import Buckets, pad
from .elman import ElmanGrammar
from .labelled_text import LabelledText, TextReader
from .parallel_text import ParallelText, Ragged
from .piano_roll import PianoRoll, read_rolls, transpose
from .scaling import Scaler, SeriesScaler
from .sentences import SentenceTokenizer
from .series import Recording, SeriesSet, TimeSeries
from .subwords import SubwordTokenizer
from .systems import NARMA, MackeyGlass, Plant
from .tables import SeriesFormat
from .tagged_text import Conllu, Sentence, TagEncoder, read_conllu
from .text import Characters, Words, encode, tokenize
from .trajectories import Trajectories, TrajectoryReader
from .windows import WindowBatch, Windows

__all__ = ["BPTTBatches", "Buckets", "Characters", "Conllu", "ElmanGrammar", "MackeyGlass", "NARMA", "PianoRoll",
           "Plant", "Recording", "Scaler", "Sentence", "SeriesFormat", "SeriesScaler", "SeriesSet", "TagEncoder",
           "TimeSeries", "WindowBatch", "Windows", "Words", "encode", "pad", "read_conllu", "read_rolls", "tokenize",
           "transpose", "AudioFolder", "AudioReader", "LabelledText", "TextReader", "Trajectories", "TrajectoryReader",
           "ParallelText", "Ragged", "SentenceTokenizer", "SubwordTokenizer"]
