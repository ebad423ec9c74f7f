"""Translators of MXNet operators, a family a file; importing a file registers what is in it."""
