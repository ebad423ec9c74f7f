"""A string of labels for each sequence, without being told where each label stands."""
