"""Machine learning on tables, from the raw file to predictions in use, reproducibly."""

__version__ = "0.1.0"
