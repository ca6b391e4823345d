"""Steps that show what other steps made."""
