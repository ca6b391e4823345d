"""What two steps share."""

UNIT = 1  # one
