"""The catalogue in SQLite: documents, chunks, words, jobs, representations."""
