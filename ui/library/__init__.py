"""The Library page: uploads, the queue, the table of documents, a page's text, collections and storage.

The small pane beside the chat shows the same queue.
"""
