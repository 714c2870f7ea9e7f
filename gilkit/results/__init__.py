"""What was measured: cases, facts, the file, statistics."""
