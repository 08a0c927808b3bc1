"""Where a library lies on disk: SQLite catalogue, Chroma vectors, ColBERT token segments."""
