"""What a language model writes, made fit to read: cleaned, cut where it repeats itself, judged."""
