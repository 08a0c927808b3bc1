"""Finds tables on a PDF's page, from the places of its words and its ruling lines."""
