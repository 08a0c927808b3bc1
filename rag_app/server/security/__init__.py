"""What is refused before a route runs: origins, tokens, sizes, remote callers."""
