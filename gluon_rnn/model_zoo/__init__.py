"""Pretrained models: a folder each, with recipe, weights, small files and a card. See docs/zoo.md for the list."""
from gluon_rnn.model_zoo.loading import get_model, list_models

__all__ = ["get_model", "list_models"]
