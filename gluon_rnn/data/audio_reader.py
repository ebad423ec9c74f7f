"""From a .wav file to features; the reader itself is in `gluon_rnn.answers.audio`."""
from gluon_rnn.answers.audio import AudioReader, import_librosa, read_wav

__all__ = ["AudioReader", "import_librosa", "read_wav"]
