"""The next frame of a piano roll."""
