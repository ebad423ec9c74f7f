"""Word vectors: skip-gram with negative sampling, and CBOW."""
