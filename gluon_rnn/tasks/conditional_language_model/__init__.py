"""A class in, a sequence out."""
