"""What is kept of questions and answers: conversations and receipts, in a database of their own."""
