"""From a raw file to v0: archives, encodings, delimiters, headers, types."""
