"""Text recognition: which pages need it, and joining it with the text that is there."""
