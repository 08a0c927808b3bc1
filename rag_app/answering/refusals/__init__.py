"""Refusals: what is said where the documents do not answer a question."""
