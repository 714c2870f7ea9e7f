"""What tables share: units, curves, plain text."""
