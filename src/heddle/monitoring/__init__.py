"""What became of predictions, set beside what was promised: alarms as values."""
