"""Scores of what a model says, and what trivial methods score on the same data."""
