"""What the page shows, as pure functions from typed values to escaped HTML."""
