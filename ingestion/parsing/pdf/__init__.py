"""PDF files: text, layers, annotations, attachments."""
