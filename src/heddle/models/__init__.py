"""The catalogue of estimators, and the assembly of one pipeline out of a specification."""
