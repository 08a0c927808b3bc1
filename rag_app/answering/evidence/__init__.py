"""Which sentences of the hits are put before the answerer."""
