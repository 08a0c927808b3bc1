"""What an answer without a language model quotes, and how it reads."""
