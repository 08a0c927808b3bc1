"""Formats with a structure of their own: source code, JSON, notebooks."""
