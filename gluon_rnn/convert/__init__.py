"""Ways in: recurrent layers of torch, Keras, ONNX, gluonnlp and mxnet.gluon.rnn with their parameters, and ways back.

Every function reads arrays and nothing else: no pickle is opened, and no code of a file is run.
"""
from gluon_rnn.convert.gluon_checkpoint import from_gluon, load_gluon_parameters, to_gluon
from gluon_rnn.convert.gluonnlp_models import from_gluonnlp
from gluon_rnn.convert.keras_weights import from_keras
from gluon_rnn.convert.onnx_nodes import from_onnx
from gluon_rnn.convert.torch_state import from_torch, to_torch

__all__ = ["from_torch", "from_keras", "from_onnx", "from_gluonnlp", "from_gluon", "load_gluon_parameters", "to_torch",
           "to_gluon"]
