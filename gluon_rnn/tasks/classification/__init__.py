"""One of K classes for each sequence."""
