"""What a question asks for, and how it reads on its own."""
