"""A data version's contract, checked before it is published."""
