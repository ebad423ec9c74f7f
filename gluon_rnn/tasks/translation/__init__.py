"""Sentence in, sentence out."""
