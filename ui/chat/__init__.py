"""The Chat page: the conversation, and beside it the kept conversations, the documents and the evidence."""
