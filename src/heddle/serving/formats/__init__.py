"""The file formats of models: which are known, how each is told, and what reads it."""
