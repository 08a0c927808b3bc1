"""Which encoding a text file has."""
