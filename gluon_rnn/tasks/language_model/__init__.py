"""Next-token prediction over a stream of text."""
