"""Values of the sort that a question asks for: in texts, and among the statements that may answer."""
