"""The page Documents: the library looked after. Uploads, the queue, the table, a page's text, collections.

The small pane beside the chat shows the same queue (`ui.documents`).
"""
