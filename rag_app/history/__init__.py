"""The history: conversations and receipts, in a database and a format of their own."""
