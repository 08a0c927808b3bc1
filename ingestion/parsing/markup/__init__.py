"""HTML, EPUB, Markdown and plain text."""
