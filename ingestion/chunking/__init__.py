"""Pages cut into chunks, each with a line of context."""
