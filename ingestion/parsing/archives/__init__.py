"""Archives of documents."""
