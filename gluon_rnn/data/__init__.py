"""Data sets and the batches made of them."""
from gluon_rnn.data.adding import AddingProblem
from gluon_rnn.data.audio import AudioFolder
from gluon_rnn.data.audio_reader import AudioReader
from gluon_rnn.data.bit_strings import Parity, XorStream
from gluon_rnn.data.bptt import BPTTBatches
from gluon_rnn.data.buckets import Buckets, pad
from gluon_rnn.data.copying import CopyMemory
from gluon_rnn.data.counting import Counting
from gluon_rnn.data.digits import PixelDigits
from gluon_rnn.data.elman import ElmanGrammar
from gluon_rnn.data.expressions import ListOps, LogicTrees
from gluon_rnn.data.gait import GaitSeries, GaitWalkers
from gluon_rnn.data.graph_questions import GraphReachability, GraphShortestPath
from gluon_rnn.data.joined_audio import JoinedAudio
from gluon_rnn.data.labelled_text import LabelledText, TextReader
from gluon_rnn.data.latching import Latching
from gluon_rnn.data.letters import Letters
from gluon_rnn.data.parallel_text import ParallelText, Ragged
from gluon_rnn.data.phrases import Phrases
from gluon_rnn.data.piano_roll import PianoRoll, read_rolls, transpose
from gluon_rnn.data.reber import Reber
from gluon_rnn.data.scaling import Scaler, SeriesScaler
from gluon_rnn.data.sentences import SentenceTokenizer
from gluon_rnn.data.sequences import Sequences
from gluon_rnn.data.series import Recording, SeriesSet, TimeSeries
from gluon_rnn.data.subwords import SubwordTokenizer
from gluon_rnn.data.systems import NARMA, MackeyGlass, Plant
from gluon_rnn.data.tables import SeriesFormat
from gluon_rnn.data.tagged_text import Conllu, Sentence, TagEncoder, read_conllu
from gluon_rnn.data.temporal_order import TemporalOrder
from gluon_rnn.data.text import Characters, Words, encode, tokenize
from gluon_rnn.data.trajectories import Trajectories, TrajectoryReader
from gluon_rnn.data.trajectory_values import TrajectoryValues
from gluon_rnn.data.treebank import Treebank
from gluon_rnn.data.windows import WindowBatch, Windows

__all__ = ["BPTTBatches", "Buckets", "Characters", "Conllu", "ElmanGrammar", "MackeyGlass", "NARMA", "PianoRoll",
           "Plant", "Recording", "Scaler", "Sentence", "SeriesFormat", "SeriesScaler", "SeriesSet", "TagEncoder",
           "TimeSeries", "WindowBatch", "Windows", "Words", "encode", "pad", "read_conllu", "read_rolls", "tokenize",
           "transpose", "AudioFolder", "AudioReader", "LabelledText", "TextReader", "Trajectories", "TrajectoryReader",
           "ParallelText", "Ragged", "Sequences", "SentenceTokenizer", "SubwordTokenizer", "AddingProblem",
           "CopyMemory", "Counting", "GaitSeries", "GaitWalkers", "JoinedAudio", "Letters", "Parity", "Phrases",
           "PixelDigits", "Reber", "TemporalOrder", "TrajectoryValues", "XorStream", "Latching", "GraphReachability",
           "GraphShortestPath", "ListOps", "LogicTrees", "Treebank"]
