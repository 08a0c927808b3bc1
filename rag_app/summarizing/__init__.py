"""What whole documents are about: quoted sentences that stand for them, or an LLM's own words."""
