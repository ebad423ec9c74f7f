"""Public data sets: where they are fetched from, how they are made from there, and whether what is there is right."""
from gluon_rnn.public_data.hints import hint, missing
from gluon_rnn.public_data.manifest import DataFile, DataSet, all_sets, data_root, get, readers, sets_of
from gluon_rnn.public_data.store import fetch_set, repository, state_of, verify_set

__all__ = ["DataFile", "DataSet", "all_sets", "data_root", "fetch_set", "get", "hint", "missing", "readers",
           "repository", "sets_of", "state_of", "verify_set"]
