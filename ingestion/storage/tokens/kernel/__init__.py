"""What multiplies token codes: compiled code where it could be built, else torch."""
