"""Single vectors in Chroma."""
