"""The child process that parses, its limits, and what is accepted from it."""
