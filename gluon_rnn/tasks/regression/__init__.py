"""One or more real numbers for each sequence."""
