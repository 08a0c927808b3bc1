"""The texts of replies that need no search."""
