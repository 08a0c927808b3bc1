"""Libraries, or collections of them, as one file."""
