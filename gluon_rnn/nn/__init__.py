"""Recurrent building blocks; every one keeps the contract of `gluon_rnn.nn.contract.SequenceBlock`."""
from gluon_rnn.nn.adaptive_softmax import AdaptiveSoftmax
from gluon_rnn.nn.attention import BahdanauAttention, LuongAttention
from gluon_rnn.nn.bidirectional import Bidirectional, BidirectionalStack
from gluon_rnn.nn.cells import GRUCell, LSTMCell, RNNCell
from gluon_rnn.nn.chain import Chain
from gluon_rnn.nn.conditioned import Conditioned
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.crf import CRF, Viterbi
from gluon_rnn.nn.ctc import CTCLoss
from gluon_rnn.nn.delay import DelayLine
from gluon_rnn.nn.extended_cells import (
    LayerNormLSTMCell,
    PeepholeLSTMCell,
    ProjectedLSTMCell,
    ResetBeforeGRUCell,
    ZoneoutCell,
)
from gluon_rnn.nn.flat_parameters import graph_parameters, read_vectors
from gluon_rnn.nn.full_softmax import FullSoftmax
from gluon_rnn.nn.fused import GRU, LSTM, RNN
from gluon_rnn.nn.graphs import GatedGraphNetwork, MessagePassingNetwork
from gluon_rnn.nn.initializers import Identity, OwnDefaults
from gluon_rnn.nn.interchange import interchange_form
from gluon_rnn.nn.jordan import Jordan, JordanCell
from gluon_rnn.nn.linear import QRNN, SRU, MinGRU, MinLSTM
from gluon_rnn.nn.linear_recurrence import linear_recurrence
from gluon_rnn.nn.lru import LRU
from gluon_rnn.nn.pooling import Pooling
from gluon_rnn.nn.sampled_softmax import SampledSoftmax
from gluon_rnn.nn.skip import Skip, SkipCell
from gluon_rnn.nn.stacked import LayerNormLSTM, PeepholeLSTM, ProjectedLSTM, ResetBeforeGRU, ZoneoutGRU, ZoneoutLSTM
from gluon_rnn.nn.stepper import Stepper
from gluon_rnn.nn.tdnn import TDNN
from gluon_rnn.nn.tree_lstm import ChildSumTreeLSTM, NaryTreeLSTM
from gluon_rnn.nn.trees import RecursiveNetwork
from gluon_rnn.nn.unroll import Unrolled

__all__ = ["RNN", "LSTM", "GRU", "PeepholeLSTM", "ProjectedLSTM", "ResetBeforeGRU", "LayerNormLSTM", "ZoneoutLSTM",
           "ZoneoutGRU", "QRNN", "SRU", "MinGRU", "MinLSTM", "LRU", "linear_recurrence",
           "Skip", "Jordan", "TDNN", "DelayLine", "RNNCell", "LSTMCell", "GRUCell",
           "PeepholeLSTMCell", "ProjectedLSTMCell", "ResetBeforeGRUCell", "LayerNormLSTMCell", "ZoneoutCell",
           "JordanCell", "Unrolled", "Stepper", "Bidirectional", "BidirectionalStack", "Chain", "CRF", "Viterbi",
           "SkipCell", "SequenceBlock",
           "Identity", "OwnDefaults", "graph_parameters", "read_vectors", "interchange_form", "CTCLoss", "Pooling",
           "BahdanauAttention", "LuongAttention", "Conditioned", "FullSoftmax", "AdaptiveSoftmax", "SampledSoftmax",
           "RecursiveNetwork", "ChildSumTreeLSTM", "NaryTreeLSTM", "GatedGraphNetwork", "MessagePassingNetwork"]
