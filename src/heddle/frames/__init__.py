"""What a table is: its content hash, its description, reading and writing."""
